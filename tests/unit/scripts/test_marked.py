"""Items are put into lists of YAML files; all else stays byte for byte."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scripts.marked import BEGIN, Items, put_in, take_out
from scripts.setting_up import Status, Stopped

NAME = "a.yml"
PATH = ("route", "routes")
OURS = {"receiver": "ours", "matchers": ['a="b"']}
LAST = Items(PATH, [OURS])
FIRST = Items(PATH, [OURS], first=True)
SHAPES = {
    "a list": "route:\n  routes:\n  - {receiver: a}\nz: 1\n",
    "a list further in": "route:\n  routes:\n    - receiver: a\nz: 1\n",
    "comments": "# a\nroute: # b\n  # c\n  routes: # d\n    # e\n"
    "    - receiver: a # f\n    # g\n# h\nz: 1 # i\n",
    "no newline at the end": "route:\n  routes:\n  - receiver: a",
    "an empty value at the end": "route:\n  routes:\n  - receiver:",
    "no list": "route:\n  receiver: a\n\n# next\nz: 1\n",
    "an empty list": "route:\n  routes:\n  # - receiver: a\nz: 1\n",
    "no map": "z: 1\n",
    "no map and no newline": "z: 1",
    "a map with nothing in it": "route:\nz: 1\n",
    "a text over lines": "route:\n  routes:\n  - receiver: |\n      a\n\n"
    "      b\n\n\nz: 1\n",
    "a text to the end": "route:\n  routes:\n  - receiver: >\n      a\n",
    "quotes over lines": 'route:\n  routes:\n  - receiver: "a\n\n      b"\n',
    "lists in lists": "route:\n  routes:\n  - routes:\n    - routes:\n"
    "      - receiver: a\nz: 1\n",
    "begun and ended": "%YAML 1.1\n---\nroute:\n  routes:\n  - x: 1\n...\n",
    "windows": "route:\r\n  routes:\r\n  - receiver: a\r\nz: 1\r\n",
    "anchors": "x: &x {receiver: a}\nroute:\n  routes:\n  - *x\n  - <<: *x\n",
}


@pytest.mark.parametrize("addition", [FIRST, LAST], ids=["first", "last"])
@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES.keys())
def test_what_is_put_in_is_there_and_comes_out(
    text: str, addition: Items
) -> None:
    """The list has one more item; taken out, the file is as it was."""
    done = put_in(text, [addition], NAME)
    before = yaml.safe_load(text)
    there = ((before.get("route") or {}).get("routes")) or []
    found = yaml.safe_load(done)
    expected = [OURS, *there] if addition.first else [*there, OURS]
    assert found["route"].pop("routes") == expected
    (before.get("route") or {}).pop("routes", None)
    assert found == {**before, "route": before.get("route") or {}}
    assert take_out(done, NAME) == text
    assert all(line in done.splitlines() for line in text.splitlines())


def test_several_lists_at_once() -> None:
    """All of them are there, and all come out, even without a newline."""
    text = "z: 1"
    additions = [Items(("a", "b"), ["x"]), Items(("c",), ["y"]), FIRST, LAST]
    done = put_in(text, additions, NAME)
    assert yaml.safe_load(done) == {
        "z": 1,
        "a": {"b": ["x"]},
        "c": ["y"],
        "route": {"routes": [OURS, OURS]},
    }
    assert take_out(done, NAME) == text


LEAVES = st.one_of(
    st.integers(), st.booleans(), st.none(), st.text("ab :#-'\n", max_size=8)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from("abcd"), inner, min_size=1),
    ),
    max_leaves=8,
)


@given(
    st.lists(TREES, max_size=3),
    st.dictionaries(st.sampled_from("xyz"), TREES, min_size=1),
    st.booleans(),
)
def test_no_file_is_left_with_something_else_in_it(
    routes: list[object], others: dict[str, object], first: bool
) -> None:
    """Whatever the file says, it is done exactly or refused."""
    there = {"routes": routes} if routes else {}
    tree = {"route": {"w": 1, **there}, **others}
    text = yaml.safe_dump(tree, sort_keys=False)
    done = put_in(text, [Items(PATH, [OURS], first=first)], NAME)
    now = [OURS, *routes] if first else [*routes, OURS]
    assert yaml.safe_load(done) == {**tree, "route": {"routes": now, "w": 1}}
    assert take_out(done, NAME) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("route: {receiver: a}\n", "line 1"),
        ("route:\n  routes: []\n", "line 2"),
        ("route:\n  routes: [{receiver: a}]\n", "line 2"),
        ("route:\n  routes: a\n", "line 2"),
        ("route: [\n", "no YAML"),
        ("- a\n", "no settings"),
        ("a: 1\n---\nb: 1\n", "no YAML"),
        ("x: &x\n  routes:\n  - a\nroute: *x\n", "leaves alone"),
    ],
)
def test_what_cannot_be_done_is_refused(text: str, says: str) -> None:
    """It is told what is in the way, and nothing comes back."""
    with pytest.raises(Stopped, match=says) as stop:
        put_in(text, [LAST], NAME)
    assert stop.value.status is Status.WRONG_USE


def test_broken_marks_are_refused() -> None:
    """Where our end is gone nobody guesses how much was ours."""
    with pytest.raises(Stopped, match="no '# <<< smokejumper'"):
        take_out(f"a: 1\n{BEGIN}\nb: 1\n", NAME)
