"""Targets: read out of labels, and never two that are one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.target import TARGET_RULES, Target, TargetRule, find_target

TEXTS = st.text(alphabet=st.sampled_from("ab:%=,/.[]3AC2 5D"), max_size=8)
SCOPES = ("cluster", "region", "env")
HOST = TargetRule("host", ("host", "instance"), SCOPES)
LABELS = st.dictionaries(
    st.sampled_from(["host", "instance", *SCOPES]), TEXTS, max_size=5
)


@given(st.tuples(TEXTS, TEXTS), st.tuples(TEXTS, TEXTS))
def test_the_key_is_injective(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    """Two targets have one key only when they are the same."""
    first, second = Target("host", *one), Target("host", *other)
    assert (first.key == second.key) is (first == second)


@given(LABELS, LABELS)
def test_other_labels_are_another_target(
    one: dict[str, str], other: dict[str, str]
) -> None:
    """One key means: the same name in the same place."""
    first, second = find_target(one, [HOST]), find_target(other, [HOST])
    if first is None or second is None or first.key != second.key:
        return
    for scope in SCOPES:
        assert one.get(scope, "") == other.get(scope, "")
    assert first.name == second.name


@given(LABELS)
def test_the_kind_is_part_of_the_key(labels: dict[str, str]) -> None:
    """A host and a service of one name are two."""
    service = TargetRule("service", HOST.labels, SCOPES)
    host = find_target(labels, [HOST])
    other = find_target(labels, [service])
    if host is not None and other is not None:
        assert host.key != other.key


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ({"instance": "web-01:9100", "job": "node"}, "host web-01"),
        ({"instance": "[2001:db8::1]:9100"}, "host 2001:db8::1"),
        ({"instance": "2001:db8::1"}, "host 2001:db8::1"),
        ({"instance": "http://web-01:80/x"}, "host http://web-01:80/x"),
        ({"instance": "https://web-01:443"}, "host https://web-01:443"),
        ({"pod": "api-1", "instance": "10.0.0.1:80"}, "pod api-1"),
        ({"job": "backup"}, "service backup"),
        ({"host": "  ", "service": "db"}, "service db"),
        ({"instance": ":9100"}, "host :9100"),
    ],
)
def test_the_first_rule_that_fits(labels: dict[str, str], text: str) -> None:
    """The narrowest thing that a label names is the target."""
    assert str(find_target(labels, TARGET_RULES)) == text


def test_no_rule_fits() -> None:
    """Then there is no target, and nothing can be merged by it."""
    assert find_target({"severity": "page", "team": "a"}, TARGET_RULES) is None


def test_the_scope_tells_hosts_apart() -> None:
    """The same name in another cluster is another host."""
    keys = {
        find_target({"host": "web", "cluster": c}, TARGET_RULES)
        for c in ("a", "b", "")
    }
    assert len(keys) == 3
