"""Write docs/licences.md: under which terms each package comes.

    python -m scripts.licences            write it anew
    python -m scripts.licences --check    tell whether it is up to date

What a package says of itself, as it is installed, is what counts.
"""

import argparse
import sys
from collections.abc import Iterator
from importlib import metadata

from scripts.lock import HOME, LISTS, read_list
from scripts.sbom import license_of

PAGE = HOME / "docs" / "licences.md"
HEAD = """\
# Licences

Smokejumper itself is under the Apache License 2.0 ([LICENSE](../LICENSE)).
This page names every package that an installation may bring along, and the
terms that the package states of itself; `python -m scripts.licences` makes it
out of what is installed, and a test checks that it is current. What we allow,
and why, is in [004](decisions/004-packages.md). `python scripts/sbom.py
requirements.txt` prints the same as a bill of materials (CycloneDX).
"""
TITLES = {
    "requirements.txt": "What the service runs with",
    "ansible-requirements.txt": "What the backend 'ansible' adds, on demand",
    "dev-requirements.txt": "What checks and tests add: never shipped",
}


def terms_of(package: str, version: str) -> str:
    """Return the terms of a package.

    Raises:
        SystemExit: the version that is pinned is not the one installed.
    """
    found = metadata.distribution(package)
    if found.version != version:
        raise SystemExit(f"{package} {found.version} is installed here")
    said = license_of(found).get("licenses", ())
    return ", ".join(one["license"]["name"] for one in said)


def lines() -> Iterator[str]:
    """Yield the lines of the page."""
    yield HEAD
    for name in LISTS:
        versions = read_list(HOME / name).versions
        yield f"## {TITLES[name]}\n"
        yield f"{len(versions)} packages, of `{name}`.\n"
        yield "| package | version | licence |"
        yield "|---|---|---|"
        for package, version in sorted(versions.items()):
            yield f"| {package} | {version} | {terms_of(package, version)} |"
        yield ""


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true")
    is_check = parser.parse_args().check
    text = "\n".join(lines())
    if not is_check:
        PAGE.write_text(text, encoding="utf-8")
    if PAGE.read_text(encoding="utf-8") == text:
        return 0
    print("docs/licences.md: run python -m scripts.licences", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
