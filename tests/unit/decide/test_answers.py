"""Reading answers: every dialect, every mistake, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import Unreadable
from app.decide.answers import read_answer
from app.decide.dialogue import TextDialogue
from app.models.action import ActionSpec, Parameter, Risk
from app.models.dialogue import Reading
from app.models.menu import Candidate, Menu, Offer

PURPOSES = {
    "purpose": "Does a thing.",
    "when_to_use": "When it is needed.",
    "when_not_to_use": "When it is not.",
}
WORDS = ("cpu", "disk", "nginx")


def from_label(shape: str) -> Parameter:
    """Return an argument that comes from a label."""
    return Parameter(purpose="it is", shape=shape, labels=("x",))


def offer(name: str, **candidates: tuple[Parameter, list[Any]]) -> Offer:
    """Return a function of a menu with its candidates."""
    spec = ActionSpec(
        name=name,
        risk=Risk.OBSERVE,
        parameters={n: parameter for n, (parameter, _) in candidates.items()},
        **PURPOSES,
    )
    found = {
        n: tuple(Candidate(value, "labels.x") for value in values)
        for n, (_, values) in candidates.items()
    }
    return Offer(spec, found)


LINES = Parameter(purpose="how many", minimum=1, maximum=500, default=100)
MENU = Menu(
    (
        offer("escalate"),
        offer("no_action"),
        offer(
            "restart_service",
            host=(from_label("host"), ["web-1"]),
            service=(from_label("service"), ["nginx", "nginx-exporter"]),
        ),
        offer("free_memory", host=(from_label("host"), ["web-1"])),
        offer(
            "look",
            host=(from_label("host"), ["web-1", "web-2.example.com"]),
            topic=(Parameter(purpose="what", values=WORDS), list(WORDS)),
            lines=(LINES, [100]),
        ),
    )
)
RIGHT = {"host": "web-1", "service": "nginx"}
PLAIN = json.dumps({"name": "restart_service", "arguments": RIGHT})
INNER = json.dumps(RIGHT)


def read(answer: str) -> Reading:
    """Return what an answer says."""
    return read_answer(answer, MENU)


@pytest.mark.parametrize(
    ("answer", "repair"),
    [
        (PLAIN, ""),
        (f"  {PLAIN}\n\n", ""),
        (f'{{"call": {PLAIN}}}', ""),
        (f"```json\n{PLAIN}\n```", "fence"),
        (f"```\n{PLAIN}", "fence"),
        (f"Sure, here it is:\n{PLAIN}\nDone.", "prose"),
        (json.dumps(PLAIN), "twice"),
        (json.dumps(json.dumps(PLAIN)), "twice"),
        (PLAIN.replace("}}", ",},}"), "trailing comma"),
        (PLAIN.replace('"', "'"), "single quotes"),
        (PLAIN.replace('"name"', "name"), "names without quotes"),
        (PLAIN.replace("}}", ', "force": None}}'), "Python"),
        (PLAIN[:-1], "cut off"),
        (PLAIN[:-2], "cut off"),
        (PLAIN.replace('", "service', '" "service'), "missing comma"),
        (f"[{PLAIN}]", ""),
        (f"<tool_call>\n{PLAIN}\n</tool_call>", "tags"),
        (f"<tool_call>{PLAIN}", "tags"),
        (f"<|python_tag|>{PLAIN}<|eom_id|>", "dialect"),
        (f"[TOOL_CALLS][{PLAIN}]", "dialect"),
        (f"<think>kill_process? No.</think>{PLAIN}", "thoughts"),
        (f"=== CASE 0123456789ab\nx\n=== END 0123456789ab\n{PLAIN}", "echo"),
        (f"{PLAIN}\n{PLAIN}", "prose"),
        (f'{{"name":"restart_service","parameters":{INNER}}}', "dialect"),
        (f'{{"function":"restart_service","arguments":{INNER}}}', "dialect"),
        (f'{{"tool":"restart_service","args":{INNER}}}', "dialect"),
        (f'{{"restart_service": {INNER}}}', "dialect"),
        (f'{{"type":"function","function":{PLAIN}}}', "dialect"),
        (f'{{"tool_calls":[{{"function":{PLAIN}}}]}}', "dialect"),
        (
            json.dumps({"name": "restart_service", "arguments": INNER}),
            "twice",
        ),
        (
            json.dumps({"name": "restart_service", **RIGHT}),
            "beside the name",
        ),
        ('restart_service(host="web-1", service="nginx")', "program"),
        ("<|python_tag|>restart_service(host='web-1', service='nginx')", ""),
        ("I'd run restart_service(host=web-1, service=nginx).", "program"),
        (PLAIN.replace("restart_service", "Restart-Service"), "respelled"),
        (PLAIN.replace("_service", "_service()"), "respelled"),
        (PLAIN.replace("restart", "functions.restart"), "respelled"),
        (PLAIN.replace("web-1", "WEB-1"), "host respelled"),
        (PLAIN.replace("web-1", "web-1:9100"), "host respelled"),
        (PLAIN.replace("web-1", "http://web-1:9100"), "host respelled"),
        (PLAIN.replace('"nginx"', '"nginx.service"'), "service respelled"),
        (PLAIN.replace('"nginx"', '["nginx"]'), "out of a list"),
        (PLAIN.replace('"host"', '"Host"'), ""),
        (PLAIN.replace('"host": "web-1", ', ""), "host filled in"),
        (PLAIN.replace("}}", ', "force": true}}'), "'force' dropped"),
        (f'{PLAIN[:-1]}, "reason": "It has fai', "cut off"),
        (f"// the call\n{PLAIN}", ""),
        (PLAIN.replace("{", "{ /* odd */ ", 1), ""),
        ("\u201crestart\u201d: " + PLAIN, "prose"),
    ],
)
def test_one_call_in_every_spelling(answer: str, repair: str) -> None:
    """The same call comes out, and what was mended is named."""
    found = read(answer)
    assert found.action == "restart_service"
    assert found.arguments == RIGHT
    assert any(repair in one for one in found.repairs) or not repair


def test_what_needs_no_repair_has_none() -> None:
    """A right answer is taken as it is."""
    answer = json.dumps(
        {
            "name": "restart_service",
            "arguments": RIGHT,
            "reason": "It\tfailed.\u202e",
        }
    )
    assert read(answer) == Reading(
        "restart_service", dict(RIGHT), "It failed.", ()
    )


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I would restart the service.",
        "42",
        "null",
        "[]",
        "{}",
        '{"name": "restart_service"}',  # of which service?
        '{"name": "reboot_host", "arguments": {"host": "web-1"}}',
        '{"name": ["restart_service"], "arguments": {}}',
        PLAIN.replace("web-1", "db-1"),
        PLAIN.replace("web-1", "web-1; reboot"),
        PLAIN.replace("web-1", "web-1.evil.example"),
        PLAIN.replace("web-1", "web-\\u0031\\u200b"),
        PLAIN.replace("web-1", "wеb-1"),  # a Cyrillic letter
        PLAIN.replace('"web-1"', '["web-1", "db-1"]'),
        PLAIN.replace('"web-1"', "true"),
        PLAIN.replace('"web-1"', '{"name": "web-1"}'),
        PLAIN.replace('"nginx"', '"postgresql"'),
        PLAIN[:-4],  # "nginx" may have been going to be "nginx-exporter"
        f"{PLAIN} {PLAIN.replace('nginx', 'nginx-exporter')}",
        f'{PLAIN} {{"name": "escalate", "arguments": {{}}}}',
        f"<think>{PLAIN}</think>",
        f"=== CASE 0123456789ab\n{PLAIN}\n=== END 0123456789ab",
        '{"name": "restart_service", "arguments": 5}',
        '{"name": "restart_service", "arguments": "nginx"}',
        PLAIN.replace("}}", ', "HOST": "web-2"}}'),
        "escalate no_action",
        "[" * 5_000,
        '{"a":' * 5_000,
        '"' * 5_000,
        "restart_service(" * 500,
    ],
)
def test_what_is_no_call_of_the_menu_is_unreadable(answer: str) -> None:
    """Another target, two calls, half a value, no call: none is guessed."""
    with pytest.raises(Unreadable):
        read(answer)


@pytest.mark.parametrize(
    "answer",
    ["escalate", "Escalate.", "`escalate`", "escalate()", '"escalate"'],
)
def test_a_name_alone_is_a_call_without_arguments(answer: str) -> None:
    """The smallest answers that models give."""
    assert read(answer).action == "escalate"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [("20", 20), ('"20"', 20), ("20.0", 20), ("null", 100), ("500", 500)],
)
def test_numbers_within_their_bounds(lines: str, expected: int) -> None:
    """A number may come as text; none is the default."""
    answer = (
        '{"name": "look", "arguments": {"host": "web-1", "topic": "CPU",'
        f' "lines": {lines}}}}}'
    )
    assert read(answer).arguments == {
        "host": "web-1",
        "topic": "cpu",
        "lines": expected,
    }


@pytest.mark.parametrize(
    "lines", ["0", "501", "true", '"many"', "2.5", "1e300", '"٢٠"', "-1"]
)
def test_numbers_beyond_their_bounds(lines: str) -> None:
    """They are no candidates, in whatever way they are written."""
    answer = (
        '{"name": "look", "arguments": {"host": "web-1", "topic": "cpu",'
        f' "lines": {lines}}}}}'
    )
    with pytest.raises(Unreadable):
        read(answer)


def test_a_native_call_is_read_the_same_way() -> None:
    """Arguments as names and values, or as JSON in a text."""
    dialogue = TextDialogue()
    for arguments in (RIGHT, INNER, {**RIGHT, "reason": "It failed."}):
        found = dialogue.read_call("restart_service", arguments, MENU)
        assert found.arguments == RIGHT
    assert found.reason == "It failed."
    with pytest.raises(Unreadable):
        dialogue.read_call("restart_service", {**RIGHT, "host": "x"}, MENU)


def test_the_error_shows_the_model_what_there_is() -> None:
    """The retry names the candidates, and carries no order of the answer."""
    answer = PLAIN.replace("web-1", "<|eot_id|>{db}`")
    with pytest.raises(Unreadable) as caught:
        read(answer)
    text = TextDialogue().complain(caught.value)
    assert "web-1" in text
    assert "<|" not in text


def on_menu(found: Reading) -> bool:
    """Tell whether a reading is on the menu."""
    known = MENU.find(found.action)
    if known is None or set(found.arguments) != set(known.candidates):
        return False
    return all(
        known.parameter(name).is_within(value)
        or value in [c.value for c in known.candidates[name]]
        for name, value in found.arguments.items()
    )


SCALARS = st.one_of(
    st.sampled_from(["web-1", "WEB-1:80", "nginx", "db-1", "cpu", "escalate"]),
    st.text(max_size=12),
    st.integers(),
    st.floats(allow_nan=False),
    st.booleans(),
    st.none(),
)
KEYS = st.one_of(
    st.sampled_from(
        [
            "name",
            "arguments",
            "function",
            "tool_calls",
            "call",
            "host",
            "service",
            "topic",
            "lines",
            "reason",
            "restart_service",
        ]
    ),
    st.text(max_size=6),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)
WORDS_OF_MODELS = [
    "```",
    "<tool_call>",
    "</tool_call>",
    "<|python_tag|>",
    "<think>",
    "null",
    "web-1",
    "escalate",
    "restart_service",
]
SCRAPS = st.lists(
    st.one_of(
        st.sampled_from((PLAIN, "\n", *"{}[]():,\"'\\", *WORDS_OF_MODELS)),
        st.text(max_size=5),
    ),
    max_size=25,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(answer=st.one_of(SCRAPS, TREES.map(json.dumps), st.text()))
def test_nothing_off_the_menu_ever_comes_out(answer: str) -> None:
    """Whatever text comes: on the menu, or Unreadable, and nothing else."""
    try:
        found = read(answer)
    except Unreadable:
        return
    assert on_menu(found)


@settings(max_examples=200, deadline=None)
@given(name=st.one_of(KEYS, st.text()), arguments=TREES)
def test_no_native_call_off_the_menu_comes_out(
    name: str, arguments: Any
) -> None:
    """The same for calls that a server took apart."""
    try:
        found = TextDialogue().read_call(name, arguments, MENU)
    except Unreadable:
        return
    assert on_menu(found)


@settings(max_examples=150, deadline=None)
@given(end=st.integers(0, len(PLAIN)))
def test_a_cut_answer_is_the_same_call_or_none(end: int) -> None:
    """Wherever it is cut off, no other call comes of it."""
    try:
        found = read(PLAIN[:end])
    except Unreadable:
        return
    assert (found.action, found.arguments) == ("restart_service", RIGHT)
