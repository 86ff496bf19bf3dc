"""Make a set of a site's own action log: people's corrections are the truth.

A decision says what was done about which case; a correction that is about
the action says what would have been right. Decisions that nobody corrected
are no truth: silence is not consent.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from app.models.action import Catalogue
from app.models.case import Case
from app.models.proposer import CODE
from scripts.evals.truth import Wrong

DECIDED = "decision.made"
CORRECTED = ("incident.corrected", "word.corrected")
# What a correction is about when it says what should have been done.
ABOUT = ("action", "decision", "")
CALL = re.compile(r"\b([a-z][a-z0-9_]{1,47})\b(?:\s*\(([^()]*)\))?")
ARGUMENT = re.compile(r"\s*([a-z][a-z0-9_]*)\s*[=:]\s*(\"[^\"]*\"|[^,]*)")
SECONDS = 10.0
GONE = 404
FindCase = Callable[[str], Case | None]
AS_CASE = ("case", "casefile")


class Imported(msgspec.Struct, frozen=True):
    """What of a log can be used, and why the rest cannot.

    Attributes:
        rows: the rows of a set, as they are written.
        left_out: why, and how many corrections.
    """

    rows: list[dict[str, Any]]
    left_out: dict[str, int]


class Decided(msgspec.Struct, frozen=True):
    """One decision of the log, with the case that it was made on."""

    entry: int
    action: str
    case: Case | None
    number: str = ""


def import_log(
    log: Path, catalogue: Catalogue, find_case: FindCase | None = None
) -> Imported:
    """Return the set that a log makes.

    Args:
        log: the action log as JSON lines: ``main.py export log``.
        catalogue: what a correction may name.
        find_case: finds the case of a decision by its number, where the
            entries of the log do not hold it.
    """
    entries = sorted(_read(log), key=lambda entry: int(entry.get("id", 0)))
    made: dict[int, Decided] = {}
    rows: dict[str, dict[str, Any]] = {}
    left_out: dict[str, int] = {}
    for entry in entries:
        kind = entry.get("kind")
        incident = int(entry.get("incident_id", 0))
        if kind == DECIDED and not _is_of_code(entry):
            made[incident] = _decided(entry)
        elif kind in CORRECTED:
            decided = made.get(incident)
            if decided is not None and find_case is not None:
                decided = made[incident] = _complete(decided, find_case)
            why = _take(entry, decided, catalogue, rows)
            if why:
                left_out[why] = left_out.get(why, 0) + 1
    return Imported(list(rows.values()), left_out)


def _complete(decided: Decided, find_case: FindCase) -> Decided:
    """Return a decision with its case, looked up where it is missing."""
    if decided.case is not None or not decided.number:
        return decided
    case = find_case(decided.number)
    return msgspec.structs.replace(decided, case=case)


def _take(
    entry: Mapping[str, Any],
    decided: Decided | None,
    catalogue: Catalogue,
    rows: dict[str, dict[str, Any]],
) -> str:
    """Add the row of a correction, or return why it makes none.

    Of several corrections of one decision the last counts.
    """
    body = entry.get("body")
    if not isinstance(body, dict) or body.get("about", "") not in ABOUT:
        return "about something else than the action"
    if decided is None:
        return "nothing was decided before"
    if decided.case is None:
        return "the case of the decision is not in the export"
    right = read_call(str(body.get("correct", "")), catalogue) or read_call(
        str(body.get("text", "")), catalogue
    )
    if right is None:
        return "names no action of the catalogue, or more than one"
    action, arguments = right
    number = f"log-{decided.entry}"
    rows[number] = {
        "id": number,
        "source": decided.case.source,
        "case": msgspec.to_builtins(decided.case),
        "expected": {
            "action": action,
            "arguments": arguments or default_arguments(action, decided),
        },
        "acceptable": [],
        "accept_args": {"topic": ["*"]},
        "reason": str(body.get("text", ""))[:400],
        "hostile": False,
        "was": decided.action,
    }
    return ""


def default_arguments(action: str, decided: Decided) -> dict[str, str]:
    """Return the arguments that a correction without any means.

    Those of the decision when the action is the same, else none: then the
    function alone is judged.
    """
    name, _, rest = decided.action.partition("(")
    return _arguments(rest.rstrip(")")) if name == action else {}


def read_call(
    text: str, catalogue: Catalogue
) -> tuple[str, dict[str, str]] | None:
    """Return the one call that a person's words name, or None."""
    found: dict[str, dict[str, str]] = {}
    for match in CALL.finditer(text):
        if catalogue.find(match[1]) is not None:
            found[match[1]] = _arguments(match[2] or "")
    return next(iter(found.items())) if len(found) == 1 else None


def _arguments(text: str) -> dict[str, str]:
    """Return name=value pairs out of a text."""
    return {
        match[1]: match[2].strip().strip('"')
        for match in ARGUMENT.finditer(text)
        if match[2].strip()
    }


def _is_of_code(entry: Mapping[str, Any]) -> bool:
    """Tell whether code only looked at what people have already."""
    return str(entry.get("actor", "")).startswith(CODE)


def _decided(entry: Mapping[str, Any]) -> Decided:
    """Return a decision of the log with its case, if it is there."""
    body = entry.get("body")
    body = body if isinstance(body, dict) else {}
    return Decided(
        int(entry["id"]),
        str(entry.get("action", "")),
        _to_case(body),
        str(body.get("decision", "")),
    )


def read_cases(file: Path) -> FindCase:
    """Return what finds cases in exported decisions, one object a line."""
    found = {str(row.get("id", "")): _to_case(row) for row in _read(file)}
    return found.get


def ask_service(url: str, token: str) -> FindCase:
    """Return what finds cases by asking a running service, read-only."""
    headers = {"authorization": f"Bearer {token}"} if token else {}

    def find(number: str) -> Case | None:
        """Return the case of a decision, None when it is gone."""
        path = f"{url.rstrip('/')}/api/v1/decisions/{number}"
        try:
            reply = httpx.get(path, headers=headers, timeout=SECONDS)
            if reply.status_code == GONE:
                return None
            reply.raise_for_status()
            return _to_case(msgspec.json.decode(reply.content))
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise Wrong(f"{path}: {error}") from error

    return find


def _to_case(row: Mapping[str, Any]) -> Case | None:
    """Return the case that a row holds, as an object or as JSON text."""
    for name in AS_CASE:
        held = row.get(name)
        try:
            if isinstance(held, str) and held:
                return msgspec.json.decode(held, type=Case)
            if isinstance(held, dict):
                return msgspec.convert(held, Case)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise Wrong(f"decision {row.get('id')}: {error}") from error
    return None


def _read(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON lines."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise Wrong(f"{file}: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise Wrong(f"{file}:{number}: {error}") from error
        if not isinstance(row, dict):
            raise Wrong(f"{file}:{number}: is no object")
        yield row


def write_rows(rows: list[dict[str, Any]], file: Path) -> None:
    """Write the rows of a set."""
    lines = (msgspec.json.encode(row) + b"\n" for row in rows)
    file.write_bytes(b"".join(lines))
