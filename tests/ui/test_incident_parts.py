"""What the incident page makes of texts and entries: the modules alone."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from app.console.assets import TEXTS
from tests.ui.alone import fresh, page, run

__all__ = ["fresh", "page"]
AT = "2026-11-21T02:14:{:02}Z"
LOG = """PLAY [all] ***
ok: a
TASK [one] ***
ok: b
failed=0 ok=3
TASK [two] ***
fatal: [web-01]: FAILED! => no
::group::three
inside
::endgroup::
after
"""


def _leave(route: Route) -> None:
    """Answer nothing."""
    del route


def read(page: Page, text: str, body: str) -> Any:
    """Return what the lines of an output are asked for."""
    return run(
        page,
        "el/log/lines",
        f"const l = new m.Lines(); l.add(given); {body}",
        text,
    )


def entry(number: int, kind: str, **more: Any) -> dict[str, Any]:
    """Return an entry of the log."""
    plain = {
        "id": number,
        "at": AT.format(number),
        "kind": kind,
        "actor": "rule:folding",
        "action": "",
        "summary": kind,
        "body": {},
    }
    return {**plain, **more}


def known(*entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return what a page knows of an incident."""
    plain: dict[str, Any] = {
        "incident": {"id": 1, "state": "open"},
        "mission": None,
        "ruling": None,
        "jobs": [],
        "approvals": [],
        "entries": list(entries),
    }
    return {**plain, **more}


def steps(page: Page, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps that are made of it."""
    found: list[dict[str, Any]] = run(
        page, "screens/incident/steps", "return m.toSteps(given);", given
    )
    return found


def test_sections_begin_and_end(page: Page) -> None:
    """Heads of plays, tasks and groups; a group ends where it says."""
    ask = "return l.sections.map((s) => [l.title(s), s.line, l.endOf(s)]);"
    assert read(page, LOG, ask) == [
        ["PLAY [all] ***", 0, 2],
        ["TASK [one] ***", 2, 5],
        ["TASK [two] ***", 5, 7],
        ["three", 7, 10],
    ]
    ask = "return [l.sectionOf(10) ?? null, l.headOf(8) ?? null, l.count];"
    assert read(page, LOG, ask) == [None, None, 11]


def test_only_what_failed_is_failed(page: Page) -> None:
    """A count of no failures is no failure."""
    ask = "return l.sections.map((s) => s.isFailed);"
    assert read(page, LOG, ask) == [False, False, True, False]


def test_what_is_folded_is_not_visible_and_is_found(page: Page) -> None:
    """Only what failed stays open; the search sees all of it."""
    ask = "l.toggleAll(true); return [l.visible(), l.find('OK: ')];"
    assert read(page, LOG, ask) == [[0, 2, 5, 6, 7, 10], [1, 3]]


def test_half_a_line_is_one_line_in_the_end(page: Page) -> None:
    """Ranges divide lines; what is joined is counted once."""
    ask = (
        "l.add('lf'); const before = [l.count, l.raw(1)]; l.add('!\\nx');"
        " l.end(); return [before, l.count, l.whole()];"
    )
    assert read(page, "one\nha", ask) == [[2, "half"], 3, "one\nhalf!\nx\n"]


def test_nothing_steers_the_eyes(page: Page) -> None:
    """Colours go; other controls and turns of direction get names."""
    text = "\x1b[31mred\x1b[0m a\rb \u202ec\x07 \u2066d\x9b"
    plain = run(page, "el/log/plain", "return m.plain(given);", text)
    assert plain == "red a\u240db ‹U+202E›c\u2407 ‹U+2066›d\ufffd"


def test_times_can_be_left_out(page: Page) -> None:
    """They are seen at the beginning of lines only."""
    ask = "return [l.hasTimes, l.text(0, false), l.text(0, true)];"
    line = "2026-11-21T02:14:02.5Z ok: it\n"
    assert read(page, line, ask) == [True, "ok: it", line.strip()]
    assert read(page, "at 2026-11-21T02:14:02Z\n", ask)[0] is False


def test_what_belongs_together_is_one_step(page: Page) -> None:
    """A question and its answer; a job and its end; with their spans."""
    job = {
        "id": 7,
        "state": "failed",
        "call": "mend()",
        "proposer": "brain:x",
        "after": [],
        "verdict": "",
    }
    found = steps(
        page,
        known(
            entry(1, "incident.opened"),
            entry(2, "approval.asked", body={"approval": 3}),
            entry(3, "incident.noted"),
            entry(9, "approval.granted", body={"approval": 3}),
            entry(10, "job.started", body={"job": 7}),
            entry(12, "job.ended", body={"job": 7}),
            jobs=[job],
        ),
    )
    told = [(one["word"], one["state"], len(one["entries"])) for one in found]
    assert told == [
        ("ALERT", "done", 1),
        ("APPROVAL", "done", 2),
        ("PEOPLE", "done", 1),
        ("JOB", "bad", 2),
    ]
    assert (found[1]["at"], found[1]["until"]) == (AT.format(2), AT.format(9))
    assert found[3]["text"] == "mend() failed"


@pytest.mark.parametrize(
    ("stage", "ahead"),
    [
        ("deciding", ["POLICY", "JOB", "VERIFY"]),
        ("awaiting_approval", ["JOB", "VERIFY"]),
        ("acting", ["VERIFY"]),
        ("escalated", []),
    ],
)
def test_what_is_to_come_is_hollow(
    page: Page, stage: str, ahead: list[str]
) -> None:
    """The stage says it; what only looks is not measured."""
    mission = {"stage": stage, "decision": 4, "job": None}
    given = known(entry(1, "incident.opened"), mission=mission)
    found = [one for one in steps(page, given) if one["state"] == "pending"]
    assert [one["word"] for one in found] == ahead
    ruling = {"decision": 4, "motion": {"spec": {"check": None}}}
    found = steps(page, {**given, "ruling": ruling})
    assert "VERIFY" not in [one["word"] for one in found]


def test_tries_are_counted_but_not_what_code_looked_at(page: Page) -> None:
    """The second decision of a brain is try 2; evidence is none."""
    found = steps(
        page,
        known(
            entry(1, "decision.made", actor="brain:a"),
            entry(2, "decision.made", actor="code:evidence"),
            entry(3, "decision.made", actor="brain:a"),
        ),
    )
    assert [one.get("attempt") for one in found] == [1, None, 2]


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("", "no verdict yet"),
        ("fixed", "✓ fixed"),
        ("unknown", "? unknown: that is no success"),
    ],
)
def test_a_verdict_is_said_in_words(
    page: Page, verdict: str, said: str
) -> None:
    """With the last reading, and how many were good in a row."""
    reading = {
        "check": "disk_has_room",
        "value": 81.25,
        "unit": "%",
        "limit": 85,
        "is_floor": False,
        "says": "",
        "judgement": "good",
    }
    after = [{**reading, "judgement": "bad"}, reading, reading]
    text = run(
        page,
        "screens/incident/verify",
        "return m.progress(given);",
        {"after": after, "verdict": verdict},
    )
    assert text == (
        f"{said} · disk_has_room 81.25% (at most 85) · 2 of 3 readings good"
        " in a row · ▯▮▮"
    )


def test_what_stands_out_is_the_list_under_its_head(page: Page) -> None:
    """A report without that head says nothing, which is not "nothing"."""
    report = (
        "# evidence: x\n## what stands out\n- disk: full\n- cpu\n"
        "## disk\n- not this\n"
    )
    module, body = "screens/incident/evidence", "return m.outstanding(given);"
    assert run(page, module, body, report) == ["disk: full", "cpu"]
    assert run(page, module, body, "## what stands out\n") == []
    assert run(page, module, body, "load 3\n- x\n") is None


BRING = "return m.bring('log').then(() => 'here', (e) => `${e.cause}`);"


def test_a_part_that_stalls_ends_as_a_problem(fresh: Page) -> None:
    """Whoever waits for it hears of it, as when the API does not answer."""
    fresh.route("**/el/log/pull.js", _leave)
    fresh.clock.install()
    run(
        fresh,
        "screens/incident/bring",
        "m.bring('log').catch((e) => { window.told = `${e.cause}`; });",
    )
    fresh.clock.fast_forward(21_000)
    told = fresh.wait_for_function("() => window.told", timeout=5_000)
    assert told.json_value() == "Error: It did not come in time."


def test_a_flaw_of_ours_is_not_lost(fresh: Page) -> None:
    """What a part breaks at is kept, and written where it is looked for."""
    heard: list[str] = []
    fresh.on("console", lambda one: heard.append(one.text))
    empty = {"body": "export {};", "content_type": TEXTS[".js"]}
    fresh.route("**/el/log/pull.js", lambda one: one.fulfill(**empty))
    told = run(fresh, "screens/incident/bring", BRING)
    assert told.startswith("SyntaxError: The requested module")
    assert any(told in one for one in heard)


def test_a_chart_that_does_not_come_can_be_asked_for(fresh: Page) -> None:
    """No further answer comes about what is over: there is a button."""
    fresh.route("**/el/chart/paint.js", lambda one: one.abort())
    reading = {
        "at": AT.format(3),
        "check": "disk_has_room",
        "value": 81.25,
        "unit": "%",
        "limit": 85,
        "is_floor": False,
    }
    run(
        fresh,
        "screens/incident/charts",
        "const charts = new m.Charts(() => {});"
        " document.body.append(charts.node); charts.draw(given, []);",
        known(
            incident={"source": "api", "opened_at": AT.format(1)},
            jobs=[{"before": [reading], "after": []}],
        ),
    )
    again = fresh.locator("section").get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    expect(fresh.get_by_role("alert")).to_be_visible()
    again.click()
    expect(again).to_be_visible()
    fresh.unroute("**/el/chart/paint.js")
    again.click()
    expect(fresh.locator("sj-chart")).to_contain_text("disk_has_room")
    expect(again).to_have_count(0)


@pytest.mark.parametrize(("value", "many"), [(None, 0), (1, 1)])
def test_only_a_value_is_a_chart(
    page: Page, value: int | None, many: int
) -> None:
    """What could not be measured has none: nothing is fetched for it."""
    reading = {"at": AT.format(3), "check": "x", "value": value, "limit": None}
    found = run(
        page,
        "screens/incident/charts",
        "return m.ofJobs(given).length;",
        [{"before": [reading], "after": []}],
    )
    assert found == many
