"""systemd, asked through systemctl: fixed words, and one verb that acts."""

import re
import time
from collections.abc import Iterable, Mapping

import msgspec

from app.core.brief import brief
from app.core.command import Said, run_program
from app.core.errand import Errand
from app.core.errors import NotAccepted, NotSent, OutgoingFailed
from app.core.warden import SUFFIX, Limit, Standing, State, last_lines

PROPERTIES = (
    "Id,Names,LoadState,ActiveState,SubState,UnitFileState,Type,Result,"
    "MainPID,NRestarts,Restart,InvocationID,StateChangeTimestampMonotonic,"
    "ExecMainStartTimestampMonotonic,StartLimitBurst,StartLimitIntervalUSec,"
    "TimeoutStopUSec,"
    "RefuseManualStart,RefuseManualStop,CanStart,"
    "RequiredBy,RequisiteOf,BoundBy,ConsistsOf,PropagatesStopTo"
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
# Whoever stands there is ended, and mostly started, together with a unit.
ALONG = ("RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf",
         "PropagatesStopTo")  # fmt: skip
# So far it is followed who is taken along, and by whom.
MOST_UNITS = 200
MOST_LEVELS = 16
RESTART_SECONDS = 60.0
UNFOLLOWED = "nobody knows what would be restarted with it"
# Under these systemd starts again whatever failed, unless it has given up.
EVER = ("always", "on-failure")
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
        until = time.monotonic() + seconds
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
        standing = _standing(unit, found)
        if not standing.takes_along:
            return standing
        replace = msgspec.structs.replace
        along = set(_units(found, ALONG))
        try:
            names = _follow(along, found.get("Id", unit), until)
        except OutgoingFailed as error:
            why = standing.refusal or f"{unit}: {UNFOLLOWED}: {error}"
            return replace(standing, refusal=why)
        return replace(standing, takes_along=names)

    def restart(self, standing: Standing, errand: Errand) -> None:
        """Tell systemd to restart a unit, or raise."""
        del errand
        unit = unit_of(standing.name)
        asked = ["restart", "--no-block", "--no-ask-password", "--", unit]
        try:
            said = run_program("systemctl", asked, RESTART_SECONDS)
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
        said = run_program("journalctl", asked, seconds, keeps_end=True)
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
    limit = _limit(said, now)
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
        refusal=_refusal(unit, said, limit),
        names=_bare(_units(said, ("Names",))),
        takes_along=_bare(_units(said, ALONG)),
        limit=limit,
        ending_seconds=span_seconds(said.get("TimeoutStopUSec", "")),
    )


def _units(said: Properties, properties: Iterable[str]) -> list[str]:
    """Return the units that some properties name."""
    return " ".join(said.get(one, "") for one in properties).split()


def _bare(units: Iterable[str]) -> tuple[str, ...]:
    """Return units, each once, and services without their suffix."""
    return tuple(dict.fromkeys(one.removesuffix(SUFFIX) for one in units))


def _follow(first: Iterable[str], unit: str, until: float) -> tuple[str, ...]:
    """Return by all their names the units that a unit takes along.

    One that is taken along takes others along, a target as well.

    Raises:
        OutgoingFailed: nobody says it, or there is no end of them.
    """
    names: dict[str, None] = {}
    fresh = sorted(set(first) - {unit})
    shown = f"--property=Names,{','.join(ALONG)}"
    seen = {unit}
    for _ in range(MOST_LEVELS):
        if not fresh:
            return _bare(names)
        seen.update(fresh)
        if len(seen) > MOST_UNITS:
            break
        names |= dict.fromkeys(fresh)
        left = max(0.1, round(until - time.monotonic(), 1))
        said = run_program("systemctl", ["show", shown, "--", *fresh], left)
        if said.status:
            raise OutgoingFailed(f"systemctl: status {said.status}")
        found: list[str] = []
        for line in said.text.splitlines():
            name, _, value = line.partition("=")
            if name == "Names":
                names |= dict.fromkeys(value.split())
                seen.update(value.split())
            else:
                found += value.split()
        fresh = sorted(set(found) - seen)
    raise OutgoingFailed(f"more than {MOST_UNITS} units, or endless ones")


def _refusal(unit: str, said: Properties, limit: Limit | None) -> str:
    """Return why a unit must not be restarted now, or nothing."""
    if not unit.endswith(SUFFIX):
        return f"{unit} is no service"
    found = [text for text in (_kind(said), _moment(said, limit)) if text]
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


def _moment(said: Properties, limit: Limit | None) -> str:
    """Return why a unit is not restarted just now, or nothing."""
    if _is_given_up(said):
        return "started too often and was given up by systemd: look why first"
    active, sub = said.get("ActiveState"), said.get("SubState")
    if active in ("activating", "deactivating"):
        return f"is {active} ({sub}): systemd is at it already"
    if active == "inactive" and said.get("UnitFileState") == "disabled":
        return "is disabled and does not run: somebody switched it off"
    if active == "inactive" and said.get("Result", "") in ("", "success"):
        return "does not run and did not fail: somebody stopped it"
    if limit is not None and not limit.has_room():
        return "would reach its start limit: systemd would leave it stopped"
    return ""


def _is_given_up(said: Properties) -> bool:
    """Tell whether systemd started a unit again and again, and stopped that.

    Its result is then mostly why the last start failed.
    """
    if said.get("Result") == "start-limit-hit":
        return True
    restarts = _number(said, "NRestarts")
    if said.get("ActiveState") != "failed" or not restarts:
        return False
    burst = _number(said, "StartLimitBurst")
    return said.get("Restart") in EVER or 0 < burst <= restarts


def _limit(said: Properties, now: float) -> Limit | None:
    """Return how often a unit may be started, None when nothing counts.

    systemd counts the starts of an interval, and shows how often it
    restarted the unit by itself since somebody started it. So this is
    careful: all of those, and that one start, may lie within the interval.
    """
    burst = _number(said, "StartLimitBurst")
    interval = span_seconds(said.get("StartLimitIntervalUSec", "0"))
    if not burst or not interval:
        return None
    began = _number(said, "ExecMainStartTimestampMonotonic") / 1e6
    is_recent = began > 0 and now - began < interval
    starts = _number(said, "NRestarts") + 1 if is_recent else 0
    return Limit(starts=starts, burst=burst, seconds=interval)


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
