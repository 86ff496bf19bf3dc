"""systemd, asked through systemctl: fixed words, and one verb that acts."""

import re
import time
from collections.abc import Mapping

from app.core.brief import brief
from app.core.command import Said, run_program
from app.core.errors import NotAccepted, NotSent, OutgoingFailed
from app.core.warden import SUFFIX, Standing, State, last_lines

PROPERTIES = (
    "Id,Names,LoadState,ActiveState,SubState,UnitFileState,Type,Result,"
    "MainPID,NRestarts,InvocationID,StateChangeTimestampMonotonic,"
    "ExecMainStartTimestampMonotonic,StartLimitBurst,StartLimitIntervalUSec,"
    "RefuseManualStart,RefuseManualStop,CanStart,"
    "RequiredBy,BoundBy,ConsistsOf"
)
STATES = {
    "active": State.ACTIVE,
    "reloading": State.ACTIVE,
    "refreshing": State.ACTIVE,
    "inactive": State.INACTIVE,
    "failed": State.FAILED,
    "maintenance": State.FAILED,
    "activating": State.STARTING,
    "deactivating": State.STARTING,
}
# What systemctl manages beside services: it is looked at, never restarted.
OTHERS = (".socket", ".timer", ".target", ".mount", ".path", ".slice")
NEVER_BY_HAND = (
    ("RefuseManualStart", "yes", "refuses to be started by hand"),
    ("RefuseManualStop", "yes", "refuses to be stopped by hand"),
    ("CanStart", "no", "cannot be started"),
    ("Type", "oneshot", "is no daemon: it does something once"),
    ("UnitFileState", "transient", "is gone once it ends: it has no file"),
)
ALONG = ("RequiredBy", "BoundBy", "ConsistsOf")
NOT_LET = ("Interactive authentication required", "Access denied",
           "Permission denied", "Authentication is required")  # fmt: skip
NOT_BEGUN = ("not found", "is masked", "Operation refused", "not loaded")
REMEDY = "let polkit allow it: docs/restarting.md"
SPAN = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h|d|w|month|y)")
SPAN_SECONDS = {
    "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3_600.0,
    "d": 86_400.0, "w": 604_800.0, "month": 2_629_800.0, "y": 31_557_600.0,
}  # fmt: skip
Properties = Mapping[str, str]


class Systemd:
    """Keeps the units of this machine."""

    def look(self, name: str, seconds: float) -> Standing:
        """Return how a unit is; unknown where systemd does not know it."""
        unit = unit_of(name)
        asked = ["show", f"--property={PROPERTIES}", "--", unit]
        said = run_program("systemctl", asked, seconds)
        found = dict(
            line.split("=", 1)
            for line in said.text.splitlines()
            if "=" in line
        )
        if not found.get("ActiveState"):
            return _unknown(name, "systemd does not run this machine")
        if found.get("LoadState") == "not-found":
            return _unknown(name, f"systemd knows no {unit}")
        return _standing(unit, found)

    def restart(self, standing: Standing, seconds: float) -> None:
        """Tell systemd to restart a unit, or raise."""
        unit = unit_of(standing.name)
        asked = ["restart", "--no-block", "--no-ask-password", "--", unit]
        try:
            said = run_program("systemctl", asked, seconds)
        except NotSent as error:
            raise NotAccepted(str(error)) from error
        if said.status:
            raise _failed(unit, said)

    def tail(
        self, standing: Standing, lines: int, seconds: float
    ) -> tuple[str, ...]:
        """Return the last lines of a unit in the journal."""
        unit = unit_of(standing.name)
        asked = [f"--unit={unit}", f"--lines={lines}", "--no-pager",
                 "--quiet", "--output=short-iso"]  # fmt: skip
        said = run_program("journalctl", asked, seconds)
        if said.status:
            why = brief(said.error) or f"status {said.status}"
            raise OutgoingFailed(f"journalctl: {why}")
        return last_lines(said.text, lines)


def unit_of(name: str) -> str:
    """Return the unit that a name stands for."""
    return name if name.endswith((SUFFIX, *OTHERS)) else f"{name}{SUFFIX}"


def _unknown(name: str, says: str) -> Standing:
    """Return that nobody knows how it is."""
    return Standing(
        name=name, warden="systemd", state=State.UNKNOWN, says=says
    )


def _standing(unit: str, said: Properties) -> Standing:
    """Return how a unit is out of what systemctl shows."""
    state = said["ActiveState"]
    says = f"{unit} is {state} ({said.get('SubState', '')})"
    restarts = _number(said, "NRestarts")
    if restarts:
        says += f", restarted by systemd {restarts} times"
    result = said.get("Result", "")
    if result not in ("", "success"):
        says += f", last result {result}"
    now = time.monotonic()
    changed = _number(said, "StateChangeTimestampMonotonic") / 1e6
    return Standing(
        name=said.get("Id", unit).removesuffix(SUFFIX),
        warden="systemd",
        state=STATES.get(state, State.UNKNOWN),
        says=says,
        pid=_number(said, "MainPID"),
        restarts=restarts,
        seconds=max(0.0, now - changed) if changed else None,
        run=said.get("InvocationID", ""),
        refusal=_refusal(unit, said, now),
        names=_services(said.get("Names", "")),
        takes_along=_services(" ".join(said.get(one, "") for one in ALONG)),
    )


def _services(units: str) -> tuple[str, ...]:
    """Return the services among units, without their suffix."""
    some = [one for one in units.split() if one.endswith(SUFFIX)]
    return tuple(dict.fromkeys(one.removesuffix(SUFFIX) for one in some))


def _refusal(unit: str, said: Properties, now: float) -> str:
    """Return why a unit must not be restarted now, or nothing."""
    if not unit.endswith(SUFFIX):
        return f"{unit} is no service"
    found = [text for text in (_kind(said), _moment(said, now)) if text]
    return f"{unit} {found[0]}" if found else ""


def _kind(said: Properties) -> str:
    """Return why a unit is never restarted by hand, or nothing."""
    load = said.get("LoadState", "")
    if load == "masked":
        return "is masked: somebody wants it not to run"
    if load != "loaded":
        return f"cannot be loaded: {load or 'nobody says why'}"
    for name, value, why in NEVER_BY_HAND:
        if said.get(name) == value:
            return why
    return ""


def _moment(said: Properties, now: float) -> str:
    """Return why a unit is not restarted just now, or nothing."""
    if said.get("Result") == "start-limit-hit":
        return "started too often and was given up by systemd: look why first"
    active, sub = said.get("ActiveState"), said.get("SubState")
    if active in ("activating", "deactivating"):
        return f"is {active} ({sub}): systemd is at it already"
    if active == "inactive" and said.get("UnitFileState") == "disabled":
        return "is disabled and does not run: somebody switched it off"
    if _is_near_limit(said, now):
        return "would reach its start limit: systemd would leave it stopped"
    return ""


def _is_near_limit(said: Properties, now: float) -> bool:
    """Tell whether one more start may be one too many.

    systemd counts the starts of an interval and says how often it restarted
    the unit in all, so this is careful: all of those may lie within it.
    """
    burst = _number(said, "StartLimitBurst")
    interval = span_seconds(said.get("StartLimitIntervalUSec", "0"))
    if not burst or not interval:
        return False
    began = _number(said, "ExecMainStartTimestampMonotonic") / 1e6
    is_recent = began > 0 and now - began < interval
    return is_recent and _number(said, "NRestarts") + 1 >= burst


def span_seconds(text: str) -> float:
    """Return a span of time of systemd in seconds; infinite in doubt."""
    if text in ("", "0"):
        return 0.0
    if re.fullmatch(rf"(?:{SPAN.pattern}\s*)+", text) is None:
        return float("inf")
    return sum(
        float(number) * SPAN_SECONDS[unit]
        for number, unit in SPAN.findall(text)
    )


def _number(said: Properties, name: str) -> int:
    """Return a number that systemctl shows, 0 for none."""
    text = said.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else 0


def _failed(unit: str, said: Said) -> OutgoingFailed:
    """Return what it means that systemctl did not do it."""
    words = brief(said.error or said.text) or f"status {said.status}"
    if any(text in said.error for text in NOT_LET):
        why = f"systemd does not let us restart {unit}: {words}; {REMEDY}"
        return NotAccepted(why)
    if any(text in said.error for text in NOT_BEGUN):
        return NotAccepted(f"systemd did not restart {unit}: {words}")
    return OutgoingFailed(f"systemctl: {words}")
