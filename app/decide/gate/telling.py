"""Tell a lesson: one line becomes many alerts of many styles."""

import re
from collections.abc import Iterator, Sequence

import msgspec

from app.decide.casing import Told
from app.decide.gate.dice import Dice
from app.decide.gate.lessons import ACTING, Lesson
from app.decide.gate.strays import Labels, add_stray
from app.decide.gate.twins import make_vital
from app.decide.knowledge import words_in

TWINS = 0.3
HOLE = re.compile(r"\{(\w+)\}")
NEUTRAL = words_in(
    "srv host node vm box machine app web api front www shop portal intra"
    " site edge svc core int ext prod stage lin alpha zeus mars"
)
ZONES = ("", "", "", ".example.net", ".int.example.org", ".local")
PORTS = (":9100", ":9100", ":9256", ":8080", ":9182", ":19999", "")
CLUSTERS = ("prod-eu1", "prod", "staging", "k8s-a", "eu-west", "main")
GROUPS = ("Linux servers", "Servers", "Production", "Templates", "Windows")
TEXTS = (0, 1, 1, 1, 2, 2, 3)
# Zabbix's words for how bad it is.
WORDS = {
    "none": "Not classified",
    "info": "Information",
    "warning": "Warning",
    "error": "Average",
    "critical": "High",
}
# What Zabbix says by the key of an item instead of a label.
KEYS = (
    ("mountpoint", "vfs.fs.size[{},pused]"),
    ("path", "vfs.fs.size[{},pused]"),
    ("filesystem", "vfs.fs.inode[{},pfree]"),
    ("volume", "vfs.fs.size[{},pused]"),
    ("service", 'service.info["{}",state]'),
    ("name", 'systemd.unit.info["{}"]'),
    ("process", "proc.num[{}]"),
)


class Example(msgspec.Struct, frozen=True):
    """One telling of a lesson: an alert, and what is right for it."""

    told: Told
    action: str
    ok: tuple[str, ...]
    topic: str
    lesson: int


class Scene(msgspec.Struct):
    """What is told: the holes of the texts are filled."""

    name: str
    severity: str
    host: str
    labels: dict[str, str]
    texts: list[str]

    @property
    def grade(self) -> str:
        """Return how bad it is in our scale."""
        return "unknown" if self.severity == "none" else self.severity


def tell_all(
    lessons: list[Lesson],
    times: int,
    seed: int,
    strays: Sequence[Labels] = (),
) -> Iterator[Example]:
    """Yield each lesson told so many times; the same seed, the same texts.

    Args:
        lessons: what is told.
        times: how often each.
        seed: of the chance.
        strays: labels of things that are acted on; none: a label that is
            told is always what the alert is about.
    """
    dice = Dice(seed)
    # Of their own: with and without strays all else is told the same.
    others = Dice(seed + 1)
    for number, lesson in enumerate(lessons):
        for _ in range(times):
            example = tell(lesson, number, dice)
            if strays and example.action not in ACTING:
                told = add_stray(example.told, lesson, strays, others)
                example = msgspec.structs.replace(example, told=told)
            yield example


def tell(lesson: Lesson, number: int, dice: Dice) -> Example:
    """Return one telling of a lesson, or of its dangerous twin."""
    labels = {key: dice.pick(some) for key, some in lesson.labels.items()}
    action, ok = lesson.action, lesson.ok
    host = labels.pop("instance", "") or labels.pop("host", "")
    host = host or _host(dice)
    if action in ACTING and dice.hits(TWINS):
        host, changed = make_vital(action, host, labels, dice)
        if changed is not None:
            labels = changed
            action, ok = "escalate", ("collect_diagnostics",)
    scene = _scene(lesson, host, labels, dice)
    is_sentence = " " in scene.name
    if is_sentence and dice.hits(0.65):
        told = _as_zabbix(scene, dice)
    else:
        told = _as_prometheus(scene, dice)
    return Example(told, action, ok, lesson.topic, number)


def _scene(
    lesson: Lesson, host: str, labels: dict[str, str], dice: Dice
) -> Scene:
    """Return a lesson with one of its names and some of its texts."""
    filling = {"host": host, **_fillings(dice), **labels}
    name = _filled(dice.pick(lesson.names), filling)
    severity = dice.pick(lesson.severities)
    texts = [_filled(text, filling) for text in lesson.texts]
    return Scene(
        name, severity, host, labels, dice.shuffled(texts)[: dice.pick(TEXTS)]
    )


def _as_prometheus(scene: Scene, dice: Dice) -> Told:
    """Return an alert as Prometheus and Grafana tell it."""
    labels = {"alertname": scene.name}
    is_pod = bool({"pod", "namespace"} & scene.labels.keys())
    if not is_pod or dice.hits(0.3):
        port = "" if ":" in scene.host else dice.pick(PORTS)
        labels["instance"] = scene.host + port
    if dice.hits(0.5):
        labels["cluster"] = dice.pick(CLUSTERS)
    labels |= scene.labels
    if scene.severity != "none" or dice.hits(0.5):
        labels["severity"] = scene.severity
    names = ("summary", "description", "message")
    annotations = dict(zip(names, scene.texts, strict=False))
    if dice.hits(0.25):
        text = f"{_plain(scene.name)} (instance {scene.host})"
        annotations["summary"] = text
    return Told(
        source="alertmanager",
        name=scene.name,
        status="firing",
        severity=scene.grade,
        summary=annotations.get("summary", ""),
        labels=labels,
        annotations=annotations,
    )


def _as_zabbix(scene: Scene, dice: Dice) -> Told:
    """Return an alert as Zabbix tells it: host fields, tags, an item key."""
    host = scene.host.split(":")[0]
    labels = {"host": host, "host_name": host}
    rest = dict(scene.labels)
    for label, pattern in KEYS:
        is_unit = label != "name" or rest.get(label, "").endswith(".service")
        if label in rest and is_unit and dice.hits(0.7):
            labels["item_key"] = pattern.format(rest.pop(label))
            break
    if dice.hits(0.6):
        labels["hostgroups"] = dice.pick(GROUPS)
    labels |= rest
    labels["severity"] = WORDS[scene.severity]
    annotations = {}
    if scene.texts:
        annotations["trigger_description"] = scene.texts[0]
    if len(scene.texts) > 1 and dice.hits(0.5):
        annotations["opdata"] = scene.texts[1]
    return Told(
        source="zabbix",
        name=scene.name,
        status="firing",
        severity=scene.grade,
        summary=scene.name,
        labels=labels,
        annotations=annotations,
    )


def _plain(name: str) -> str:
    """Return CamelCase as a sentence."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _host(dice: Dice) -> str:
    """Return the name of a host that says little."""
    if dice.hits(0.15):
        return f"10.{dice.below(250)}.{dice.below(250)}.7"
    number = f"{1 + dice.below(98):0{dice.pick((1, 2))}d}"
    dash = dice.pick(("-", "-", ""))
    return f"{dice.pick(NEUTRAL)}{dash}{number}{dice.pick(ZONES)}"


def _fillings(dice: Dice) -> dict[str, str]:
    """Return values for the holes that no label fills."""
    number = dice.below
    return {
        "pct": f"{80 + number(20)}",
        "value": f"{1 + number(899)}",
        "count": f"{1 + number(59)}",
        "secs": f"{5 + number(895)}",
        "mins": f"{1 + number(59)}",
        "hours": f"{1 + number(47)}",
        "days": f"{1 + number(59)}",
        "size": f"{1 + number(899)} GB",
        "ip": f"10.0.{number(250)}.{1 + number(249)}",
        "version": f"{1 + number(19)}.{number(20)}",
        "user": dice.pick(("root", "backup", "ana", "svc-web")),
        "url": "https://www.example.net/health",
        "id": f"{100 + number(99899)}",
        "node": f"node-{1 + number(29)}",
    }


def _filled(text: str, filling: dict[str, str]) -> str:
    """Return a text whose holes are filled."""
    return HOLE.sub(lambda hole: filling.get(hole[1], hole[1]), text)
