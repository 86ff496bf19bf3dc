"""What we say of our own metrics, log and spans is what the service does."""

import json
import re
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.flow.exercised import PREFIX, Exercised, exercised
from tests.programs import free_port, need
from tests.real.program import Program, answers

HOME = Path(__file__).parents[2]
PAGE = HOME / "docs" / "operations.md"
BOARD = HOME / "config" / "monitoring" / "grafana" / "smokejumper.json"
RULES = HOME / "config" / "monitoring" / "prometheus"
METRIC = re.compile(r"\bsmokejumper_[a-z_]+")
SUFFIX = re.compile(r"_(bucket|count|sum)$")
GROUPED = re.compile(r"\b(?:by|without) *\(([^)]*)\)")
MATCHED = re.compile(r'(\w+) *(?:=~|!~|!=|=) *"')
SHOWN = re.compile(r"\{\{ *\$?(?:labels\.)?(\w+) *\}\}")
# What Prometheus adds by itself, and what a histogram has.
BESIDE = {"job", "instance", "le", ""}
# Nobody spent a budget, and the canary comes through: these have no value,
# and so show no label.
UNSPENT = {"decide_refused_total", "canary_stuck"}
# What says that nothing happened says it by having no value.
MAY_BE_EMPTY = ("decide_refused_total",)
SCRAPE = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: smokejumper
    static_configs: [{targets: ["%s"]}]
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exercised]:
    """Return a running service that has done a bit of everything."""
    with exercised(tmp_path_factory.mktemp("self")) as service:
        yield service


def documented() -> dict[str, set[str]]:
    """Return the labels of each metric that the page has in its table."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition("| metric | labels | counts |")[2]
    table = table.partition("\n\n")[0]
    told: dict[str, set[str]] = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 3 or set(cells[0]) <= {"-", ""}:
            continue
        labels = {one.strip() for one in cells[1].split(",") if one.strip()}
        for name in cells[0].split(","):
            told[name.strip()] = labels
    return told


def targets() -> Iterator[tuple[str, str, str]]:
    """Yield each query of the dashboard: title, query, legend."""
    for panel in json.loads(BOARD.read_text())["panels"]:
        for one in panel.get("targets", []):
            yield panel["title"], one["expr"], one.get("legendFormat", "")


def rules() -> Iterator[tuple[str, str, str]]:
    """Yield each rule about ourselves: name, expression, words."""
    tree = yaml.safe_load((RULES / "smokejumper.rules.yml").read_text())
    for group in tree["groups"]:
        for rule in group["rules"]:
            if METRIC.search(rule["expr"]):
                yield rule["alert"], rule["expr"], str(rule["annotations"])


def labels_of(found: Exercised, name: str) -> set[str]:
    """Return the labels that a metric has."""
    base = SUFFIX.sub("", name)
    options = (name, f"{base}_count", f"{base}_total")
    return set().union(*(found.labels.get(one, set()) for one in options))


def test_the_table_is_what_the_service_shows(found: Exercised) -> None:
    """Each metric of the page is there, and each that is there is on it."""
    shown = {name.removeprefix(PREFIX) for name in found.names()}
    assert set(documented()) == shown


def test_the_labels_are_those_that_are_shown(found: Exercised) -> None:
    """Each metric has the labels that the page says, and no others."""
    for name, labels in documented().items():
        if name not in UNSPENT:
            assert labels_of(found, PREFIX + name) == labels, name


@pytest.mark.parametrize("where", [targets, rules])
def test_queries_ask_for_labels_that_there_are(
    found: Exercised, where: Any
) -> None:
    """A label that was renamed leaves no query behind that finds nothing."""
    told = documented()
    for title, query, words in where():
        names = set(METRIC.findall(query))
        known = set(BESIDE)
        for name in names:
            base = SUFFIX.sub("", name).removeprefix(PREFIX)
            assert base in told, (title, name)
            known |= labels_of(found, name) | told[base]
        asked = set(MATCHED.findall(query)) | set(SHOWN.findall(words))
        for group in GROUPED.findall(query):
            asked |= {one.strip() for one in group.split(",")}
        assert asked - known <= {"value"}, title


@pytest.mark.real
def test_a_real_prometheus_answers_each_query(
    found: Exercised, tmp_path: Path
) -> None:
    """Each query of the dashboard and each rule is asked for real."""
    address = f"127.0.0.1:{free_port()}"
    settings = tmp_path / "prometheus.yml"
    settings.write_text(SCRAPE % found.url.removeprefix("http://"))
    command: list[str | Path] = [
        need("prometheus", "prometheus"),
        f"--config.file={settings}",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address={address}",
    ]
    ready = partial(answers, f"http://{address}/-/ready")
    with Program(command, tmp_path / "log", ready):
        for title, query, _ in targets():
            plain = query.replace("$job", ".*")
            plain = plain.replace("$__rate_interval", "10s")
            if not any(name in plain for name in MAY_BE_EMPTY):
                assert has_values(address, plain), (title, plain)
        for name, query, _ in rules():
            ask(address, query)
            assert name


def ask(address: str, query: str) -> list[Any]:
    """Return what a Prometheus answers; fail when it cannot read it."""
    url = f"http://{address}/api/v1/query"
    answer = httpx.get(url, params={"query": query}, timeout=30)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"]["result"])


def has_values(address: str, query: str) -> bool:
    """Tell whether a query finds something, once there are two scrapes."""
    deadline = time.monotonic() + 30
    while not ask(address, query):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_the_spans_are_those_of_the_page(found: Exercised) -> None:
    """A decision is a trace, with the names that are told."""
    text = PAGE.read_text(encoding="utf-8")
    assert "invoke_agent smokejumper" in found.spans
    assert "`invoke_agent smokejumper`" in " ".join(text.split())
    calls = {name.split()[0] for name in found.spans} - {"invoke_agent"}
    assert calls
    for call in calls:
        assert f"`{call} " in text


def test_the_lines_of_the_log_are_real(found: Exercised) -> None:
    """Each example has the fields of a line that the service wrote."""
    text = PAGE.read_text(encoding="utf-8")
    block = text.partition("```json\n")[2].partition("```")[0]
    examples = [json.loads(line) for line in block.splitlines()]
    assert examples
    for one in examples:
        lines = [x for x in found.log if x["event"] == one["event"]]
        assert lines, one["event"]
        assert set(one) in [set(line) for line in lines]
