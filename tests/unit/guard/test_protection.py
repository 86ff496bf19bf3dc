"""What the policy protects is not touched, whatever anything else says."""

import pytest

from app.models.ruling import Outcome
from tests.unit.guard.stage import make_motion, make_policy, rule_on

PROTECTED = """
protected:
  targets: [db-*, "*.pay.example.com"]
  services: [vault.service, Postgresql*]
  processes: [java]
trust: {ladder: [], otherwise: auto}
rules: [{name: all, reason: All is fine., outcome: allow}]
"""


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        ({"host": "DB-7"}, "host:db-7"),
        ({"host": "a.pay.example.com"}, "host:a.pay.example.com"),
        ({"host": "db-7.example.com"}, "host:db-7.example.com"),
        ({"host": "web-1", "service": "vault"}, "host:web-1"),
        ({"host": "web-1", "service": "postgresql@14-main"}, "host:web-1"),
        ({"host": "web-1", "service": "sshd"}, "host:web-1"),
        ({"host": "web-1", "service": "smokejumper"}, "host:web-1"),
        ({"host": "web-1", "process": "java"}, "host:web-1"),
        ({"host": "web-1", "process": "/usr/lib/systemd"}, "host:web-1"),
        ({"host": "web-1", "process": "postgres"}, "host:web-1"),
        # Nobody declared it: it may be anything.
        ({"host": "web-1", "odd": "sshd"}, "host:web-1"),
    ],
)
def test_nothing_unlocks_what_is_protected(
    arguments: dict[str, str | int], target: str
) -> None:
    """No rule, no trust and no grant touches what is protected."""
    version = make_policy(PROTECTED).version
    motion = make_motion(arguments=arguments, target=target, approved=version)
    ruling = rule_on(motion, PROTECTED)
    assert (ruling.outcome, ruling.rule) == (Outcome.DENY, "protected")


@pytest.mark.parametrize(
    "written",
    [
        "db-7.example.com.", "DB-7.example.com:5432", "db-7.example.com",
        "2001:DB8:0:0:0::7", "[2001:db8::7]", "[2001:db8::7]:5432",
        "::ffff:10.0.0.7", "10.0.0.7:5432", "postgresql://db-7.example.com",
    ],
)  # fmt: skip
def test_a_target_is_protected_however_it_is_written(written: str) -> None:
    """An address has many spellings, and a name may end in a dot."""
    text = f"""
protected: {{targets: ["{written}"]}}
trust: {{ladder: [], otherwise: auto}}
"""
    names = ("db-7.example.com", "2001:db8:0::7", "10.0.0.7")
    motion = make_motion(target="host:db-7", names=names)
    assert rule_on(motion, text).rule == "protected"
    other = make_motion(names=("web-1", "2001:db8::8", "10.0.0.70", "2"))
    assert rule_on(other, text).outcome is Outcome.ALLOW


def test_what_is_not_protected_may_be_touched() -> None:
    """Only what the patterns name is protected."""
    assert rule_on(make_motion(), PROTECTED).outcome is Outcome.ALLOW
