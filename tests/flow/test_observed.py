"""Where nobody is asked: what people say afterwards is counted all the same.

By HTTP and by command, on a running service that only observes.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.flow.acting import ObservingService

ACTION = "collect_diagnostics"


@pytest.fixture
def node(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ObservingService]:
    """Return a service that says what it would do, and does nothing."""
    folder = tmp_path_factory.mktemp("observed")
    with ObservingService(folder) as running:
        yield running


def observe(node: ObservingService, host: str) -> int:
    """Let something be wrong with a host; return its incident."""
    number = int(node.decide_on(host)["incident"])
    node.wait_for(lambda: node.get("/rulings", incident=number)["items"])
    (ruling,) = node.get("/rulings", incident=number)["items"]
    assert (ruling["outcome"], ruling["rule"]) == ("observe", "trust:observe")
    return number


def line_of(node: ObservingService) -> dict[str, Any]:
    """Return the only line of the report."""
    (line,) = node.get("/trust", days=1)["items"]
    assert (line["action"], line["mode"]) == (ACTION, "observe")
    return dict(line)


def test_what_people_say_of_it_is_in_the_report(
    node: ObservingService,
) -> None:
    """The line is there first, and says how people can be heard."""
    first, second = observe(node, "web-01"), observe(node, "web-02")
    line = line_of(node)
    assert (line["answers"], line["rate"], line["earned"]) == (0, None, "")
    assert "--about action --right ACTION" in line["why"]
    confirms = {"about": "action", "correct": ACTION}
    body = {"author": "ana", "text": "that is what I did", **confirms}
    said = node.post(f"/incidents/{first}/corrections", body)
    assert said.status_code == 201
    line = line_of(node)
    assert (line["answers"], line["agreed"], line["rate"]) == (1, 1, 1.0)
    assert line["why"].startswith("19 more answers are needed: confirm")
    words = ("--about", "action", "--right", "escalate", "--author", "ben")
    node.run("correct", str(second), "somebody must come", *words)
    line = line_of(node)
    assert (line["answers"], line["agreed"]) == (2, 1)
    assert "observe" in node.run("trust", "report").stdout
