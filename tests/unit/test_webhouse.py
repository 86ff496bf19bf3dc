"""The rules for what a browser reads catch what they forbid."""

import pytest

from scripts.webhouse import complaints_of


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.js", "node.innerHTML = text;\n", "innerHTML"),
        ("a.js", "node.insertAdjacentHTML('x', text);\n", "become markup"),
        ("a.js", "eval(text);\n", "become a script"),
        ("a.js", 'import x from "https://cdn.test/x.js";\n', "another host"),
        ("a.js", "\nexport function f() {}\n", "no comment"),
        ("a.js", "\n" * 401, "401 lines"),
        ("a.css", "b { background: url(//x.test/y.png); }\n", "another host"),
        ("a.css", '@import "x.css";\n', "another host"),
        ("a.html", "<b style='color: red'>\n", "style attributes"),
        ("a.html", "<b onclick='f()'>\n", "listen in a script"),
        ("a.html", "<img src=https://x.test/y.png>\n", "another host"),
        ("a.html", "{{ text | safe }}\n", "become markup"),
        ("a.html", "x" * 80 + "\n", "80 columns"),
    ],
)
def test_what_is_forbidden_is_found(name: str, text: str, what: str) -> None:
    """Each rule says where, and what to do instead."""
    (found,) = complaints_of(name, text)
    assert what in found


def test_what_is_in_order_is_let_through() -> None:
    """A comment above an export, a link of our own."""
    script = "/** Say it. */\nexport function say() {}\n"
    assert not list(complaints_of("a.js", script))
    assert not list(complaints_of("a.html", '<a href="/console/log">\n'))
