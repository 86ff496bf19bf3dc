"""Write the actions of the catalogue into docs/catalogue.md.

Between its two marks the page is made from what the actions declare; what
stands around them is written by hand. Run it after an action has changed:

    .venv/bin/python -m scripts.make_catalogue_page
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.act import actions
from app.act.catalogue import make_catalogue
from app.core.registry import scan
from app.core.shape import SHAPES
from app.models.action import ActionSpec, Catalogue, Parameter

HOME = Path(__file__).parent.parent
PAGE = HOME / "docs" / "catalogue.md"
BEGIN = "<!-- Made by scripts/make_catalogue_page.py: -->"
END = "<!-- End of what is made. -->"


def render(text: str, catalogue: Catalogue) -> str:
    """Return the page with the actions as they are declared now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = "\n".join(_all(catalogue))
    return f"{before}{BEGIN}\n\n{made}\n{END}{after}"


def _all(catalogue: Catalogue) -> Iterator[str]:
    """Yield the table of all actions, then a chapter on each."""
    yield "| action | what it does | risk |"
    yield "|---|---|---|"
    for spec in catalogue.specs:
        yield f"| [{spec.name}](#{spec.name}) | {spec.purpose} | {spec.risk} |"
    yield ""
    yield "| shape | what a value must look like | longest |"
    yield "|---|---|---|"
    for shape in SHAPES.values():
        yield f"| {shape.name} | {shape.says} | {shape.longest} |"
    for spec in catalogue.specs:
        yield from _chapter(spec)
    yield ""


def _chapter(spec: ActionSpec) -> Iterator[str]:
    """Yield the lines about one action."""
    yield f"\n### {spec.name}\n"
    yield f"{spec.purpose}\n"
    yield f"- Use it when: {spec.when_to_use}"
    yield f"- Do not use it when: {spec.when_not_to_use}"
    yield f"- Risk: {spec.risk}"
    if spec.run is not None:
        yield f"- Runs: job `{spec.run.job}` of the backend {spec.run.backend}"
    if spec.preconditions:
        yield f"- Must hold right before: {', '.join(spec.preconditions)}"
    if spec.check is not None:
        yield (
            f"- Has helped when: {spec.check.name} holds for"
            f" {spec.check.hold_seconds} s"
        )
    if spec.run is not None:
        yield (
            f"- At most: {spec.budget.runs} in {spec.budget.window_seconds} s"
            f" on one target, {spec.cooldown_seconds} s apart"
        )
    if spec.undo is not None:
        yield f"- Is undone by: {spec.undo}"
    yield from _table("argument", spec.parameters)
    yield from _table("told by code alone", spec.hints)


def _table(title: str, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    """Yield a table of arguments, if there are any."""
    if parameters:
        yield f"\n| {title} | what it is | comes from |"
        yield "|---|---|---|"
        for name, parameter in parameters.items():
            yield f"| {name} | {parameter.purpose} | {_origin(parameter)} |"


def _origin(parameter: Parameter) -> str:
    """Return in words where an argument may come from."""
    if parameter.values:
        return f"one of: {', '.join(parameter.values)}"
    if parameter.is_number:
        return f"a number from {parameter.minimum} to {parameter.maximum}"
    found = [f"labels {', '.join(parameter.labels)}"]
    if parameter.item_keys:
        keys = ", ".join(f"`{key}`" for key in parameter.item_keys)
        found.append(f"the argument of the Zabbix items {keys}")
    if parameter.known_software:
        found.append("software that the alert's name names")
    if parameter.inventory:
        found.append("if there is an inventory, it must know it")
    return f"{'; '.join(found)}; has the shape of a {parameter.shape}"


def read_catalogue() -> Catalogue:
    """Return the actions that come with the product."""
    return make_catalogue(scan(actions), [])


def main() -> int:
    """Write the page."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(render(text, read_catalogue()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
