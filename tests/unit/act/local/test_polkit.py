"""The rule for polkit that we document lets through what it says, no more.

It is run as polkit runs it: its function is asked about an action, and
whatever is no YES is left to polkit, which refuses.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import playwright
import pytest

HOME = Path(__file__).parents[4]
RULE = re.compile(r"^    (polkit\.addRule\(.*?^    \}\);)$", re.M | re.S)
UNITS = "org.freedesktop.systemd1.manage-units"
RIGHT = {
    "id": UNITS,
    "verb": "restart",
    "unit": "shop.service",
    "user": "smokejumper-hands",
}
STAND = """
let rule;
const polkit = {addRule: (one) => { rule = one; }, Result: {YES: "yes"}};
%s
const asked = JSON.parse(process.argv[1]);
const action = {id: asked.id, lookup: (name) => asked[name]};
console.log(rule(action, {user: asked.user}) === "yes" ? "yes" : "left");
"""


def ask(**change: Any) -> str:
    """Return what the rule says of what is right, but for a change."""
    page = (HOME / "docs" / "restarting.md").read_text()
    found = RULE.search(page)
    assert found is not None, "docs/restarting.md shows no rule"
    # Playwright, which the tests of pages need, brings one along.
    own = Path(playwright.__file__).parent / "driver" / "node"
    node = shutil.which("node") or str(own)
    told = json.dumps({**RIGHT, **change})
    words = [node, "-e", STAND % found[1], told]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def test_a_listed_unit_may_be_restarted() -> None:
    """By the user of the hands."""
    assert ask() == "yes"
    assert ask(unit="php8.2-fpm.service") == "yes"


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "ssh.service"},
        {"unit": "shop.service --now"},
        {"unit": "shop"},
        {"unit": "shop.service.d"},
        {"unit": "SHOP.service"},
        {"unit": ""},
        {"unit": None},
        {"verb": "start"},
        {"verb": "stop"},
        {"verb": "enable"},
        {"verb": "set-property"},
        {"verb": None},
        {"user": "smokejumper"},
        {"user": "nobody"},
        {"id": "org.freedesktop.systemd1.manage-unit-files"},
        {"id": "org.freedesktop.systemd1.reload-daemon"},
    ],
)
def test_all_else_is_left_to_polkit(change: dict[str, Any]) -> None:
    """Another unit, another verb, another user, another action."""
    assert ask(**change) == "left"
