"""Find what is no error of form in a policy, and a mistake most likely.

What is named is certain; a rule that is not named may still never match,
for reasons that only the world could tell.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from app.guard.celtext import spellings, strings
from app.guard.known import Known
from app.guard.policyfile import LadderPart, PolicyFile
from app.guard.reach.facts import ACTION, RISK, SEVERITY, SOURCE
from app.guard.reach.formula import AMONG, Group, Part, demands
from app.guard.reach.parsing import read_formula
from app.guard.reach.searching import (
    Case,
    Search,
    Values,
    gather_values,
    make_case,
    name_conflict,
)
from app.guard.reach.wording import OUT, find_bad_parts, find_missing
from app.guard.rule import Rule
from app.models.action import Risk
from app.models.approval import known_as

Place = tuple[str, ...]
LISTS: Mapping[str, str] = {
    "actions": ACTION,
    "risks": RISK,
    "environments": "target.environment",
    "teams": "target.team",
    "sources": SOURCE,
    "severities": SEVERITY,
}
# In these, capital letters and small ones are the same.
PLACES = ("environments", "teams")
Ways = Mapping[str, frozenset[str]]


class Mistake(msgspec.Struct, frozen=True):
    """Something that is a mistake most likely.

    Attributes:
        place: where it stands in the file.
        what: what is wrong.
        remedy: what to do about it.
    """

    place: Place
    what: str
    remedy: str


def find_mistakes(
    says: PolicyFile, rules: Sequence[Rule], known: Known
) -> Iterator[Mistake]:
    """Yield the mistakes of a policy, from its top to its bottom.

    Args:
        says: what the file says.
        rules: its rules.
        known: what there is to name.
    """
    for at, budget in enumerate(says.budgets):
        place = ("budgets", str(at), "actions")
        found = _action_mistakes(place, budget.actions, budget.risks, known)
        yield from _in_part(f"budget {budget.name!r}", found)
    yield from _unanswerable(says)
    yield from _rule_mistakes(rules, known)
    yield from _ladder_mistakes(says.trust.ladder, known)


def _unanswerable(says: PolicyFile) -> Iterator[Mistake]:
    """Yield the rules that name fewer people than must grant what they ask.

    Nobody would ever be asked by them.
    """
    for at, rule in enumerate(says.rules):
        people = rule.people or says.ask.people
        whom = {known_as(one) for one in rule.whom or ()}
        if whom and len(whom) < people:
            yield Mistake(
                ("rules", str(at), "whom"),
                f"rule {rule.name!r} asks {people} people and names"
                f" {len(whom)}: nobody could ever grant it",
                "Name more people, or let one be enough.",
            )


def _in_part(part: str, found: Iterable[Mistake]) -> Iterator[Mistake]:
    """Yield mistakes with the part that they are in."""
    for one in found:
        yield Mistake(one.place, f"{part}: {one.what}", one.remedy)


def _rule_mistakes(rules: Sequence[Rule], known: Known) -> Iterator[Mistake]:
    """Yield the mistakes in rules, and the rules that never match."""
    ways = _ways_of(rules)
    cases = [_case_of(rule, ways) for rule in rules]
    values = gather_values([case.formula for case in cases], known)
    search = Search(values)
    for at, rule in enumerate(rules):
        words = list(_word_mistakes(at, rule, known))
        yield from _in_part(f"rule {rule.says.name!r}", words)
        if words:
            # Whether it ever matches is a question of what was meant.
            continue
        cover = search.find_cover(cases[at], cases[:at])
        if cover is None:
            continue
        names = [repr(rules[one].says.name) for one in cover]
        why = _say_taken(names, "match")
        yield Mistake(
            ("rules", str(at)),
            f"rule {rule.says.name!r} can never matter: "
            + (why or _say_contrary(cases[at], values)),
            "Put it before, or take it out." if why else OUT,
        )


def _ways_of(rules: Sequence[Rule]) -> Ways:
    """Return the ways in which the rules write the names of places."""
    listed = (
        word
        for rule in rules
        for name in PLACES
        for word in getattr(rule.says, name)
    )
    told = (word for rule in rules for word in strings(rule.condition.text))
    return spellings((*listed, *told))


def _case_of(rule: Rule, ways: Ways) -> Case:
    """Return a rule as the search sees it."""
    lists = tuple(
        Part(
            f"{name}: [{', '.join(some)}]",
            field,
            AMONG,
            _each(name, some, ways),
        )
        for name, field in LISTS.items()
        if (some := [str(one) for one in getattr(rule.says, name)])
    )
    when = read_formula(rule.condition.text)
    return make_case(
        Group((*lists, when), needs_all=True),
        restricts=rule.says.outcome != "allow",
    )


def _each(name: str, words: Sequence[str], ways: Ways) -> tuple[str, ...]:
    """Return the words of a list, in each way in which they are written."""
    if name not in PLACES:
        return tuple(words)
    found = frozenset[str]().union(*(ways[one.casefold()] for one in words))
    return tuple(sorted(found))


def _say_taken(names: Sequence[str], verb: str) -> str:
    """Return that others come first, or nothing when there are none."""
    if not names:
        return ""
    if len(names) == 1:
        ending = "es" if verb.endswith("ch") else "s"
        return f"{names[0]} before it always {verb}{ending} first"
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed} before it leave nothing to it"


def _say_contrary(case: Case, values: Values) -> str:
    """Return why a rule never matches by itself."""
    conflict = name_conflict(list(demands(case.formula)), values)
    if conflict:
        one, other = conflict
        return f"`{one}` and `{other}` are never true together"
    return "its condition is never true"


def _word_mistakes(at: int, rule: Rule, known: Known) -> Iterator[Mistake]:
    """Yield the words in a rule that there are not, and idle parts."""
    place = ("rules", str(at))
    says = rule.says
    where = (*place, "actions")
    yield from _action_mistakes(where, says.actions, says.risks, known)
    for index, name in enumerate(says.sources):
        for what, remedy in find_missing(SOURCE, name, known):
            yield Mistake((*place, "sources", str(index)), what, remedy)
    formula = read_formula(rule.condition.text)
    for what, remedy in find_bad_parts(formula, known):
        yield Mistake((*place, "when"), what, remedy)


def _action_mistakes(
    place: Place,
    names: Sequence[str],
    risks: Sequence[Risk],
    known: Known,
) -> Iterator[Mistake]:
    """Yield the actions that there are not, or not of such a risk."""
    for index, name in enumerate(names):
        where = (*place, str(index))
        for what, remedy in find_missing(ACTION, name, known):
            yield Mistake(where, what, remedy)
        risk = known.risks.get(name)
        if risk is not None and risks and risk not in risks:
            listed = ", ".join(risks)
            what = f"{name!r} never counts: it is {risk.value}, not {listed}"
            yield Mistake(where, what, "Name its risk, or take it out.")


def _ladder_mistakes(
    ladder: Sequence[LadderPart], known: Known
) -> Iterator[Mistake]:
    """Yield the mistakes in the ladder, and lines that are never used."""
    cases = [make_case(_demand(line)) for line in ladder]
    values = gather_values([case.formula for case in cases], known)
    search = Search(values)
    for at, line in enumerate(ladder):
        place = ("trust", "ladder", str(at))
        names = [line.action] if line.action else []
        risks = [line.risk] if line.risk else []
        where = (*place, "action")
        wrong = list(_action_mistakes(where, names, risks, known))
        yield from _in_part(f"line {at + 1} of the ladder", wrong)
        cover = None if wrong else search.find_cover(cases[at], cases[:at])
        if cover is not None:
            lines = [f"line {one + 1}" for one in cover]
            what = f"line {at + 1} of the ladder can never matter: "
            why = _say_taken(lines, "fit")
            remedy = "Put it before, or take it out."
            yield Mistake(place, what + why, remedy)


def _demand(line: LadderPart) -> Group:
    """Return what a line of the ladder demands."""
    wanted = (
        (ACTION, line.action),
        (RISK, line.risk),
        ("target.environment", line.environment.casefold()),
    )
    parts = [
        Part(str(word), field, AMONG, (str(word),))
        for field, word in wanted
        if word
    ]
    return Group(tuple(parts), needs_all=True)
