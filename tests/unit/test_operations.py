"""docs/operations.md names what there is: alarms, refusals, lines of logs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

HOME = Path(__file__).parents[2]
PAGE = (HOME / "docs" / "operations.md").read_text(encoding="utf-8")
RULES = HOME / "config/monitoring/prometheus/smokejumper.rules.yml"
LEVELS = {"debug", "info", "warning", "error", "exception"}
EVENT = re.compile(r"^[a-z]+\.[a-z_]+$")
QUOTED = re.compile(r"`([a-z]+\.[a-z_]+)`")
# Quoted, and no line of the log: settings, and files.
NOT_LINES = {"access.public_url", "database.url", "server.port"}


def column(head: str) -> list[str]:
    """Return the first cells of the table with a head."""
    table = PAGE.partition(head)[2].partition("\n\n")[0]
    lines = [one for one in table.splitlines()[2:] if one.startswith("|")]
    cells = [line.split("|")[1].strip() for line in lines]
    return [one.strip() for cell in cells for one in cell.split(",")]


def calls() -> Iterator[ast.Call]:
    """Yield each call in the product's code."""
    for file in sorted((HOME / "app").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                yield node


def first_text(call: ast.Call) -> str:
    """Return the text that a call begins with, or an empty one."""
    match call.args[0]:
        case ast.Constant(value=str(text)):
            return text
    return ""


def events() -> set[str]:
    """Return the name of every line that the product can write."""
    return {
        first_text(call)
        for call in calls()
        if isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS
    }


def refusals() -> set[str]:
    """Return the reason of every 503 that the product can answer."""
    busy = {
        first_text(call)
        for call in calls()
        if isinstance(call.func, ast.Name) and call.func.id == "TooBusy"
    }
    text = (HOME / "app/api/refusals.py").read_text(encoding="utf-8")
    early = set(re.findall(r'status=503,\s+reason="(\w+)"', text))
    assert busy
    assert early
    return (busy | early) - {""}


def test_each_alarm_has_its_remedy() -> None:
    """The page has a row for each rule about ourselves, and no others."""
    tree = yaml.safe_load(RULES.read_text())
    (ours,) = [g for g in tree["groups"] if g["name"] == "smokejumper-itself"]
    alarms = [rule["alert"] for rule in ours["rules"]]
    told = column("| alarm | what it means | what to do |")
    assert sorted(told) == sorted(alarms)


def test_each_503_has_its_remedy() -> None:
    """The page has a row for each reason in the code, and no others."""
    told = column("| reason | who gets it | what to do |")
    assert sorted(told) == sorted(refusals())


def test_each_line_of_the_log_is_one_that_is_written() -> None:
    """What is told to look for in the log is written somewhere."""
    known = events()
    told = set(column("| event | what happened |"))
    assert len(told) > 10
    assert told - known == set()
    alarms = PAGE.partition("## Alarms on ourselves")[2]
    alarms = alarms.partition("## Behind a proxy")[0]
    named = set(QUOTED.findall(alarms)) - NOT_LINES
    settings = {one for one in named if one.split(".")[0] in SETTINGS}
    assert named - settings - known == set()
    assert all(EVENT.match(one) for one in told)


SETTINGS = set(
    yaml.safe_load((HOME / "config/smokejumper.yaml").read_text())
) - {"log"}
