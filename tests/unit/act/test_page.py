"""The page of the catalogue is made from what the actions declare."""

from scripts.make_catalogue_page import (
    BEGIN,
    END,
    PAGE,
    read_catalogue,
    render,
)
from tests.unit.decide.sites import extended, job

AGAIN = "run .venv/bin/python -m scripts.make_catalogue_page"


def test_the_page_is_current() -> None:
    """Whoever changes an action makes the page anew."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert render(text, read_catalogue()) == text, AGAIN


def test_every_action_has_its_chapter() -> None:
    """What it is for, what it runs, where its arguments come from."""
    text = PAGE.read_text(encoding="utf-8")
    page = render(text, extended(job()))
    assert page.startswith(text.partition(BEGIN)[0])
    assert page.endswith(text.partition(END)[2])
    for spec in extended(job()).specs:
        chapter = page.split(f"\n### {spec.name}\n")[1].split("\n### ")[0]
        assert spec.purpose in chapter
        assert spec.when_not_to_use in chapter
        for name in spec.parameters:
            assert f"\n| {name} | " in chapter
