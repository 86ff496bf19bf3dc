"""How many commands were tried, and how: said at the end of a run."""

from collections import Counter

import pytest

COUNTED = "command of a document"
SAID = {
    "Changed": "executed",
    "Elsewhere": "executed by another test",
    "Weakly": "checked weakly",
    "Excused": "excused",
}


class Counts:
    """Adds up what the tests of the documents say of their commands."""

    @pytest.hookimpl
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say how many commands were tried in which way."""
        found = Counter(
            SAID[str(value)]
            for reports in terminalreporter.stats.values()
            for report in reports
            if getattr(report, "when", "") == "call"
            for name, value in report.user_properties
            if name == COUNTED
        )
        if found:
            told = ", ".join(f"{n} {way}" for way, n in found.most_common())
            terminalreporter.write_line(f"commands of the documents: {told}")
