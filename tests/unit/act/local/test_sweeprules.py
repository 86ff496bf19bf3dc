"""The rules of a sweep: what may be written, and what it means."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.act.local.sweep.sweeprules import USUAL, Rule, SweepSettings, fits


@pytest.mark.parametrize(
    ("path", "glob", "expected"),
    [
        ("a.gz", "*.gz", True),
        ("sub/a.gz", "*.gz", False),
        ("a.gz", "**/*.gz", True),
        ("sub/deep/a.gz", "**/*.gz", True),
        ("sub/a.gz.keep", "**/*.gz", False),
        ("a.1", "*.[1-9]", True),
        ("a.10", "*.[1-9]", False),
        (".a.gz", "*.gz", False),
        (".a.gz", ".*.gz", True),
        (".git/a.gz", "**/*.gz", False),
        (".cache/a.gz", ".cache/*.gz", True),
        ("sub/a", "**", True),
        ("sub/.b/a", "**", False),
        ("x/cache/y/z", "**/cache/**", True),
        ("x/cache", "**/cache/**", False),
        ("a/b/c", "a/?/c", True),
        ("A.GZ", "*.gz", False),
    ],
)
def test_patterns(path: str, glob: str, expected: bool) -> None:
    """A star stays within a name, two go down, hidden ones must be meant."""
    assert fits(path.split("/"), glob.split("/")) is expected


@given(st.lists(st.sampled_from(["a", "b", ".c", "x.gz"]), max_size=8))
def test_two_stars_are_any_folders(names: Sequence[str]) -> None:
    """They fit at every depth, but through no hidden folder."""
    is_hidden = any(name.startswith(".") for name in names)
    assert fits([*names, "f.gz"], ["**", "f.gz"]) is not is_hidden
    assert fits([*names, "f.gz"], ["**", "**", "f.gz"]) is not is_hidden


@pytest.mark.parametrize(
    "wrong",
    [
        {"root": "/"},
        {"root": "/etc/nginx"},
        {"root": "/usr"},
        {"root": "/var/lib"},
        {"root": "//etc"},
        {"root": "/home/"},
        {"root": "/dev/shm"},
        {"root": "/proc/1"},
        {"root": "/tmp/../etc"},
        {"root": "tmp"},
        {"globs": []},
        {"globs": ["../*"]},
        {"globs": ["/etc/*"]},
        {"globs": ["a//b"]},
        {"globs": ["a**"]},
        {"globs": ["**/**/**/**/x"]},
        {"min_age_hours": 0.9},
        {"max_files": 0},
        {"max_bytes": 0},
        {"owners": [-1]},
        {"owners": ["Root; rm"]},
        {"keep": -1},
        {"truncate": True},
    ],
)
def test_a_wrong_rule_is_refused(wrong: dict[str, Any]) -> None:
    """Before anything is started, and not when a disk is full."""
    with pytest.raises(ValidationError):
        Rule.model_validate({"root": "/tmp", "globs": ["*"], **wrong})


def test_the_usual_rules_are_careful() -> None:
    """They are what the documents say, a day old at least."""
    assert {rule.root for rule in USUAL} == {
        "/tmp",
        "/var/tmp",
        "/var/log",
        "/var/cache/apt/archives",
    }
    for rule in SweepSettings().rules:
        assert rule.min_age_hours >= 24
        if rule.globs == ("**",):
            assert rule.owners == ("self",)
