"""The quarantine is read again, after a parser was mended."""

from pathlib import Path

from app.bootstrap import Outside, Product, build, open_inbox
from app.core.configfile import Config
from app.ingest.intake import key_of
from app.ingest.replay import replay
from app.models.delivery import Delivery, Filing, Flaw, Parsed
from app.store.migrate import migrate
from tests.fakes import make_alert

GOOD = (
    b'{"alerts":[{"status":"firing","labels":{"alertname":"A"},'
    b'"startsAt":"2026-11-21T02:14:02Z","fingerprint":"f1"}]}'
)


def make(folder: Path) -> Product:
    """Return a product with an empty database."""
    auth = {"auth": {"kind": "none"}}
    tree = {"sources": {"alertmanager": auth, "cloudevents": auth}}
    product = build(Config(tree, {(): "test"}), Outside(home=folder))
    migrate(product.location)
    return product


def quarantined(source: str, body: bytes) -> Filing:
    """Return a delivery that an older parser did not understand."""
    delivery = Delivery(source=source, body=body, received_at=1)
    flaw = Flaw("wrong_shape", "$", "was not understood")
    return Filing(delivery, key_of(delivery), Parsed(unparsed=(flaw,)))


def test_what_is_refused_now_stays_as_it_was(tmp_path: Path) -> None:
    """A limit that was lowered since takes no alert from its delivery."""
    product = make(tmp_path)
    inbox = open_inbox(product.location, 2.0)
    mixed = GOOD.replace(b'"f1"}', b'"f1"},{"labels":7}')
    entrance = product.entrances["alertmanager"]
    delivery = Delivery(source="alertmanager", body=mixed, received_at=1)
    parsed = entrance.source.parse(delivery)
    assert len(parsed.alerts) == len(parsed.unparsed) == 1
    inbox.write([Filing(delivery, key_of(delivery), parsed)])
    limits = product.settings.server.limits.model_copy(update={"alerts": 0})
    (one,) = replay(inbox, product.entrances, limits, {})
    assert one.receipt is None
    assert one.flaw is not None
    assert one.flaw.reason == "over_alerts"
    (again,) = replay(
        inbox, product.entrances, product.settings.server.limits, {}
    )
    assert again.receipt is not None
    inbox.close()
    row = product.reader.find_delivery(1)
    assert row is not None
    assert (row.alerts, row.outcome) == ("[1]", "unparsed")
    alert = product.reader.find_alert(1)
    assert alert is not None
    assert alert.repeats == 0
    product.reader.close()


def test_what_is_not_understood_at_all_keeps_its_alerts(
    tmp_path: Path,
) -> None:
    """A parser that became worse does not wipe what an older one found."""
    product = make(tmp_path)
    inbox = open_inbox(product.location, 2.0)
    filing = quarantined("alertmanager", b"no")
    flaws = filing.parsed.unparsed
    parsed = Parsed(alerts=(make_alert(),), unparsed=flaws)
    inbox.write([Filing(filing.delivery, filing.key, parsed)])
    limits = product.settings.server.limits
    (one,) = replay(inbox, product.entrances, limits, {})
    inbox.close()
    assert one.receipt is None
    row = product.reader.find_delivery(1)
    product.reader.close()
    assert row is not None
    assert row.alerts == "[1]"


def test_what_is_understood_now_becomes_alerts(tmp_path: Path) -> None:
    """What is not stays, with its reason; nothing is done twice."""
    product = make(tmp_path)
    inbox = open_inbox(product.location, 2.0)
    bodies = [("alertmanager", GOOD), ("alertmanager", b"no"), ("gone", GOOD)]
    inbox.write([quarantined(source, body) for source, body in bodies])
    limits = product.settings.server.limits
    done = list(replay(inbox, product.entrances, limits, {}))
    assert [one.flaw.reason if one.flaw else "" for one in done] == [
        "",
        "not_json",
        "unknown_source",
    ]
    again = list(replay(inbox, product.entrances, limits, {}))
    assert [one.delivery for one in again] == [2, 3]
    inbox.close()
    (alert,) = product.reader.alerts({}, None, 10)
    assert (alert.name, alert.delivery_id) == ("A", 1)
    product.reader.close()


def test_events_are_told_apart_by_their_headers(tmp_path: Path) -> None:
    """Each of those that were not understood is kept, and read again."""
    product = make(tmp_path)
    inbox = open_inbox(product.location, 2.0)
    flaws = (Flaw("wrong_shape", "$", "was not understood"),)
    receipts = []
    for number in (b"1", b"2", b"2"):
        delivery = Delivery(
            source="cloudevents",
            body=b"",
            received_at=1,
            headers=(
                (b"ce-specversion", b"1.0"),
                (b"ce-id", number),
                (b"ce-source", b"/backup"),
                (b"ce-type", b"net.example.backup.failed"),
                (b"ce-subject", b"db-" + number),
            ),
        )
        filing = Filing(delivery, key_of(delivery), Parsed(unparsed=flaws))
        receipts += inbox.write([filing])
    assert [one.repeat for one in receipts] == [False, False, True]
    limits = product.settings.server.limits
    done = replay(inbox, product.entrances, limits, {})
    assert [one.flaw for one in done] == [None, None]
    inbox.close()
    told = product.reader.alerts({}, None, 9)
    assert ["db-2" in row.labels for row in told] == [True, False]
    product.reader.close()
