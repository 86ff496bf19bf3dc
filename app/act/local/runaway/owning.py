"""Owning: which unit of the system's own systemd a control group is of.

Anybody may call a unit of his own ``payd``: his group ends in the same name
and lies elsewhere. So systemd is asked where the unit's own group is.
"""

from app.core.command import run_program
from app.core.systemd import unit_of
from app.core.warden import SUFFIX

ASK_SECONDS = 5.0


def is_of_unit(cgroup: str, name: str) -> bool:
    """Tell whether a control group is a unit's own, or lies within it.

    Raises:
        OutgoingFailed: systemd is there, and does not answer.
    """
    unit = unit_of(name)
    if not unit.endswith(SUFFIX) or unit not in cgroup.split("/"):
        return False
    own = _find_group(unit)
    return len(own) > 1 and (cgroup == own or cgroup.startswith(f"{own}/"))


def _find_group(unit: str) -> str:
    """Return the group of a unit, "" for none; or raise OutgoingFailed."""
    asked = ["show", "--property=Id,ControlGroup", "--", unit]
    said = run_program("systemctl", asked, ASK_SECONDS)
    found = dict(
        line.split("=", 1) for line in said.text.splitlines() if "=" in line
    )
    # An alias is another unit's: that one must be listed.
    return found.get("ControlGroup", "") if found.get("Id") == unit else ""
