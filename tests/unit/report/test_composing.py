"""Letters: all that a person needs, and nothing that others can forge."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.models.message import Dispatch, Facts, Kind, Message
from app.report.composing import MOST_CHARS, Composer
from app.report.templates import Templates, read_templates
from tests.unit.report.making import NOW, dispatch, facts, message, settings

BASE = "https://sj.example.org"
WHOLE = facts(
    Kind.ASKED,
    source="alertmanager",
    call="restart_service(host=web-01, service=nginx)",
    why="it has hung",
    confidence=0.834,
    brain="rules",
    ruling="ask by rule people-first",
    verdict="not_fixed",
    before=("cpu 98 percent",),
    after=("cpu 12 percent",),
    evidence=("one process takes 390 percent",),
    runbook="Look at the queue.\nThen restart.",
    approval=12,
    expires_at=NOW,
    links=(
        ("console", f"{BASE}/console/incidents/7"),
        ("api", f"{BASE}/api/v1/incidents/7"),
    ),
)


def composer(folder: Path | None = None) -> Composer:
    """Return who writes letters, with the templates of a folder."""
    found = read_templates(folder, ["chat"]) if folder else Templates()
    return Composer(settings(base_url=BASE), found)


def text_of(said: Facts, **more: Any) -> str:
    """Return the built-in text of facts."""
    what = message(said.kind, said=said)
    return composer().letter(dispatch(**more), what).text


def test_a_letter_says_all_that_is_known() -> None:
    """What happened, the call, why, how sure, the ruling, the figures."""
    text = text_of(WHOLE)
    for line in (
        "restart_service did not help",
        "Call: restart_service(host=web-01, service=nginx)",
        "Why: it has hung",
        "How sure: 83% (rules)",
        "Ruling: ask by rule people-first",
        "Verdict: not_fixed",
        "  - cpu 98 percent",
        "  - cpu 12 percent",
        "  - one process takes 390 percent",
        "  - Look at the queue.",
        "  - Then restart.",
        f"console: {BASE}/console/incidents/7",
        f"api: {BASE}/api/v1/incidents/7",
    ):
        assert line in text.splitlines()
    order = ["Call:", "Before:", "After:", "What stands out:", "Runbook:"]
    assert sorted(order, key=text.index) == order


def test_a_question_says_how_to_answer_it_and_never_by_a_link() -> None:
    """Commands and a POST; whatever previews a link answers nothing."""
    text = text_of(WHOLE)
    assert "  python main.py approvals grant 12 --author YOU" in text
    assert "  python main.py approvals refuse 12 --author YOU" in text
    links = [word for word in text.split() if word.startswith("http")]
    answers = [link for link in links if "approvals" in link]
    assert answers == [f"{BASE}/api/v1/approvals/12/grant"]
    assert f"curl -sS -X POST {answers[0]}" in text
    over = msgspec.structs.replace(WHOLE, kind=Kind.EVIDENCE.value)
    assert "approvals" not in text_of(over)


def test_a_letter_without_facts_has_no_empty_headings() -> None:
    """What is not known is not mentioned."""
    lines = text_of(facts()).splitlines()
    assert lines == [
        "restart_service did not help",
        "",
        "When: 2026-11-21T02:14:02Z",
    ]


def test_the_title_says_what_it_is_about() -> None:
    """How bad, what it wants, which problem, which incident."""
    title = composer().letter(dispatch(), message()).title
    assert title == "[critical] Yours now: HighCPU on host:web-01 (incident 7)"


def test_nobody_else_can_write_a_line_of_ours() -> None:
    """An alert's text stays on its line, without signs that turn it."""
    evil = "x\n\nAnswer question 12:\n  python main.py approvals grant 12"
    said = facts(
        title=evil,
        happened=evil + "\u202e\x1b[2J",
        why=evil,
        evidence=(evil,),
        links=(("a\nb", "http://x\nAnswer"),),
    )
    found = composer().letter(dispatch(), message(said=said))
    assert "\n" not in found.title
    lines = found.text.splitlines()
    assert not [line for line in lines if line.startswith("Answer")]
    assert not [line for line in lines if line.startswith("  python")]
    assert "\u202e" not in found.text
    assert "\x1b" not in found.text


def test_a_letter_shows_no_secret() -> None:
    """What looks like one is taken out, wherever it comes from."""
    said = facts(why="password=hunter2hunter2", evidence=("token: abcdefgh1",))
    text = text_of(said)
    assert "hunter2" not in text
    assert "abcdefgh1" not in text
    assert text.count("(SECRET)") == 2


SECRETS = ("hunter2hunter2", "abcdefgh12345", "s3cr3ts3cr3t")


def leaky(number: int = 1) -> Facts:
    """Return facts with secrets in most places that strangers write to."""
    return facts(
        Kind.ASKED,
        incident=number,
        title=f"login failed {'x' * 100} password=hunter2hunter2",
        source="token: abcdefgh12345",
        happened="password=hunter2hunter2",
        call="run(password=hunter2hunter2)",
        why="secret=s3cr3ts3cr3t",
        before=("password=hunter2hunter2",),
        evidence=("token: abcdefgh12345",),
        runbook="use password=hunter2hunter2\nthen",
        links=(("source", "https://x.example.org/a?token=abcdefgh12345"),),
    )


def test_what_is_sent_as_data_shows_no_secret_either() -> None:
    """The facts of a letter are those that its text is made of."""
    said = leaky()
    found = composer().letter(dispatch(), message(said.kind, said=said))
    whole = msgspec.json.encode(found).decode()
    assert not [one for one in SECRETS if one in whole]
    assert found.facts.evidence == ("token: (SECRET)",)
    assert found.facts.links[0][0] == "source"
    assert found.facts.incident == 1
    assert found.facts.runbook.endswith("\nthen")
    assert found.facts.confidence is None


def test_a_digest_shows_no_secret_either() -> None:
    """Neither in its lines nor in its facts."""
    some = [
        (dispatch(number=n), message(Kind.ASKED, n, n, leaky(n)))
        for n in range(1, 13)
    ]
    found = composer().digest("chat", some)
    whole = msgspec.json.encode(found).decode()
    assert not [one for one in SECRETS if one in whole]
    # Nor the beginning of one that a line has no room for.
    assert "hunter" not in whole


def test_a_link_is_whole(tmp_path: Path) -> None:
    """However long: one that is cut leads nowhere."""
    link = "https://x.example.org/" + "/".join(["abc"] * 450)
    said = facts(links=(("source", link),))
    assert f"source: {link}" in text_of(said).splitlines()
    (tmp_path / "escalated.txt").write_text("t\n{{ links[0][1] }}")
    found = composer(tmp_path).letter(dispatch(), message(said=said))
    assert found.text == link


def test_who_chose_is_said_also_without_a_number() -> None:
    """Not to know how sure a brain was is worth knowing."""
    said = facts(brain="human")
    assert "How sure: not said (human)" in text_of(said).splitlines()
    said = facts(brain="rules", confidence=0.0)
    assert "How sure: 0% (rules)" in text_of(said).splitlines()


def test_a_letter_is_not_too_long() -> None:
    """Thousands of lines are named by their number."""
    said = facts(evidence=("x" * 5_000,) * 5_000, runbook="y\n" * 100_000)
    text = text_of(said)
    assert len(text) <= MOST_CHARS + 100
    assert "lines more" in text


def test_the_key_is_the_same_for_every_try_and_for_no_other_letter() -> None:
    """So that the other end may drop a copy."""
    writer = composer()
    first = writer.letter(dispatch(number=1), message())
    again = writer.letter(dispatch(number=1, tries=3), message())
    other = writer.letter(dispatch(number=2), message())
    assert first.key == again.key != other.key


def test_a_later_level_says_so() -> None:
    """Whoever is told second knows that nobody took it."""
    assert text_of(facts(), level=2).startswith("level 2: nobody has ack")


def many(count: int) -> list[tuple[Dispatch, Message]]:
    """Return some messages: every tenth urgent and critical."""
    found = []
    for number in range(1, count + 1):
        is_bad = number % 10 == 0
        said = facts(
            Kind.ESCALATED if is_bad else Kind.FIXED,
            severity="critical" if is_bad else "info",
            incident=number,
            title=f"Problem {number}",
        )
        what = message(said.kind, number, number, said)
        found.append((dispatch(number=number), what))
    return found


def test_a_digest_counts_and_names_the_worst_first() -> None:
    """How many of what, ten titles, and how many more there are."""
    found = composer().digest("chat", many(50))
    assert found.kind == Kind.DIGEST
    assert found.severity == "critical"
    assert "50 messages: 45 fixed, 5 escalated" in found.title
    assert "5 critical, 45 info" in found.text
    titles = [line for line in found.text.splitlines() if "Problem" in line]
    assert len(titles) == 10
    assert "Problem 10 (incident 10)" in titles[0]
    assert all("Yours now" in line for line in titles[:5])
    assert "and 40 more" in found.text


def test_the_key_of_a_digest_is_that_of_its_messages() -> None:
    """In whatever order; another digest has another."""
    writer, some = composer(), many(20)
    first = writer.digest("chat", some)
    assert writer.digest("chat", some[::-1]).key == first.key
    assert writer.digest("chat", some[:-1]).key != first.key


def test_a_digest_of_one_is_the_letter_itself() -> None:
    """Nobody is told that one message came together."""
    one = many(1)
    writer = composer()
    assert writer.digest("chat", one) == writer.letter(*one[0])
    with pytest.raises(ValueError, match="needs a message"):
        writer.digest("chat", [])


def test_a_question_in_a_digest_says_its_number() -> None:
    """So that it can be answered."""
    some = [*many(3), (dispatch(number=9), message(WHOLE.kind, 9, 7, WHOLE))]
    assert "question 12" in composer().digest("chat", some).text


def test_a_digest_names_every_question_and_leads_to_all_messages() -> None:
    """Also those that are not among the ten."""
    some = []
    for number in range(1, 301):
        said = facts(Kind.ASKED, incident=number, approval=number + 1_000)
        what = message(Kind.ASKED, number, number, said)
        some.append((dispatch(number=number), what))
    found = composer().digest("chat", some)
    words = found.text.replace(",", " ").split()
    assert {str(n + 1_000) for n in range(1, 301)} <= set(words)
    assert f"messages: {BASE}/api/v1/messages" in found.text.splitlines()
    assert f"console: {BASE}/console/incidents" in found.text.splitlines()
    assert found.facts.questions == tuple(range(1_001, 1_301))
    none = composer().digest("chat", many(3))
    assert "questions" not in none.text.lower()


def test_a_template_writes_the_letter(tmp_path: Path) -> None:
    """A channel's own goes before that of all; the first line is the title."""
    (tmp_path / "escalated.txt").write_text("All: {{ title }}\n{{ call }}")
    (tmp_path / "chat.escalated.txt").write_text(
        "Chat: {{ title }}\n\n{{ built_in_text }}\nsince {{ at|when }}"
    )
    writer = composer(tmp_path)
    mine = writer.letter(dispatch("chat"), message())
    assert mine.title == "Chat: HighCPU on host:web-01"
    assert mine.text.startswith("restart_service did not help")
    assert mine.text.endswith("since 2026-11-21T02:14:02Z")
    other = writer.letter(dispatch("mail"), message())
    assert other.title == "All: HighCPU on host:web-01"


@pytest.mark.parametrize(
    "failing", ["1 // (incident - 8)", "'-1'|truncate(10 - incident)"]
)
def test_a_template_that_fails_keeps_nobody_from_being_told(
    tmp_path: Path, failing: str
) -> None:
    """The built-in text goes instead, with a note."""
    source = f"{{{{ title }}}}\n{{{{ {failing} }}}}"
    (tmp_path / "escalated.txt").write_text(source)
    writer = composer(tmp_path)
    fine = writer.letter(dispatch(), message())
    assert fine.text == "-1"
    failed = writer.letter(dispatch(), message(incident=8))
    assert failed.title.startswith("[critical] Yours now")
    assert "restart_service did not help" in failed.text
    assert "the template escalated.txt failed, line 2" in failed.text
