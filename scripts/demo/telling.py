"""Tell the story of one fault in the terminal, a line or two for a step."""

from typing import Any

from rich.console import Console
from rich.text import Text

from scripts.demo.following import Row, Step

WIDTH = 10
MOST_LINES = 4
GOOD = "bold green"
BAD = "bold red"
COLOURS = {"fixed": GOOD, "not_fixed": BAD, "unknown": "bold yellow"}


class Teller:
    """Writes what happens as it happens."""

    def __init__(self, console: Console | None = None) -> None:
        """Take where to write."""
        self._console = console or Console(highlight=False, soft_wrap=True)

    def say(self, text: str, style: str = "") -> None:
        """Write a line; what is in it is never taken for markup."""
        self._console.print(Text(text, style=style))

    def head(self, text: str) -> None:
        """Begin a part."""
        self._console.print()
        self.say(text, "bold")

    def fault(self, truth: Row, seconds: float) -> None:
        """Tell what was caused."""
        where = _pairs(truth["target"])
        what = truth["fault"]
        # A service has no degrees of being broken.
        if truth["unit"] != what:
            what = f"{what} {truth['level']} {truth['unit']}"
        self._line("fault", seconds, f"{what} on {where}")
        self._more(f"it ends by itself after {truth['seconds']} s")

    def alert(self, step: Step) -> None:
        """Tell what monitoring noticed."""
        row = step.row
        what = f"{row['name']} from {row['source']}"
        self._line(
            "alert", step.seconds, f"{what}, incident {row['incident_id']}"
        )
        self._more(row.get("summary", ""))

    def decision(self, step: Step, detail: Row) -> None:
        """Tell what was chosen, how sure, and where each argument is from."""
        row = step.row
        sure = row["confidence"]
        said = "nobody can say" if sure is None else f"{sure:.0%}"
        self._line("decision", step.seconds, row["call"])
        self._more(f"by {row['brain']}, confidence {said}: {row['reason']}")
        for proof in detail.get("grounding", []):
            self._more(_proof(proof))

    def ruling(self, step: Step) -> None:
        """Tell what code said to it."""
        row = step.row
        self._line(
            "ruling",
            step.seconds,
            f"{row['outcome']}, by the rule {row['rule']}",
        )
        self._more(row.get("reason", ""))

    def job(self, step: Step) -> None:
        """Tell what ran."""
        row = step.row
        what = f"{row['name']} of {row['backend']}: {row['state']}"
        self._line("job", step.seconds, what)
        self._more(row["reason"])

    def verdict(self, step: Step) -> None:
        """Tell whether it helped, by what was measured."""
        row = step.row
        for name in ("before", "after"):
            readings: list[Row] = row[name]
            if readings:
                self._line(name, None, _reading(readings[-1]))
        style = COLOURS.get(row["verdict"], "")
        self._line("verdict", step.seconds, row["verdict"], style)

    def _line(
        self, name: str, seconds: float | None, text: str, style: str = ""
    ) -> None:
        """Write one step."""
        when = f"{seconds:5.1f} s" if seconds is not None else " " * 7
        line = Text()
        line.append(f"  {when}  ", style="dim")
        line.append(f"{name:<{WIDTH}}", style="bold cyan")
        line.append(text, style=style)
        self._console.print(line)

    def _more(self, text: str) -> None:
        """Write what else there is to say of a step."""
        for line in text.splitlines()[:MOST_LINES]:
            self.say(f"{'':>{WIDTH + 11}}{line}", "dim")


def _pairs(labels: dict[str, str]) -> str:
    """Return labels on one line."""
    return ", ".join(f"{key} {value}" for key, value in labels.items())


def _proof(proof: dict[str, Any]) -> str:
    """Return where an argument came from."""
    return f"{proof['argument']} = {proof['value']}, from {proof['source']}"


def _reading(reading: Row) -> str:
    """Return what was measured."""
    return f"{reading.get('says', '')} ({reading.get('check', '')})"
