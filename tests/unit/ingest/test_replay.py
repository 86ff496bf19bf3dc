"""The quarantine is read again, after a parser was mended."""

from pathlib import Path

from app.bootstrap import Outside, Product, build, open_inbox
from app.core.configfile import Config
from app.ingest.intake import key_of
from app.ingest.replay import replay
from app.models.delivery import Delivery, Filing, Flaw, Parsed
from app.store.migrate import migrate

GOOD = (
    b'{"alerts":[{"status":"firing","labels":{"alertname":"A"},'
    b'"startsAt":"2026-11-21T02:14:02Z","fingerprint":"f1"}]}'
)


def make(folder: Path) -> Product:
    """Return a product with an empty database."""
    tree = {"sources": {"alertmanager": {"auth": {"kind": "none"}}}}
    product = build(Config(tree, {(): "test"}), Outside(home=folder))
    migrate(product.location)
    return product


def quarantined(source: str, body: bytes) -> Filing:
    """Return a delivery that an older parser did not understand."""
    delivery = Delivery(source=source, body=body, received_at=1)
    flaw = Flaw("wrong_shape", "$", "was not understood")
    return Filing(delivery, key_of(delivery), Parsed(unparsed=(flaw,)))


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
