"""What is told about the packages: licences, the bill, and the audit."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.audit import CLEAN, KNOWN, NOT_AUDITED, read_audit, report
from scripts.licences import lines
from scripts.lock import read_list

HOME = Path(__file__).parents[2]
GOOD = {"name": "good", "version": "1", "vulns": []}
BAD = {
    "name": "bad",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}],
}
UNKNOWN = {"name": "odd", "skip_reason": "not found and not audited"}


def test_the_page_of_licences_is_current() -> None:
    """It says what the packages say that the tests run with."""
    page = (HOME / "docs" / "licences.md").read_text(encoding="utf-8")
    assert page == "\n".join(lines()), "run python -m scripts.licences"


def test_every_package_states_its_terms() -> None:
    """None is used without."""
    assert [line for line in lines() if line.endswith("|  |")] == []


def test_the_bill_names_what_the_service_runs_with() -> None:
    """Exactly the pinned packages, each with its licence."""
    done = subprocess.run(
        [sys.executable, "scripts/sbom.py", "requirements.txt"],
        cwd=HOME,
        check=True,
        capture_output=True,
    )
    bill = json.loads(done.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    found = {(one["name"], one["version"]) for one in bill["components"]}
    assert found == set(read_list(HOME / "requirements.txt").versions.items())
    assert all(one["licenses"] for one in bill["components"])


def test_the_bill_of_a_clone_tells_the_truth(tmp_path: Path) -> None:
    """Nothing is told about a version that is not the one installed."""
    file = tmp_path / "list.txt"
    file.write_text("h11==0.0.1\n")
    done = subprocess.run(
        [sys.executable, "scripts/sbom.py", file],
        cwd=HOME,
        check=False,
        capture_output=True,
    )
    assert done.returncode != 0
    assert done.stdout == b""


def test_the_decision_counts_and_names_every_package() -> None:
    """A new one is told there, with its reason."""
    page = (HOME / "docs/decisions/023-what-we-depend-on.md").read_text()
    own, others = (HOME / "requirements.txt").read_text().split("# Needed by")
    direct = re.findall(r"^([\w.-]+)==", own, re.MULTILINE)
    needed = re.findall(r"^([\w.-]+)==", others, re.MULTILINE)
    assert f"| asked for by our own code | {len(direct)} |" in page
    assert f"| needed by those | {len(needed)} |" in page
    whole = len(direct) + len(needed)
    assert f"| in all, at run time | **{whole}** |" in page
    missing = [name for name in direct + needed if name not in page]
    assert missing == []


@pytest.mark.parametrize(
    ("rows", "wanted", "status"),
    [
        ([GOOD], {"good"}, CLEAN),
        ([GOOD, BAD], {"good", "bad"}, KNOWN),
        # What nobody looked up is not clean, whatever pip-audit says.
        ([GOOD, UNKNOWN], {"good", "odd"}, NOT_AUDITED),
        ([GOOD], {"good", "odd"}, NOT_AUDITED),
        ([UNKNOWN], {"odd"}, NOT_AUDITED),
        ([BAD, UNKNOWN], {"bad", "odd"}, KNOWN),
    ],
)
def test_an_audit_is_clean_only_when_it_is_whole(
    rows: list[Any], wanted: set[str], status: int
) -> None:
    """A package that was passed over is told and counted."""
    assert report(read_audit({"dependencies": rows}, wanted)) == status


def test_the_pinned_packages_have_no_known_hole() -> None:
    """Skipped, with its reason, where no service can be asked."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.audit"],
        cwd=HOME,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode == NOT_AUDITED:
        pytest.skip(done.stdout.splitlines()[0][:120])
    assert done.returncode == CLEAN, done.stdout + done.stderr
