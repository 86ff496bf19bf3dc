"""Hands: backends out of settings, and what may not come from them."""

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.act import actions
from app.act.catalogue import make_catalogue
from app.act.hands import (
    OUTPUT_CHARS,
    REASON_CHARS,
    apply_runs,
    find_secrets,
    tame,
    without_hands,
)
from app.act.masking import Secrets
from app.act.settings import ActSettings
from app.core.errors import ConfigError, NotAccepted, NotHere, OutgoingFailed
from app.core.registry import scan
from app.models.action import Catalogue, Run
from app.models.job import JobState, Order, Progress
from app.ports import Backend, Hearing
from tests.unit.act.backends.making import config_of, make, order

OWN = "own-hunter2-secret"
SCRIPTED: Mapping[str, Any] = {"scripted": {"jobs": {"restart": {}}}}


class Talker:
    """A backend that says what a test wants."""

    def __init__(self, *said: Progress | Exception) -> None:
        self._said = list(said)

    def knows(self, job: str) -> bool:
        """Know everything."""
        return bool(job)

    def reaches(self, host: str, *, is_here: bool) -> bool:
        """Tell that it reaches every host."""
        del host, is_here
        return True

    async def start(self, order: Order) -> Progress:
        """Say the next thing."""
        del order
        said = self._said.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    watch = abort = find = start


def talk(*said: Progress | Exception) -> Backend:
    """Return a tamed backend that says these things."""
    return tame(Talker(*said), Secrets([OWN]))


def test_what_a_backend_says_is_data() -> None:
    """Reasons are short, on one line, masked; outputs fit a database."""
    said = Progress(
        state=JobState.FAILED,
        reason=f"bad\n\x1b[31m{OWN} " + "x" * 9_000,
        output=f"{OWN}\x00" + "y\n" * OUTPUT_CHARS,
    )
    found = asyncio.run(talk(said).start(order("job")))
    assert found.state is JobState.FAILED
    assert len(found.reason) <= REASON_CHARS
    assert found.reason.isprintable()
    assert OWN not in found.reason + found.output
    assert "\x00" not in found.output
    assert len(found.output) < OUTPUT_CHARS + 100


def test_a_secret_over_two_answers_is_masked() -> None:
    """What one answer begins and the next ends is never shown."""
    said = [
        Progress(output=f"one\nkey {OWN[:5]}"),
        Progress(output=f"{OWN[5:]} used\n"),
        Progress(state=JobState.SUCCEEDED, output="end"),
    ]
    backend = talk(*said)

    async def follow() -> str:
        """Return all output."""
        found = [await backend.start(order("job"))]
        found += [await backend.watch(order("job")) for _ in said[1:]]
        return "".join(one.output for one in found)

    assert asyncio.run(follow()) == "one\nkey (SECRET) used\nend"


def test_a_failure_keeps_its_kind_and_loses_secrets() -> None:
    """What is known stays known; what was said is masked."""
    refusal = NotAccepted(f"no: {OWN}", may_retry=True)
    with pytest.raises(NotAccepted) as first:
        asyncio.run(talk(refusal).start(order("job")))
    assert first.value.may_retry
    assert OWN not in str(first.value)
    with pytest.raises(OutgoingFailed) as second:
        asyncio.run(talk(OutgoingFailed(OWN)).find(order("job")))
    assert not isinstance(second.value, NotAccepted)
    assert OWN not in str(second.value)
    with pytest.raises(NotHere) as third:
        asyncio.run(talk(NotHere(OWN)).watch(order("job")))
    assert OWN not in str(third.value)


def test_a_place_that_is_too_long_is_none() -> None:
    """It could not be stored, so nobody may take it for known."""
    with pytest.raises(OutgoingFailed, match="too long"):
        asyncio.run(talk(Progress(reference="x" * 5_000)).start(order("job")))


def test_nobody_hears_who_cannot() -> None:
    """A tamed backend hears exactly when the backend does."""
    assert not isinstance(talk(), Hearing)


def test_out_of_the_box_one_can_only_look(tmp_path: Path) -> None:
    """On this machine alone; and not even that, when it is switched off."""
    (name, backend), *others = make(tmp_path, {}).items()
    assert (name, others) == ("local", [])
    assert backend.knows("collect-diagnostics")
    assert not backend.knows("kill-process")
    me = socket.gethostname()
    assert backend.reaches(me, is_here=True)
    assert not backend.reaches(me, is_here=False)
    assert not backend.reaches("no-name-of-ours", is_here=True)
    assert make(tmp_path, {"local": {"enabled": False}}) == {}


def test_unknown_backends_are_told(tmp_path: Path) -> None:
    """A name that nobody knows stops the start, with the closest name."""
    with pytest.raises(ConfigError, match="Did you mean 'webhook'"):
        make(tmp_path, {"webhok": {"endpoints": {}}})


def test_secrets_that_settings_refer_to_are_known(tmp_path: Path) -> None:
    """All of them, whatever they are for; one that is not there is none."""
    file = tmp_path / "secret"
    file.write_text("from-a-file\n", encoding="utf-8")
    tree = {
        "api": {"tokens": ["env:TOKEN", "env:NOT_SET"]},
        "sources": {"x": {"auth": {"secrets": [f"file:{file}"]}}},
        "log": {"level": "info"},
    }
    config = config_of(tmp_path, tree)
    found = find_secrets(config, {"TOKEN": "from-env"})
    assert sorted(found) == ["from-a-file", "from-env"]


def whole_catalogue() -> Catalogue:
    """Return the actions that come with the product."""
    return make_catalogue(scan(actions), [])


def apply(folder: Path, runs: Mapping[str, Any]) -> Catalogue:
    """Return the catalogue with these runs, and one scripted backend."""
    backends = make(folder, SCRIPTED)
    config = config_of(folder, {"act": {"run": runs}})
    settings = config.read(ActSettings, "act")
    return apply_runs(whole_catalogue(), settings.run, backends, config)


def test_an_action_runs_where_the_site_wants(tmp_path: Path) -> None:
    """Only where it runs is another one; the other actions stay."""
    run = {"backend": "scripted", "job": "restart", "timeout_seconds": 9}
    before, after = (
        whole_catalogue(),
        apply(tmp_path, {"restart_service": run}),
    )
    assert after.get("restart_service").run == Run.model_validate(run)
    same = before.get("restart_service").model_copy(
        update={"run": Run.model_validate(run)}
    )
    assert after.get("restart_service") == same
    assert after.get("kill_process") == before.get("kill_process")
    hands = make(tmp_path, SCRIPTED)
    helpless = {spec.name for spec in without_hands(after, hands)}
    assert "restart_service" not in helpless
    assert "kill_process" in helpless


def test_an_action_runs_in_several_ways(tmp_path: Path) -> None:
    """They are tried in the order in which they are written."""
    ways = [
        {"backend": "scripted", "job": "restart"},
        {"backend": "local", "job": "collect-diagnostics"},
    ]
    spec = apply(tmp_path, {"collect_diagnostics": ways}).get(
        "collect_diagnostics"
    )
    assert spec.ways == tuple(map(Run.model_validate, ways))
    assert spec.find_way("local", "collect-diagnostics") == spec.ways[1]
    assert spec.find_way("local", "restart") is None


@pytest.mark.parametrize(
    ("written", "settings"),
    [
        (
            {"backend": "scripted", "jobb": "restart"},
            {
                "act.run.restart_service.0.job",
                "act.run.restart_service.0.jobb",
            },
        ),
        ([], {"act.run.restart_service"}),
        (
            [
                {"backend": "scripted", "job": "restart"},
                {"backend": "locall", "job": "x"},
            ],
            {"act.run.restart_service.1.backend"},
        ),
    ],
)
def test_a_wrong_way_is_named(
    tmp_path: Path, written: Any, settings: set[str]
) -> None:
    """Each slip once, with its place; one way alone is one of a list."""
    with pytest.raises(ConfigError) as problem:
        apply(tmp_path, {"restart_service": written})
    assert {one.setting for one in problem.value.problems} == settings
    assert all(one.remedy for one in problem.value.problems)


@pytest.mark.parametrize(
    ("runs", "where"),
    [
        ({"restart_servise": ("scripted", "restart")}, "restart_servise"),
        ({"escalate": ("scripted", "restart")}, "escalate"),
        ({"restart_service": ("webhook", "restart")}, "service.backend"),
        ({"restart_service": ("scripted", "reboot")}, "service.job"),
    ],
)
def test_what_is_not_there_is_told(
    tmp_path: Path, runs: Mapping[str, tuple[str, str]], where: str
) -> None:
    """An action, a backend or a job that nobody knows stops the start."""
    written = {
        name: {"backend": backend, "job": job}
        for name, (backend, job) in runs.items()
    }
    with pytest.raises(ConfigError) as problem:
        apply(tmp_path, written)
    (only,) = problem.value.problems
    assert only.setting.endswith(where)


@pytest.mark.parametrize("most", [200, 400, 500, 2_000, 8_000])
def test_a_reason_is_cut_after_it_is_masked(most: int) -> None:
    """Nobody knows the half of a secret."""
    for shift in range(len(OWN)):
        pad = " " * (most - 6 - shift)
        why = f"bad:{pad}{OWN}"
        talker = talk(Progress(state=JobState.FAILED, reason=why))
        found = asyncio.run(talker.start(order("job")))
        assert OWN[:4] not in found.reason
