"""Checks are made of the settings, named in the catalogue, and asked."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.configfile import Config, Section, load_config
from app.core.errors import ConfigError, OutgoingFailed
from app.core.registry import scan
from app.models.action import Catalogue
from app.models.action import Check as Declared
from app.models.inventory import Inventory
from app.models.verdict import Judgement, Reading, Subject
from app.ports import Check
from app.verify import checks
from app.verify.checking import Around, Verifier, check_names, make_checks
from app.verify.checks.container_is_healthy import ContainerSettings
from app.verify.checks.cpu_is_calm import CpuOptions
from app.verify.checks.disk_has_room import DiskOptions
from app.verify.checks.memory_has_room import MemoryOptions
from app.verify.checks.path_is_listed import PathSettings
from app.verify.checks.process_is_calm import ProcessOptions
from app.verify.checks.process_is_runaway import RunawayOptions
from app.verify.checks.service_is_listed import ServiceSettings
from tests.fakes import FakeClock
from tests.unit.test_house import HOME, SETTINGS
from tests.unit.verify.making import make_spec

CLOCK = FakeClock()
FIRING = Subject(host="web-7", firing=2)
ENDED = Subject(firing=0, ended_at=CLOCK.now() - 3_000_000)


class Scripted:
    """A check that says what it is told to."""

    def __init__(self, value: float | None = None, says: str = "") -> None:
        self.value = value
        self.says = says
        self.seen: list[Subject] = []
        self.failure: Exception | None = None

    async def measure(self, subject: Subject) -> Reading:
        """Return the reading, or fail as planned."""
        self.seen.append(subject)
        if self.failure is not None:
            raise self.failure
        return Reading(
            check="scripted", at=5, value=self.value, says=self.says
        )

    def judge(self, before: Reading | None, after: Reading) -> Judgement:
        """Call everything below one good, and what grew worse."""
        value = after.value or 0.0
        if value < 1:
            return Judgement.GOOD
        has_grown = before is not None and (before.value or 0.0) < value
        return Judgement.WORSE if has_grown else Judgement.BAD


class Slow(Scripted):
    """A check that hangs."""

    async def measure(self, subject: Subject) -> Reading:
        """Never answer."""
        await asyncio.Event().wait()
        return await super().measure(subject)


def config(folder: Path, tree: object) -> Config:
    """Return settings as they are read from a file."""
    file = folder / "smokejumper.yaml"
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return load_config(file, {})


def make(folder: Path, settings: object) -> dict[str, Check]:
    """Return the checks of some settings."""
    return make_checks(
        config(folder, {"checks": settings}),
        scan(checks),
        Around({"TOKEN": "s3cret"}, CLOCK, Inventory),
    )


def alone(**named: Check) -> Verifier:
    """Return who measures with these checks and the alert's state."""
    last = scan(checks)["alert-is-over"]
    env = type("Env", (), {"clock": CLOCK, "settings": lambda _, m: m()})()
    return Verifier({"alert_is_over": last(env), **named}, CLOCK, 0.2)


def test_a_fresh_install_has_every_check_that_its_actions_name(
    tmp_path: Path,
) -> None:
    """Nothing must be set up before the service starts."""
    catalogue = make_catalogue(scan(actions), [])
    assert list(check_names(catalogue, make(tmp_path, {}))) == []


def test_the_example_action_names_a_check_that_there_is(
    tmp_path: Path,
) -> None:
    """Once the Prometheus that it asks is set up."""
    folder = HOME / "config" / "actions"
    for file in folder.glob("*.example"):
        (tmp_path / file.stem).write_text(file.read_text())
    catalogue = make_catalogue(scan(actions), [tmp_path])
    known = make(tmp_path / "..", {"promql": {"url": "http://p:9090"}})
    assert list(check_names(catalogue, known)) == []
    (problem,) = check_names(catalogue, make(tmp_path / "..", {}))
    assert "no check 'promql' here" in str(problem)
    assert "Set it up in 'checks'." in problem.remedy


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"disc_has_room": {}}, "Did you mean 'disk_has_room'"),
        ({"disk_has_room": {"limit": 200}}, "checks.disk_has_room.limit"),
        ({"disk_has_room": {"limt": 20}}, "Did you mean 'limit'"),
        ({"alert_is_over": {"limit": 2}}, "is not a setting"),
        ({"promql": {"url": "p:9090"}}, "write http://HOST:PORT"),
        ({"promql": {"url": "http://p", "token": "env:NONE"}}, "NONE is not"),
        ({"promql": {"url": "http://p", "token": "a\nb"}}, "header can carry"),
        ({"zabbix_item": {"url": "http://z"}}, "needs a token"),
        ({"pod_is_ready": {"url": "https://k", "ca_file": "/none"}},
         "checks.pod_is_ready.ca_file: cannot be read"),
        ({"path_is_listed": {"paths": ["logs"]}}, "checks.path_is_listed"),
    ],
)  # fmt: skip
def test_wrong_settings_stop_the_start(
    tmp_path: Path, settings: Mapping[str, object], what: str
) -> None:
    """The setting is named, and the remedy."""
    with pytest.raises(ConfigError, match=what):
        make(tmp_path, settings)


SETTINGS_OF: dict[str, type[Section]] = {
    "cpu_is_calm": CpuOptions,
    "memory_has_room": MemoryOptions,
    "disk_has_room": DiskOptions,
    "process_is_calm": ProcessOptions,
    "process_is_runaway": RunawayOptions,
    "path_is_listed": PathSettings,
    "service_is_listed": ServiceSettings,
    "container_is_healthy": ContainerSettings,
}


def test_the_settings_file_shows_every_default() -> None:
    """What it says is what holds when it says nothing."""
    found = load_config(SETTINGS, {})
    assert set(found.names("checks")) == set(SETTINGS_OF)
    for name, model in SETTINGS_OF.items():
        assert set(found.names("checks", name)) == set(model.model_fields)
        assert found.read(model, "checks", name) == model()


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Nobody corrects settings one start at a time."""
    wrong = {"nothing": {}, "cpu_is_calm": {"limit": 0}, "promql": {"u": 1}}
    with pytest.raises(ConfigError) as caught:
        make(tmp_path, wrong)
    assert len(caught.value.problems) >= 4


@pytest.mark.parametrize(
    ("declared", "what"),
    [
        ({"name": "http_probe"}, "option 'url' is missing"),
        ({"name": "http_probe", "options": {"url": "file:///etc/passwd"}},
         "write http://"),
        ({"name": "http_probe", "options": {"url": "http://x/{host}"}},
         "as the host, and nowhere else"),
        ({"name": "http_probe", "options": {"url": "http://{host}@x/"}},
         "as the host, and nowhere else"),
        ({"name": "http_probe", "options": {"url": "http://{service}/"}},
         "write http://"),
        ({"name": "tcp_probe", "options": {"port": 0}}, "option 'port'"),
        ({"name": "disk_has_room", "options": {"limt": 5}},
         "option 'limt' is not a setting"),
        ({"name": "alert_is_over", "options": {"limit": 5}},
         "option 'limit' is not known"),
        ({"name": "memory_has_rom"}, "Did you mean 'memory_has_room'"),
    ],
)  # fmt: skip
def test_a_check_that_cannot_work_is_found_at_the_start(
    tmp_path: Path, declared: dict[str, Any], what: str
) -> None:
    """Not when an action has run and should be judged."""
    spec = make_spec(Declared.model_validate(declared))
    found = make_catalogue(scan(actions), []).specs
    problems = check_names(Catalogue((*found, spec)), make(tmp_path, {}))
    assert what in str(next(iter(problems)))


def test_what_must_hold_before_is_a_check_as_well(tmp_path: Path) -> None:
    """And needs nothing that only a declaration could say."""
    spec = make_spec(preconditions=("path_is_listd", "tcp_probe"))
    found = make_catalogue(scan(actions), []).specs
    problems = check_names(Catalogue((*found, spec)), make(tmp_path, {}))
    first, second = map(str, problems)
    assert "Did you mean 'path_is_listed'" in first
    assert "option 'port' is missing" in second


def test_a_check_gets_its_options() -> None:
    """Those of its declaration, and no others."""
    check = Scripted(0.5)
    spec = make_spec(Declared(name="scripted", options={"limit": 7}))
    found = asyncio.run(alone(scripted=check).measure(spec, FIRING))
    assert found.value == 0.5
    assert check.seen[0].options == {"limit": 7}


@pytest.mark.parametrize("how", ["nothing", "failure", "hangs", "missing"])
def test_the_alert_stands_in_for_what_cannot_be_measured(how: str) -> None:
    """The reading says which check it is of, and why not the other."""
    check = Slow() if how == "hangs" else Scripted(says="web-7 is not here")
    if how == "failure":
        check.failure = OutgoingFailed("status 500")
    named: dict[str, Check] = {} if how == "missing" else {"scripted": check}
    spec = make_spec(Declared(name="scripted"))
    found = asyncio.run(alone(**named).measure(spec, FIRING))
    assert (found.check, found.value) == ("alert_is_over", 2.0)
    why = {
        "nothing": "web-7 is not here",
        "failure": "status 500",
        "hangs": "no answer in 0.2 s",
        "missing": "there is no check scripted here",
    }
    assert found.says == (f"2 still firing (scripted cannot say: {why[how]})")


def test_what_nobody_can_say_has_no_value() -> None:
    """The reading is of the declared check, and says why."""
    spec = make_spec(Declared(name="scripted"))
    verifier = alone(scripted=Scripted(says="the lamp is off"))
    found = asyncio.run(verifier.measure(spec, Subject(host="web-7")))
    assert (found.value, found.says) == (None, "the lamp is off")
    judged = verifier.judge(spec, None, found)
    assert judged.judgement is Judgement.UNKNOWN


def test_without_a_check_the_alert_is_asked() -> None:
    """Its monitoring system says whether the problem is over."""
    verifier = alone()
    found = asyncio.run(verifier.measure(make_spec(), ENDED))
    judged = verifier.judge(make_spec(), None, found)
    assert judged.judgement is Judgement.GOOD
    assert judged.says == "the alert is over since 3 s"


def test_a_bug_in_a_check_is_not_hidden() -> None:
    """Only failures of others are readings without a value."""
    check = Scripted()
    check.failure = ZeroDivisionError("oh")
    spec = make_spec(Declared(name="scripted"))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(alone(scripted=check).measure(spec, FIRING))


def test_a_reading_is_judged_beside_one_of_its_kind() -> None:
    """What was measured otherwise before says nothing."""
    spec = make_spec(Declared(name="scripted"))
    verifier = alone(scripted=Scripted())
    after = Reading(check="scripted", at=9, value=5.0)
    before = Reading(check="scripted", at=1, value=2.0)
    other = Reading(check="alert_is_over", at=1, value=2.0, limit=0.0)
    stranger = Reading(check="stranger", at=1, value=0.0)
    assert verifier.judge(spec, before, after).judgement is Judgement.WORSE
    assert verifier.judge(spec, other, after).judgement is Judgement.BAD
    assert verifier.judge(spec, None, after).judgement is Judgement.BAD
    assert verifier.judge(spec, None, other).judgement is Judgement.BAD
    found = verifier.judge(spec, None, stranger).judgement
    assert found is Judgement.UNKNOWN


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (FIRING, Judgement.BAD),
        (ENDED, Judgement.GOOD),
        (Subject(host="web-7"), Judgement.UNKNOWN),
    ],
)
def test_what_was_good_before_does_not_say_that_it_helped(
    subject: Subject, expected: Judgement
) -> None:
    """A service that hangs runs before and after: the alert tells."""
    spec = make_spec(Declared(name="scripted"))
    verifier = alone(scripted=Scripted(0.5, "it runs"))
    before = Reading(
        check="scripted", at=1, value=0.5, judgement=Judgement.GOOD
    )
    found = asyncio.run(verifier.follow(spec, subject, before))
    assert (found.check, found.judgement) == ("alert_is_over", expected)
    assert "(scripted was good before as well: it runs)" in found.says


@pytest.mark.parametrize(
    ("value", "earlier", "expected"),
    [
        (5.0, Judgement.GOOD, Judgement.WORSE),
        (0.5, Judgement.BAD, Judgement.GOOD),
        (5.0, Judgement.UNKNOWN, Judgement.WORSE),
    ],
)
def test_what_changed_is_told_by_the_check(
    value: float, earlier: Judgement, expected: Judgement
) -> None:
    """It was bad and is good, or was good and is bad."""
    spec = make_spec(Declared(name="scripted"))
    verifier = alone(scripted=Scripted(value))
    before = Reading(check="scripted", at=1, value=1.0, judgement=earlier)
    found = asyncio.run(verifier.follow(spec, FIRING, before))
    assert (found.check, found.judgement) == ("scripted", expected)


def test_preconditions_hold_or_not_or_nobody_knows() -> None:
    """Nothing stands in for them, and they keep their order."""
    failing = Scripted()
    failing.failure = OutgoingFailed("status 500")
    verifier = alone(
        fine=Scripted(0.0, "all is well"),
        broken=Scripted(3.0, "it is on fire"),
        silent=Scripted(None, "web-7 is not here"),
        failing=failing,
        slow=Slow(),
    )
    names = ("fine", "broken", "silent", "failing", "slow", "missing")
    found = asyncio.run(verifier.preconditions(make_spec(None, names), FIRING))
    assert [(one.name, one.holds, one.says) for one in found] == [
        ("fine", True, "all is well"),
        ("broken", False, "it is on fire"),
        ("silent", None, "web-7 is not here"),
        ("failing", None, "status 500"),
        ("slow", None, "no answer in 0.2 s"),
        ("missing", None, "there is no check missing here"),
    ]
