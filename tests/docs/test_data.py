"""Every other block of the documents: settings, payloads, what is shown."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks, commands, pages
from tests.docs.reading import Reading

Read = Callable[[Reading, Block], None]

# Who reads a block: by its page and how its first line begins. What is not
# here is settings when it calls itself YAML, and unknown otherwise.
READ: dict[tuple[str, str], Read] = {
    ("README.md", "receivers:"): Reading.alertmanager,
    ("README.md", "alerting:"): Reading.prometheus,
    ("README.md", "auth:"): Reading.source_grafana,
    ("docs/backends.md", '{"action"'): Reading.order,
    ("docs/backends.md", "import hashlib"): Reading.signature,
    ("docs/catalogue.md", "menu:"): Reading.settings,
    ("docs/deciding.md", "---"): Reading.runbook,
    ("docs/hands.md", "smokejumper_canary"): Reading.metrics,
    ("docs/inventory.md", "inventory:"): Reading.settings,
    ("docs/inventory.md", "hosts:"): Reading.inventory,
    ("docs/messages.md", "{{ severity"): Reading.template,
    ("docs/monitoring.md", "route:"): Reading.alertmanager,
    ("docs/monitoring.md", "scrape_configs:"): Reading.prometheus,
    ("docs/monitoring.md", "# tuning.yaml"): Reading.tuning,
    ("docs/operations.md", "SMOKEJUMPER_SERVER"): Reading.variables,
    ("docs/operations.md", '{"part"'): Reading.log_lines,
    ("docs/policy.md", "zone:"): Reading.policy,
    ("docs/policy.md", "protected:"): Reading.policy,
    ("docs/policy.md", "budgets:"): Reading.policy,
    ("docs/policy.md", "rules:"): Reading.policy,
    ("docs/policy.md", "trust:"): Reading.policy,
    ("docs/reflex.md", "free_disk_space |"): Reading.lesson,
    ("docs/restarting.md", "backends:"): Reading.settings,
    ("docs/simulator.md", '{"id"'): Reading.truth,
    ("docs/simulator.md", "name: two-at-once"): Reading.scenario,
    ("docs/sources.md", '{"alert_id"'): Reading.datadog,
    ("docs/verify.md", "check:"): Reading.check,
    ("docs/verify.md", "act:"): Reading.settings,
    ("docs/watch.md", "watch:"): Reading.settings,
}
# What nobody reads, and why it need not be.
SHOWN: dict[tuple[str, str], str] = {
    ("README.md", " Alertmanager"): "a drawing",
    ("README.md", "A fault: cpu"): "what tests/e2e/test_demo.py is told",
    ("README.md", "var params"): (
        "the script of the media type; Zabbix runs it in tests/real"
    ),
    ("README.md", "start_environment.sh  "): (
        "the map, which tests/unit/test_house.py holds against the tree"
    ),
    ("docs/accounts.md", "https://smokejumper.example/"): "an address",
    ("docs/acting.md", "deciding -> ruling"): "a drawing",
    ("docs/catalogue.md", "config/actions/"): "an error message",
    ("docs/diagnostics.md", '{"host"'): "the arguments, in one line",
    ("docs/diagnostics.md", "# evidence"): "evidence of some machine",
    ("docs/evaluation.md", '{"id"'): "a case, with its payload left out",
    ("docs/mutes.md", "maintenance 3"): "a line of the console",
    ("docs/reliability.md", "proofs:"): "the line that a whole run ends with",
    ("docs/reflex.md", "ACTION |"): "what the columns are called",
    ("docs/restarting.md", "// /etc/polkit"): "polkit reads it, as root",
    ("docs/verify.md", "query:"): "half a line, of the options of a check",
    ("docs/verify.md", "key:"): "half a line, of the options of a check",
    ("docs/security.md", "CREATE ROLE"): (
        "tests/flow/test_database_role.py has a server make such a role"
    ),
    ("docs/stream.md", "retry: 2000"): "what the command above it answers",
}
Row = tuple[str, str]


def others() -> list[Block]:
    """Return the blocks that are no commands."""
    every = [block for page in pages() for block in blocks(page)]
    return [block for block in every if not commands(block)]


def row_of(block: Block, rows: "dict[Row, Read] | dict[Row, str]") -> Row:
    """Return the row that fits a block; an empty one when none does."""
    fitting = [
        (page, begin)
        for page, begin in rows
        if page == block.page and block.text.startswith(begin)
    ]
    return max(fitting, key=lambda row: len(row[1]), default=("", ""))


@pytest.mark.parametrize("block", others(), ids=lambda block: block.where)
def test_every_other_block_is_what_it_says(
    block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads such a thing reads it; or it is known to be shown."""
    if row_of(block, SHOWN)[0]:
        return
    read = READ.get(row_of(block, READ))
    if read is None:
        assert block.language == "yaml", (
            f"{block.where} is unknown: it is no command, and neither READ"
            f" nor SHOWN has it: {block.first}"
        )
        read = Reading.settings
    read(Reading(tmp_path, monkeypatch), block)


def test_no_row_is_left_over() -> None:
    """Each row fits a block."""
    used = {row_of(one, rows) for one in others() for rows in (READ, SHOWN)}
    assert {*READ, *SHOWN} <= used
