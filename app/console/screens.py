"""Screens: every page of the console, in the order of the header."""

from collections.abc import Mapping

import msgspec

from app.models.account import Role


class Screen(msgspec.Struct, frozen=True):
    """One page that a script draws.

    Attributes:
        name: in the address, under /console/.
        title: in the header.
        role: who has it.
        sheets: its style sheets, beside the common ones.
        modules: what its script imports, to be fetched at once; what the
            script or one of these imports itself may be left out.
    """

    name: str
    title: str
    role: Role = Role.VIEWER
    sheets: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


# What every script needs.
COMMON = tuple(
    f"lib/{name}"
    for name in (
        *("dom", "seen", "api", "keys", "live", "events", "says", "time"),
        *("palette", "leaving", "session", "errand", "alike", "me"),
    )
)
RULES = ("screens/rules/parts",)
# What draws a chart.
CHART = (
    "el/chart",
    *(f"el/chart/{name}" for name in ("measure", "paint")),
)
HANDOVER = (
    *(
        f"screens/handover/{name}"
        for name in ("markdown", "numbers", "parts", "spans")
    ),
)
PEOPLE = (
    *(
        f"screens/people/{name}"
        for name in ("accounts", "dialogs", "sessions", "tokens")
    ),
)
SCREENS = (
    Screen(
        "incidents",
        "Incidents",
        sheets=("grid", "incidents"),
        modules=(
            "el/grid",
            "lib/matchers",
            *(
                f"screens/incidents/{name}"
                for name in ("acts", "filter", "lanes", "row")
            ),
        ),
    ),
    Screen("log", "Log", sheets=("log",), modules=("screens/log/peek",)),
    Screen(
        "metrics",
        "Metrics",
        sheets=("chart", "metrics"),
        modules=(
            *CHART,
            *(
                f"screens/metrics/{name}"
                for name in ("series", "days", "machine")
            ),
        ),
    ),
    Screen("catalogue", "Catalogue", sheets=("rules",), modules=RULES),
    Screen("policy", "Policy", sheets=("rules",), modules=RULES),
    Screen("brains", "Brains", sheets=("rules",), modules=RULES),
    Screen("mutes", "Mutes", sheets=("rules",), modules=RULES),
    Screen(
        "simulator",
        "Simulator",
        role=Role.ADMIN,
        sheets=("simulator",),
        modules=("screens/simulator/faults", "screens/simulator/score"),
    ),
    Screen(
        "handover",
        "Handover",
        sheets=("handover",),
        modules=HANDOVER,
    ),
    Screen(
        "people",
        "People",
        role=Role.ADMIN,
        sheets=("people",),
        modules=PEOPLE,
    ),
)
INCIDENT = Screen(
    "incident",
    "Incident",
    sheets=("incident", "output", "chart"),
    modules=(
        "el/log/plain",
        "lib/clipboard",
        "lib/matchers",
        "screens/incident/acts",
        "screens/incident/data",
        "screens/incident/details",
        "screens/incident/now",
        "screens/incident/steps",
        "screens/incident/timeline",
    ),
)
ME = Screen(
    "me",
    "You",
    sheets=("people",),
    modules=("screens/people/sessions", "screens/people/tokens"),
)
BY_NAME: Mapping[str, Screen] = {one.name: one for one in SCREENS}
