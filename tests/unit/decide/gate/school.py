"""What tests of the gate need: menus, small lessons, any weights at all."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.registry import scan
from app.decide.casing import Told, make_case
from app.decide.gate.features import SIZE
from app.decide.gate.lessons import ACTING, ACTIONS, Lesson, parse
from app.decide.gate.model import Floats, Model
from app.decide.gate.training import Teacher
from app.decide.gate.weights import Facts, Weights
from app.decide.grounding import Grounder
from app.decide.knowledge import read_knowledge
from app.models.case import Case
from app.models.inventory import Inventory
from app.models.menu import Menu
from app.models.origins import TOPICS

KNOWLEDGE = read_knowledge()
GROUNDER = Grounder(make_catalogue(scan(actions), []), Inventory(), KNOWLEDGE)
LINES = """
# Enough of each kind that a model tells them apart.
restart_service | collect_diagnostics escalate | service | error critical \
| ServiceDown; {service} is not running | {service} on {host} has stopped \
| service=nginx,apache2,php-fpm
escalate | collect_diagnostics | database | error critical \
| DatabaseDown; {service} does not answer | nobody can log in to {service} \
| service=mysqld,postgresql
free_disk_space | collect_diagnostics escalate | disk | warning error \
| DiskFull; {mountpoint} fills up | {pct} % of {mountpoint} are used \
| mountpoint=/var/log,/tmp,/var/cache
escalate | collect_diagnostics | disk | warning error \
| VolumeFull; data on {mountpoint} grow | {pct} % of {mountpoint} are used \
| mountpoint=/var/lib/mysql,/home
collect_diagnostics | escalate | cpu | warning \
| HighLoad; Load is too high | the load has been {value} for {mins} minutes \
| -
escalate | - | certificate | warning error \
| CertificateExpires; certificate of {host} ends soon | {days} days are left \
| -
no_action | - | general | info none \
| Watchdog; version has changed | this alert always fires \
| -
restart_pod | collect_diagnostics escalate | pod | warning \
| PodNotReady; {pod} does not serve | {pod} in {namespace} fails its probe \
| namespace=shop pod=shop-web-6f8c9d7b5-k2lmn,cart-ui-7c6f9d8b5c-9hjtz
"""


def few_lessons() -> list[Lesson]:
    """Return some lessons that are quickly learned."""
    return list(parse(LINES.splitlines(), "few.txt"))


@cache
def few_weights() -> Weights:
    """Return what a model makes of the few lessons."""
    return Teacher(GROUNDER, KNOWLEDGE).teach(few_lessons())


def case_of(
    labels: Mapping[str, str], name: str = "ServiceDown", **more: str
) -> Case:
    """Return the case of an alert with these labels."""
    told = Told(
        source="alertmanager",
        name=name,
        status="firing",
        severity="warning",
        summary=more.get("summary", ""),
        labels={"alertname": name, **labels},
    )
    return make_case(told, 0)


def menu_of(case: Case) -> Menu:
    """Return what may be chosen for a case."""
    return GROUNDER.menu(case)


@cache
def _draw(seed: int) -> tuple[Floats, Floats]:
    """Return a table of any numbers for each of the two models."""
    chance = np.random.default_rng(seed)
    return (
        chance.normal(0, 3, (SIZE, len(ACTIONS))).astype(np.float32),
        chance.normal(0, 1, (SIZE, len(TOPICS))).astype(np.float32),
    )


def any_weights(seed: int, *, wants: str = "", least: float = 0.0) -> Weights:
    """Return weights that nobody trained.

    Args:
        seed: what they are drawn by.
        wants: an action that they choose whenever it is possible.
        least: from which probability on everything may run unasked.
    """
    table, topics = _draw(seed)
    if wants:
        table = table.copy()
        table[:, ACTIONS.index(wants)] += 20
    facts = Facts(
        version=f"any-{seed}",
        actions=ACTIONS,
        topics=TOPICS,
        thresholds=dict.fromkeys(sorted(ACTING), least),
    )
    return Weights(facts, Model(table), Model(topics))
