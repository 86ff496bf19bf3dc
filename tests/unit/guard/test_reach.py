"""What can never matter in a policy is named, and nothing else."""

import json

import pytest

from app.core.errors import ConfigError
from app.guard.known import Known
from app.guard.policy import parse_policy
from app.models.action import Risk

KNOWN = Known(
    risks={
        "restart_service": Risk.DISRUPTIVE,
        "free_memory": Risk.REVERSIBLE,
        "read_log": Risk.OBSERVE,
    },
    sources=("zabbix", "alertmanager"),
)
LEVELS = ["critical", "error", "warning", "info", "unknown"]
RISKS = [one.value for one in Risk]


def found_in(*rules: dict[str, object], known: Known = KNOWN) -> list[str]:
    """Return what is found in rules; each is named by its letter."""
    written = [
        {
            "name": f"rule-{letter}",
            "reason": "For its test.",
            "outcome": "deny",
            **rule,
        }
        for letter, rule in zip("abcdefgh", rules, strict=False)
    ]
    lines = ["calendars: {freeze: [2026-12-24..2026-12-26]}", "rules:"]
    lines += [f"  - {json.dumps(one)}" for one in written]
    policy = parse_policy("\n".join(lines))
    return [str(one) for one in policy.warnings(known)]


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ("now.weekday == 'monday'", "Did you mean 'mon'?"),
        ("now.weekday in ['sat', 'sunday']", "Did you mean 'sun'?"),
        ("now.weekday != 'Wednesday'", "Did you mean 'wed'?"),
        ("alert.severity == 'critcal'", "Did you mean 'critical'?"),
        ("targets > 3 || alert.severity == 'Error'", "mean 'error'?"),
        ("!('critcal' == alert.severity)", "Did you mean 'critical'?"),
        ("action.risk == 'reversable'", "Did you mean 'reversible'?"),
        ("alert['severity'] == 'high'", "Known: critical, error, info"),
        ("action.name == 'restart_servis'", "mean 'restart_service'?"),
        ("alert.source in ['zabbix', 'zabix']", "Did you mean 'zabbix'?"),
        ("now.date == '2026-1-5'", "Write it as '2026-11-21'"),
        ("now.date == '2027-02-29'", "'2027-02-29' is no day"),
        ("target.name == 'web-1'", "Write it as 'host:web-1'"),
        ("target.name in ['host:web-1', 'web-2']", "is never 'web-2'"),
        ("target.name != 'host:Web-1'", "in small letters"),
        ("target.name == 'host::web-1'", "is never 'host::web-1'"),
        ("decision.proposer == 'ana'", "Write it as 'brain:cascade'"),
        ("decision.proposer != 'brain'", "is never 'brain'"),
        ("now.hour > 25", "never true: now.hour is 0 to 23"),
        ("now.hour < 24", "always true: now.hour is 0 to 23"),
        ("23.5 < now.hour", "never true"),
        ("now.minute >= 60", "never true: now.minute is 0 to 59"),
        ("decision.confidence > 1", "never true: decision.confidence is 0"),
        ("decision.confidence == 95", "never true"),
        ("targets < 0", "never true: targets is at least 0"),
        ("incident.is_flapping", "what flaps was handed over before"),
        ("!incident.is_flapping", "is always true: what flaps"),
        ("incident.state == 'acting'", "what is not open was denied before"),
        ("incident.firing == 0", "what does not fire was denied before"),
    ],
)
def test_a_part_that_never_decides_is_named(when: str, what: str) -> None:
    """A rule for a weekday that there is not would never protect."""
    (problem,) = found_in({"when": when})
    assert problem.startswith("policy.yaml:3: rules.0.when: rule 'rule-a': `")
    assert what in problem


@pytest.mark.parametrize(
    "when",
    [
        "alert.severity=='critical' && alert.severity=='warning'",
        "now.hour > 20 && (targets > 2 && now.hour < 6)",
        "now.date >= '2026-12-24' && now.date < '2026-12-20'",
        "decision.asks && !decision.asks",
        "decision.confidence > 0.5 && decision.confidence <= 0.5",
        "targets > 3 && targets < 4",
        "target.team == 'shop' && target.team in ['mail', 'web']",
        "has(alert.labels.a) && alert.labels.a=='x' && alert.labels.a=='y'",
        "now.in_calendar.freeze && !now.in_calendar['freeze']",
    ],
)
def test_parts_that_contradict_each_other_are_named(when: str) -> None:
    """Each may hold, but never with the other one."""
    (problem,) = found_in({"when": when})
    assert "'rule-a' can never matter" in problem
    assert "are never true together. Correct it" in problem


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ({"severities": ["error"], "when": "alert.severity == 'info'"}, ""),
        ({"when": "action.risk == 'observe'", "actions": ["free_memory"]}, ""),
        ({"when": "(targets > 3 || false) && targets < 2"}, "condition is"),
        ({"when": "!(targets < 3) && targets == 2"}, "condition is never"),
    ],
)
def test_a_list_and_a_condition_may_contradict(
    rule: dict[str, object], what: str
) -> None:
    """What a rule lists, and what it asks for, are one question."""
    (problem,) = found_in(rule)
    assert "'rule-a' can never matter" in problem
    assert what in problem


def test_places_are_compared_as_the_rules_do() -> None:
    """Capital letters and small ones are the same place."""
    when = "target.environment == 'prod'"
    assert found_in({"environments": ["Prod"], "when": when}) == []
    (problem,) = found_in({"teams": ["Shop"]}, {"teams": ["shop"]})
    assert "'rule-b' can never matter" in problem


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("decision.confidence < 0.9", "decision.confidence < 0.5"),
        ("targets > 3", "targets > 4"),
        ("targets > 3", "5 <= targets"),
        ("targets > 3 || now.hour < 6", "now.hour < 3 && targets < 2"),
        ("alert.severity != 'info'", "alert.severity == 'error'"),
        ("now.date < '2027-01-01'", "now.date == '2026-12-24'"),
        ("has(alert.labels.zone)", "alert.labels.zone == 'a'"),
        ("!(decision.asks)", "decision.asks == false && targets > 1"),
        ("alert.name.contains('x')", "targets>1 && alert.name.contains('x')"),
        ("action.risk != 'observe'", "action.name == 'free_memory'"),
    ],
)
def test_what_an_earlier_condition_takes_is_named(
    wide: str, narrow: str
) -> None:
    """Not the spelling counts, but what the two of them mean."""
    allow: dict[str, object] = {"outcome": "allow", "when": narrow}
    (problem,) = found_in({"when": wide}, allow)
    assert "rule 'rule-b' can never matter: 'rule-a' before it" in problem
    assert "always matches first. Put it before" in problem
    assert found_in({"when": narrow}, {"when": wide}) == []


def test_what_goes_on_at_a_target_may_be_anything() -> None:
    """A rule about maintenance may match; one that contradicts itself not."""
    texts = ("maintenance != ''", "maintenance == ''", "size(maintenance) > 0")
    for when in texts:
        assert found_in({"when": when}) == []
    (problem,) = found_in({"when": "maintenance == '' && maintenance == 'a'"})
    assert "'rule-a' can never matter" in problem
    (problem,) = found_in(
        {"when": "maintenance != ''"},
        {"when": "maintenance == ''"},
        {"when": "targets > 1"},
    )
    assert "'rule-a' and 'rule-b' before it leave nothing to it" in problem


def test_what_several_rules_take_together_is_named() -> None:
    """Each rule leaves something, and all of them leave nothing."""
    (problem,) = found_in(
        {"severities": LEVELS[:2]},
        {"when": "targets > 7 && alert.name.startsWith('x')"},
        {"risks": RISKS[:1], "teams": ["shop"]},
        {"when": "alert.severity in ['warning', 'info']"},
        {"severities": LEVELS[4:]},
        {"teams": ["shop"], "when": "now.hour < 6"},
    )
    assert "rule 'rule-f' can never matter: 'rule-a', 'rule-d' and" in problem
    assert "'rule-e' before it leave nothing to it" in problem
    (problem,) = found_in(
        {"risks": RISKS[:2]}, {"risks": RISKS[2:]}, {"when": "targets > 1"}
    )
    assert "'rule-a' and 'rule-b' before it leave nothing to it" in problem


def test_names_are_held_against_what_there_is() -> None:
    """Without a catalogue, and without settings, nothing is known of them."""
    rule: dict[str, object] = {"sources": ["zabix"], "actions": ["read_logs"]}
    action, source = found_in(rule)
    assert "rules.0.actions.0: rule 'rule-a': there is no action" in action
    assert "Did you mean 'read_log'?" in action
    assert "rules.0.sources.0: rule 'rule-a': there is no source" in source
    assert "Did you mean 'zabbix'?" in source
    assert found_in(rule, known=Known()) == []


def test_an_action_of_another_risk_is_named() -> None:
    """A rule, a budget or a line for it would never be used."""
    (problem,) = found_in(
        {"actions": ["read_log", "restart_service"], "risks": ["observe"]}
    )
    assert "rules.0.actions.1: rule 'rule-a': 'restart_service'" in problem
    assert "it is disruptive, not observe" in problem
    policy = parse_policy(
        "budgets: [{name: looks, per: [action], actions: [read_log],"
        " runs: 1, window: 1h}]\n"
        "trust: {ladder: [{action: free_memory, risk: observe, mode: auto}]}"
    )
    budget, line = map(str, policy.warnings(KNOWN))
    assert "budget 'looks': 'read_log' never counts" in budget
    assert "line 1 of the ladder: 'free_memory' never counts" in line


def test_lines_that_fit_everything_together_are_named() -> None:
    """Four risks are all that there are."""
    lines = ", ".join(f"{{risk: {one}, mode: auto}}" for one in RISKS)
    text = f"trust: {{ladder: [{lines}, {{mode: suggest}}]}}"
    (problem,) = map(str, parse_policy(text).warnings(KNOWN))
    assert "line 5 of the ladder can never matter: line 1, line 2" in problem


@pytest.mark.parametrize(
    "when",
    [
        "target.name == 'host:web-1' || target.name == ''",
        "target.name in ['host:2001:db8::1', 'restart_pod:Pod=A-1']",
        "target.name.startsWith('web')",
        "target.name < 'host'",
        "decision.proposer in ['undo', 'person:Ana', 'code:evidence']",
        "decision.proposer != 'brain:cascade'",
    ],
)
def test_names_that_may_be_are_left_alone(when: str) -> None:
    """A target without a host has all its arguments in its name."""
    assert found_in({"when": when}) == []


def test_a_rule_that_nobody_could_grant_is_named() -> None:
    """Two spellings of one person are one."""
    asks = {"outcome": "ask", "whom": ["ana", "Ana "], "people": 2}
    (problem,) = found_in({**asks, "when": "targets > 1"})
    assert "asks 2 people and names 1: nobody could ever grant it" in problem
    assert found_in({**asks, "whom": ["ana", "bo"]}) == []
    assert found_in({**asks, "people": 1}) == []
    with pytest.raises(ConfigError, match="more people than it names"):
        parse_policy("ask: {whom: [ana, ANA], people: 2}")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"actions": list(KNOWN.risks)}, {"risks": RISKS[:1]}),
        ({"severities": LEVELS[:4]}, {}),
        ({"when": "now.hour < 6"}, {"when": "now.hour <= 6"}),
        ({"when": "decision.confidence >= 0.0"}, {}),
        ({"when": "targets <= 3 || targets >= 5"}, {"when": "targets > 1"}),
        (
            {
                "when": "decision.confidence <= 0.5"
                " || decision.confidence >= 0.7"
            },
            {},
        ),
        ({"when": "targets * 2 > 3"}, {"when": "targets * 2 > 4"}),
        ({"when": "alert.labels.a == 'x'"}, {"when": "has(alert.labels.a)"}),
        ({"when": "alert.labels.a == 'x' && alert.labels.a == 'y'"}, {}),
        (
            {"when": "alert.labels.a == 'x'", "outcome": "allow"},
            {"when": "alert.labels.a == 'x' && targets > 1"},
        ),
        (
            {"when": "alert.labels.a == 'x' || alert.labels.a != 'x'"},
            {"when": "targets > 1"},
        ),
        ({"when": "(targets > 1 ? targets : 1) > 2"}, {"when": "targets > 2"}),
        (
            {"when": "alert.name == 'a' && alert.problem != 'a'"},
            {"when": "alert.name == alert.problem"},
        ),
        (
            {"when": "alert.name == '''a' || true || 'b'''"},
            {"when": "alert.name == 'b'"},
        ),
        ({"when": "now.date < '2026'"}, {"when": "now.date < '2025-01-01'"}),
    ],
)
def test_what_is_not_certain_is_left_alone(
    first: dict[str, object], second: dict[str, object]
) -> None:
    """A label may be missing; actions may be added; a text may deceive."""
    assert found_in(first, second) == []


def test_a_tangle_is_given_up() -> None:
    """What could not be tried out in a day is not; what is alike, is."""
    rules = [
        " || ".join(
            f"alert.name.contains('{(row * 7 + one) % 50}')"
            for one in range(12)
        )
        for row in range(80)
    ]
    lines = [
        f"  - {{name: r{row}, reason: For it., outcome: deny, when: {when!r}}}"
        for row, when in enumerate(rules)
    ]
    policy = parse_policy("\n".join(["rules:", *lines]).replace("\\'", "''"))
    assert len(policy.warnings(KNOWN)) == 30


@pytest.mark.parametrize("depth", [10, 30, 80])
def test_depth_is_no_trouble(depth: int) -> None:
    """Parentheses within each other are read as far as anybody writes."""
    when = "!(" * depth + "targets > 3" + ")" * depth
    rules = found_in({"when": when}, {"when": when})
    assert len(rules) == 1
