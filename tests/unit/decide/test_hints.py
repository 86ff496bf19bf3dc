"""Hints: what code alone tells a job, with the proof of an argument."""

import pytest

from app.core.shape import SHAPES
from app.models.action import ActionSpec
from app.models.menu import Arguments
from app.models.schema import function_schema
from tests.unit.core.test_shape import HOSTILE
from tests.unit.decide.sites import CATALOGUE, case, grounder, host, on

LOOK = CATALOGUE.get("collect_diagnostics")
TOLD: Arguments = {"host": "web-01", "topic": "http"}
BAD = [
    said
    for said in HOSTILE
    if said.strip() and SHAPES["service"].fit(said) is None
]


@pytest.mark.parametrize(
    ("labels", "name", "expected"),
    [
        ({"service": "shop"}, "Errors", {"service": "shop"}),
        ({"unit": "shop.service", "service": "x"}, "E", {"service": "shop"}),
        ({"item_key": "systemd.unit.info[shop.service]"}, "E",
         {"service": "shop"}),
        ({}, "NginxHighHttp5xxErrorRate", {"service": "nginx"}),
        ({}, "HostHighCpuLoad", {}),
    ],
)  # fmt: skip
def test_the_service_is_what_the_alert_says(
    labels: dict[str, str], name: str, expected: Arguments
) -> None:
    """A label, the argument of an item's key, or software that it names."""
    told = case({"instance": "web-01", **labels}, name)
    assert grounder().hints(LOOK, TOLD, told) == expected


@pytest.mark.parametrize("said", BAD)
def test_what_is_no_name_is_no_hint(said: str) -> None:
    """And the next best label is no excuse for it; the action stays."""
    labels = {"instance": "web-01", "unit": said, "service": "nginx"}
    told = case(labels, "NginxDown")
    assert grounder().hints(LOOK, TOLD, told) == {}
    assert grounder().menu(told).find("collect_diagnostics") is not None


def test_the_inventory_has_to_know_it() -> None:
    """Where it says what runs on the host that was chosen."""
    told = case({"instance": "web-01", "service": "nginx"}, "Errors")
    things = (host("web-01"), host("web-02"))
    here = grounder(*things, on("nginx", "web-01"))
    other = grounder(*things, on("redis", "web-01"))
    elsewhere = grounder(*things, on("redis", "web-02"))
    assert here.hints(LOOK, TOLD, told) == {"service": "nginx"}
    assert other.hints(LOOK, TOLD, told) == {}
    assert elsewhere.hints(LOOK, TOLD, told) == {"service": "nginx"}


def test_no_brain_hears_of_it() -> None:
    """Neither its function, nor its menu, nor what tells catalogues apart."""
    told = case({"instance": "web-01", "service": "nginx"}, "Errors")
    offer = grounder().menu(told).find("collect_diagnostics")
    assert offer is not None
    assert set(offer.candidates) == set(offer.best()) == {"host", "topic"}
    shown = function_schema(LOOK)["parameters"]["properties"]
    assert set(shown) == {"host", "topic"}
    bare = LOOK.model_copy(update={"hints": {}})
    assert bare.digest == LOOK.digest


@pytest.mark.parametrize(
    ("hints", "why"),
    [
        (
            {"host": {"purpose": "which", "labels": ["a"]}},
            "the name of a param",
        ),
        (
            {"kind": {"purpose": "which", "values": ["a"]}},
            "from labels or the",
        ),
    ],
)
def test_a_hint_is_declared_like_an_argument(
    hints: dict[str, object], why: str
) -> None:
    """But never twice, and never as a list."""
    with pytest.raises(ValueError, match=why):
        ActionSpec.model_validate({**LOOK.model_dump(), "hints": hints})
