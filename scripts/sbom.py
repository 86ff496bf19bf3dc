"""Print a bill of materials: CycloneDX 1.5, as JSON.

    python scripts/sbom.py                      of this machine or image
    python scripts/sbom.py requirements.txt     of what the service runs with

Without a word it says what is installed where it runs: the Python
distributions of this interpreter and Debian's packages. With lists, it says
what they pin and nothing else. The same packages make the same bytes: its
date is SOURCE_DATE_EPOCH, its serial number comes from its parts. It stands
alone, so that an image can be told what it is made of.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

PIN = re.compile(r"([\w.-]+)==([\w.]+)")
PARTS = uuid.UUID("5f1c3c0e-2f1b-5d0a-9a53-0d6a2d2b7c11")
FIELDS = "${Package}\t${Version}\t${Architecture}\n"
MOST_LICENSE_CHARS = 120


def python_parts() -> Iterator[dict[str, Any]]:
    """Yield the Python distributions of this interpreter."""
    return map(python_part, metadata.distributions())


def python_part(found: metadata.Distribution) -> dict[str, Any]:
    """Return one Python distribution."""
    name = found.metadata["Name"].lower().replace("_", "-")
    purl = f"pkg:pypi/{name}@{found.version}"
    return part(name, found.version, purl) | license_of(found)


def pinned_parts(lists: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield what lists pin.

    Raises:
        SystemExit: another version is installed, so nothing is known of it.
    """
    for file in lists:
        for line in file.read_text(encoding="utf-8").splitlines():
            if pin := PIN.match(line):
                found = metadata.distribution(pin[1])
                if found.version != pin[2]:
                    raise SystemExit(f"{pin[1]} {found.version} is installed")
                yield python_part(found)


def license_of(found: metadata.Distribution) -> dict[str, Any]:
    """Return what a distribution says of its licence, as CycloneDX has it."""
    said = found.metadata
    for field in ("License-Expression", "License"):
        text = " ".join(said[field].split()) if field in said else ""
        if text != "UNKNOWN" and 0 < len(text) <= MOST_LICENSE_CHARS:
            return {"licenses": [{"license": {"name": text}}]}
    kinds = [
        line.rpartition(" :: ")[2]
        for line in said.get_all("Classifier") or ()
        if line.startswith("License :: ")
    ]
    return {"licenses": [{"license": {"name": one}} for one in kinds]}


def debian_parts() -> Iterator[dict[str, Any]]:
    """Yield Debian's packages; none where there is no dpkg."""
    program = shutil.which("dpkg-query")
    if program is None:
        return
    words = [program, "--show", f"--showformat={FIELDS}"]
    said = subprocess.run(words, check=True, capture_output=True, text=True)
    for line in said.stdout.splitlines():
        name, version, kind = line.split("\t")
        where = f"{quote(name)}@{quote(version, safe='')}?arch={kind}"
        yield part(name, version, f"pkg:deb/debian/{where}")


def part(name: str, version: str, purl: str) -> dict[str, Any]:
    """Return one part of the image."""
    return {
        "bom-ref": purl,
        "type": "library",
        "name": name,
        "version": version,
        "purl": purl,
    }


def bill(parts: list[dict[str, Any]], second: int) -> dict[str, Any]:
    """Return the whole bill, its parts in one order, each once."""
    rows = [row for _, row in sorted({p["purl"]: p for p in parts}.items())]
    number = uuid.uuid5(PARTS, json.dumps(rows, sort_keys=True))
    when = datetime.fromtimestamp(second, UTC)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{number}",
        "version": 1,
        "metadata": {"timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ")},
        "components": rows,
    }


def everything() -> list[dict[str, Any]]:
    """Return all that is installed here."""
    return [*python_parts(), *debian_parts()]


def main() -> int:
    """Print it."""
    second = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    lists = [Path(word) for word in sys.argv[1:]]
    found = [*pinned_parts(lists)] if lists else everything()
    json.dump(bill(found, second), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
