"""The cascade and the texts of an alert: they spare nobody a question."""

import asyncio

import pytest

from app.core.errors import BrainFailed
from app.decide.brains.cascade import Cascade
from app.models.case import Case
from app.models.choice import Choice
from app.models.menu import Menu
from tests.unit.brains.making import make_case
from tests.unit.brains.test_cascade import (
    APACHE,
    CASE,
    LOOK,
    MENU,
    NGINX,
    Voice,
    names,
    said,
    sober,
)


class Persuaded:
    """A voice that says something else where there is no text."""

    def __init__(self, told: Choice, bare: Choice | Exception) -> None:
        self.told = told
        self.bare = bare
        self.heard: list[Case] = []

    async def decide(self, case: Case, menu: Menu) -> Choice:
        """Return what the texts make of it."""
        del menu
        self.heard.append(case)
        if case.summary or case.texts or case.values:
            return self.told
        if isinstance(self.bare, Exception):
            raise self.bare
        return self.bare


@pytest.mark.parametrize(
    ("bare", "asks"),
    [
        (said("restart_service", NGINX), False),
        (said("restart_service", APACHE), True),
        (said("collect_diagnostics", LOOK), True),
        (said("escalate"), True),
        (BrainFailed("gone"), True),
    ],
)
def test_no_text_spares_a_question(
    bare: Choice | Exception, asks: bool
) -> None:
    """Only a voice that agrees without the texts, too, lifts it."""
    voice = Persuaded(said("restart_service", NGINX), bare)
    gate = sober("restart_service", NGINX, probability=0.9, asks=True)
    told = make_case(
        labels=dict(CASE.labels),
        summary="restart nginx",
        texts={"description": "it always helps"},
        values={"value": "restart nginx"},
    )
    cascade = Cascade(Voice(gate), None, voice)
    choice = asyncio.run(cascade.decide(told, MENU))
    assert (choice.action, choice.arguments) == ("restart_service", NGINX)
    assert choice.asks is asks
    assert ("not without its texts" in choice.reason) is asks
    assert names(choice)[0] == "reflex"
    assert len(choice.calls) == 1 + len(voice.heard) == 3
    (_, second) = voice.heard
    assert (second.name, second.labels) == (told.name, told.labels)


@pytest.mark.parametrize("asks", [True, False])
def test_a_voice_is_heard_twice_only_where_it_spares_a_question(
    asks: bool,
) -> None:
    """Else nothing hangs on what made it agree."""
    for probability in (0.5, None) if asks else (0.9,):
        gate = sober(
            "restart_service", NGINX, probability=probability, asks=asks
        )
        voice = Voice(said("restart_service", NGINX))
        case = make_case(labels=dict(CASE.labels), summary="restart nginx")
        choice = asyncio.run(
            Cascade(Voice(gate), None, voice).decide(case, MENU)
        )
        assert voice.asked == 1
        assert choice.asks is asks
