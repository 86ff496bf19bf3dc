"""A source may only speak for the labels that it is allowed."""

import pytest

from app.core.errors import Refused
from app.ingest.allowance import Allowance
from app.models.delivery import Flaw, Parsed
from tests.fakes import make_alert

MINE = Allowance({"cluster": ["prod-eu*", "lab"]})


def alert(**labels: str) -> Parsed:
    """Return what is parsed of one alert with labels."""
    return Parsed(alerts=(make_alert(labels=labels),))


@pytest.mark.parametrize("cluster", ["prod-eu1", "lab"])
def test_its_own_cluster_is_kept(cluster: str) -> None:
    """A pattern, or a plain name."""
    parsed = alert(cluster=cluster)
    assert MINE.keep(parsed).alerts == parsed.alerts


@pytest.mark.parametrize(
    "labels", [{"cluster": "prod-us1"}, {}, {"cluster": "xlab"}]
)
def test_another_cluster_or_none_is_refused(labels: dict[str, str]) -> None:
    """403, with the label and the remedy; nothing is stored."""
    with pytest.raises(Refused) as caught:
        MINE.keep(alert(**labels))
    assert caught.value.status == 403
    assert caught.value.field == "alert 0: labels.cluster"
    assert "allow" in caught.value.remedy


@pytest.mark.parametrize("labels", [{}, {"cluster": ""}])
def test_a_star_is_no_leave_to_say_nothing(labels: dict[str, str]) -> None:
    """Each alert must carry the label, unless nothing is a value, too."""
    parsed = alert(**labels)
    for patterns in (["*"], ["lab", "p*", "*"]):
        star = Allowance({"cluster": patterns})
        assert star.keep(alert(cluster="any")).alerts
        with pytest.raises(Refused):
            star.keep(parsed)
    assert Allowance({"cluster": ["lab", ""]}).keep(parsed).alerts


def test_of_a_mixed_delivery_its_own_part_is_kept() -> None:
    """The rest is named as rejected."""
    mixed = Parsed(
        alerts=(
            make_alert("a", labels={"cluster": "lab"}),
            make_alert("b", labels={"cluster": "bank"}),
        )
    )
    kept = MINE.keep(mixed)
    assert [a.fingerprint for a in kept.alerts] == ["a"]
    assert [f.reason for f in kept.rejected] == ["not_allowed"]


def test_without_a_rule_everything_is_allowed() -> None:
    """Most sources speak for all they see."""
    parsed = alert(cluster="any")
    assert Allowance({}).keep(parsed) is parsed


def test_what_was_not_understood_is_still_kept() -> None:
    """A delivery with a part in quarantine is not thrown away."""
    flaw = Flaw("wrong_shape", "$", "x")
    parsed = Parsed(alerts=alert(cluster="us").alerts, unparsed=(flaw,))
    kept = MINE.keep(parsed)
    assert kept.alerts == ()
    assert kept.unparsed == (flaw,)
