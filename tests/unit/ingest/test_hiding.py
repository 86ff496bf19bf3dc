"""What an alert says is kept without secrets, the delivery as it came."""

import msgspec
import pytest

from app.core.redaction import SHOWN
from app.core.settings import Limits
from app.ingest.hiding import HARMLESS, LONGEST, MOST, hide_alerts
from app.ingest.sources.alertmanager import Alertmanager
from app.models.alert import Alert
from tests.fakes import make_alert
from tests.unit.ingest.test_intake import Counter

JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "abc-DEF_123"


def hide(alert: Alert) -> Alert:
    """Return one alert without secrets."""
    (found,) = hide_alerts((alert,))
    return found


@pytest.mark.parametrize(
    ("field", "said", "kept"),
    [
        ("name", f"Login with {JWT}", f"Login with {SHOWN}"),
        (
            "summary",
            "DB_PASSWORD=hunter2 failed",
            f"DB_PASSWORD={SHOWN} failed",
        ),
        (
            "url",
            "https://x.example/?token=hunter2&a=1",
            f"https://x.example/?token={SHOWN}&a=1",
        ),
        (
            "labels",
            {"instance": "http://a:hunter2@web-1:80"},
            {"instance": f"http://{SHOWN}@web-1:80"},
        ),
        ("annotations", {"log": f"Bearer {JWT}"}, {"log": f"Bearer {SHOWN}"}),
        ("annotations", {"db_password": "two words"}, {"db_password": SHOWN}),
    ],
)
def test_secrets_leave_every_text(
    field: str, said: object, kept: object
) -> None:
    """Wherever they stand; and nothing else changes."""
    alert = msgspec.structs.replace(make_alert(), **{field: said})
    found = hide(alert)
    assert getattr(found, field) == kept
    assert msgspec.structs.replace(found, **{field: said}) == alert


def test_a_label_that_names_a_secret_is_no_secret() -> None:
    """It says which object of a cluster is meant."""
    alert = msgspec.structs.replace(
        make_alert(), labels={"secret": "shop-db", "namespace": "shop"}
    )
    assert hide(alert) is alert


def test_a_secret_is_hidden_each_time_beside_what_is_known() -> None:
    """Only what was found harmless is spared the next look."""
    plain = msgspec.structs.replace(make_alert(), summary="nothing secret")
    spoken = msgspec.structs.replace(plain, annotations={"log": f"x {JWT}"})
    for _ in range(3):
        assert hide(plain) is plain
        assert hide(spoken).annotations == {"log": f"x {SHOWN}"}


def test_one_secret_changes_one_alert_of_many() -> None:
    """The others are the same objects as before."""
    plain = [
        msgspec.structs.replace(make_alert(), summary=f"plain {number}")
        for number in range(5)
    ]
    spoken = msgspec.structs.replace(plain[2], summary=f"Bearer {JWT}")
    found = hide_alerts((*plain[:2], spoken, *plain[3:]))
    assert [one is other for one, other in zip(found, plain, strict=True)] == [
        True,
        True,
        False,
        True,
        True,
    ]
    assert found[2].summary == f"Bearer {SHOWN}"


def test_what_is_known_to_be_harmless_stays_small() -> None:
    """However many texts come, and however long they are."""
    for number in range(2 * MOST):
        labels = {"pod": f"web-{number}", "log": f"{number} " * 80}
        hide(msgspec.structs.replace(make_alert(), labels=labels))
    assert len(HARMLESS) <= MOST
    assert all(len(text) <= LONGEST for text in HARMLESS)


def test_one_large_delivery_does_not_fill_the_memory() -> None:
    """There are more texts in it than are kept at all."""
    labels = [{"pod": f"large-{number}"} for number in range(2 * MOST)]
    alerts = tuple(
        msgspec.structs.replace(make_alert(), labels=one) for one in labels
    )
    assert hide_alerts(alerts) is alerts
    assert len(HARMLESS) <= MOST


def test_what_is_filed_has_none_and_the_body_is_whole() -> None:
    """An accepted delivery goes to the disk so."""
    body = (
        b'{"alerts": [{"status": "firing", "fingerprint": "a",'
        b' "startsAt": "2026-11-21T02:14:02Z", "labels": {"alertname": "X"},'
        b' "annotations": {"summary": "password=hunter2"}}]}'
    )
    desk = Counter(Alertmanager())
    desk.deliver(body)
    (filing,) = desk.intray.filings
    (alert,) = filing.parsed.alerts
    assert alert.summary == f"password={SHOWN}"
    assert b"hunter2" in filing.delivery.body


def read_back(alert: Alert) -> str:
    """Return all that an alert says."""
    return msgspec.json.encode(alert).decode()


@pytest.mark.parametrize(
    "piece", ["password", "=", "token is ", "sk-", "@://:"]
)
def test_no_alert_makes_it_slow(piece: str) -> None:
    """A rule that explodes would hang here."""
    most = Limits().annotation_chars
    alert = msgspec.structs.replace(
        make_alert(), annotations={"log": (piece * most)[:most]}
    )
    assert read_back(hide(alert))
