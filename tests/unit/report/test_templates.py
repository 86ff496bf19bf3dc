"""Templates: checked at start-up by file and line, bounded, sandboxed."""

from pathlib import Path

import pytest

from app.core.errors import ConfigError
from app.report.templates import (
    SAMPLE,
    Template,
    TemplateFailed,
    read_templates,
)
from tests.unit.report.making import facts

LOOP, END = "{% for a in range(999) %}", "{% endfor %}"


def render(source: str) -> tuple[str, str]:
    """Return what a template makes of the sample."""
    return Template(Path("t.txt"), source).render(SAMPLE, "title", "text")


def test_no_folder_is_no_template(tmp_path: Path) -> None:
    """Without any, the built-in texts are sent."""
    assert read_templates(tmp_path / "none", []).find("a", "fixed") is None


@pytest.mark.parametrize(
    ("name", "source", "line", "what"),
    [
        ("fixed.txt", "a\nb {{ title", 2, "expected"),
        ("fixed.txt", "a\n\n{{ titel }}", 3, "'titel' is undefined"),
        ("fixed.txt", "a\n{% include 'x' %}", 2, "loader"),
        ("fixed.txt", "", 1, "says nothing"),
        ("fixed.txt", "a\n{{ 1 // 0 }}", 2, "zero"),
        ("fixed.txt", "a\n{{ title + 'x' }}", 2, "not allowed"),
        ("chat.asked.txt", "a\n{{ nope.x }}", 2, "undefined"),
        ("fixed.txt", "a\n{{ title|truncate(2) }}", 2, "length >= 3"),
        ("fixed.txt", "a\n{{ evidence|line }}", 2, "no attribute"),
    ],
)
def test_a_broken_template_stops_the_start_by_file_and_line(
    tmp_path: Path, name: str, source: str, line: int, what: str
) -> None:
    """The person who wrote it reads where it is wrong."""
    (tmp_path / name).write_text(source)
    with pytest.raises(ConfigError) as caught:
        read_templates(tmp_path, ["chat"])
    (problem,) = caught.value.problems
    assert problem.where == f"{tmp_path / name}:{line}"
    assert what in problem.what


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Unknown kinds and channels, what is no text, what is too long."""
    (tmp_path / "fixd.txt").write_text("a")
    (tmp_path / "caht.fixed.txt").write_text("a")
    (tmp_path / "asked.txt").write_bytes(b"\xff\xfe")
    (tmp_path / "acted.txt").write_text("x" * 70_000)
    (tmp_path / "closed.txt").write_text("fine")
    with pytest.raises(ConfigError) as caught:
        read_templates(tmp_path, ["chat"])
    said = {Path(p.where).name: p.what for p in caught.value.problems}
    assert set(said) == {
        "fixd.txt",
        "caht.fixed.txt",
        "asked.txt",
        "acted.txt",
    }
    assert "'caht'" in said["caht.fixed.txt"]


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ title.__class__ }}",
        "{{ range.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ title.format }}{{ title.format('x') }}",
        "{{ 'x'.center(1000000000) }}",
        "{{ 'x' * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ 9 ** 999999999 }}",
        "{% for a in range(100000000) %}x{% endfor %}",
        f"{LOOP}{LOOP}x{END}{END}",
        "{{ lipsum() }}",
        "{{ cycler }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ],
)
def test_what_leaves_the_sandbox_or_grows_is_an_error(source: str) -> None:
    """No way to our own objects, and no way to fill the memory."""
    with pytest.raises(TemplateFailed):
        render(source)


def test_what_templates_need_works() -> None:
    """Loops, conditions, macros, filters for moments and percents."""
    source = (
        "{{ severity|upper }} {{ title }}\n"
        "{% macro item(text) %}* {{ text|truncate(12) }}{% endmacro %}\n"
        "{% for one in evidence %}{{ item(one) }}\n{% endfor %}\n"
        "{{ confidence|percent }} {{ at|when }} {{ 3 * 4 + 1 }}\n"
        "{% for name, to in links %}{{ name }}={{ to }}\n{% endfor %}\n"
        "{% if approval %}question {{ approval }}{% endif %}"
    )
    title, text = render(source)
    assert title == "CRITICAL HighCPU on host:web-01"
    assert text.splitlines() == [
        "* one...",
        "83% 2026-11-21T02:14:02Z 13",
        "console=https://smokejumper.example.org/console/incidents/7",
        "api=https://smokejumper.example.org/api/v1/incidents/7",
        "question 12",
    ]


def test_a_fact_is_never_a_template() -> None:
    """What an alert says is text, also when it looks like code."""
    said = facts(title="{{ 7 * 7 }}\n{% for %}")
    made = Template(Path("t.txt"), "{{ title }}\n{{ title }}")
    title, text = made.render(said, "", "")
    assert title == text == "{{ 7 * 7 }} {% for %}"
