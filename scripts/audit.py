"""Ask whether a vulnerability is known of any pinned package.

    pip install pip-audit        somewhere, and on the PATH
    python -m scripts.audit

pip-audit asks a service on the network, passes over every package that the
service does not know, and then says that all is well. This asks the same, and
counts what was passed over: 'clean' means that every package was looked up.
Exit status: 0 clean, 1 a vulnerability is known, 3 not audited, or not whole.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from scripts.lock import HOME, LISTS, read_list

CLEAN, KNOWN, NOT_AUDITED = 0, 1, 3
SECONDS = 300
MOST_NAMES = 3
SERVICES = ("pypi", "osv")


class Audit(NamedTuple):
    """What was found out.

    Attributes:
        looked_up: how many packages the service knows.
        passed_over: what was not looked up.
        holes: what is known, a line each.
    """

    looked_up: int
    passed_over: tuple[str, ...]
    holes: tuple[str, ...]


def read_audit(answer: Any, wanted: Iterable[str]) -> Audit:
    """Return what pip-audit says about the packages that were asked for."""
    rows = {row["name"]: row for row in answer["dependencies"]}
    known = {name: row for name, row in rows.items() if "vulns" in row}
    holes = tuple(
        f"{name} {row['version']}: {hole['id']}, mended in"
        f" {', '.join(hole['fix_versions']) or 'no release yet'}"
        for name, row in sorted(known.items())
        for hole in row["vulns"]
    )
    passed_over = tuple(sorted(set(wanted) - known.keys()))
    return Audit(len(known), passed_over, holes)


def ask(program: str, service: str, home: Path) -> Any | None:
    """Return what one service says, None when it cannot be asked."""
    words = [program, "--format", "json", "--progress-spinner", "off"]
    words += ["--disable-pip", "--require-hashes", "--timeout", "10"]
    words += ["--vulnerability-service", service]
    for name in LISTS:
        words += ["--requirement", str(home / "locks" / name)]
    try:
        done = subprocess.run(
            words, capture_output=True, timeout=SECONDS, check=False
        )
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None


def report(audit: Audit) -> int:
    """Print what was found out, and return the exit status."""
    for hole in audit.holes:
        print(hole)
    if audit.passed_over:
        names = ", ".join(audit.passed_over[:MOST_NAMES])
        print(
            f"Not audited: {len(audit.passed_over)} packages were not looked"
            f" up, such as {names}."
        )
    print(f"{audit.looked_up} looked up, {len(audit.holes)} known holes.")
    if audit.holes:
        return KNOWN
    return NOT_AUDITED if audit.passed_over else CLEAN


def main() -> int:
    """Ask one service after the other, until one knows the packages."""
    program = shutil.which("pip-audit")
    if program is None:
        print("Not audited: pip-audit is not on the PATH.")
        return NOT_AUDITED
    wanted = {
        package
        for name in LISTS
        for package in read_list(HOME / name).versions
    }
    audits = [
        read_audit(answer, wanted)
        for service in SERVICES
        if (answer := ask(program, service, HOME)) is not None
    ]
    if not audits:
        print("Not audited: no service answered. Is there a network?")
        return NOT_AUDITED
    return report(max(audits))


if __name__ == "__main__":
    sys.exit(main())
