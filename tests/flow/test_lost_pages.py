"""What a person is shown where a page of the console cannot be."""

import sqlite3
from pathlib import Path

import httpx
import pytest

from app.access.gate import COOKIE
from tests.service import Service

HTML = "text/html; charset=utf-8"
HIDDEN = "\u202e"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/console/nothing", 404),
        ("GET", "/console/incidents/seven", 422),
        ("GET", "/console/incidents/7/more", 404),
        ("GET", "/console/incidents/0", 422),
        ("GET", "/console/incidents/-1", 422),
        ("GET", "/console/incidents/99999999999999999999", 422),
        ("GET", "/console/incidents/", 404),
        ("POST", "/console/incidents", 405),
        ("GET", f"/console/{HIDDEN}<b>here</b>", 404),
        ("GET", "/console/" + "x" * 4000, 404),
        ("GET", "/console/setup?token=" + "x" * 300, 422),
    ],
)
def test_an_address_that_leads_nowhere_is_a_page(
    shared: Service, method: str, path: str, status: int
) -> None:
    """A person reads what is wrong, and finds the way back."""
    answer = httpx.request(method, f"{shared.url}{path}", timeout=10)
    assert answer.status_code == status
    assert answer.headers["content-type"] == HTML
    assert answer.headers["cache-control"] == "no-store"
    assert "There is no such page" in answer.text
    assert 'href="/console/incidents"' in answer.text
    assert "<b>" not in answer.text
    assert HIDDEN not in answer.text
    assert "x" * 201 not in answer.text


def test_who_wrote_a_program_gets_what_programs_read(shared: Service) -> None:
    """Only the folder of the console has pages."""
    for path in ("/nothing", "/api/v1/nothing", "/consoles"):
        answer = httpx.get(f"{shared.url}{path}", timeout=10)
        assert answer.status_code == 404
        assert answer.json()["reason"] == "no_such_path"


def test_a_wrong_method_says_which_are_right(shared: Service) -> None:
    """What the answer itself says is said of the page, too."""
    answer = httpx.post(f"{shared.url}/console/incidents", timeout=10)
    assert "GET" in answer.headers["allow"]


def test_a_database_that_is_away_is_a_page(tmp_path: Path) -> None:
    """Who opens a screen is told to come again, in a page."""
    with Service(tmp_path, {"access": {"open": "never"}}) as service:
        with sqlite3.connect(service.database) as connection:
            connection.execute("ALTER TABLE session RENAME TO gone")
        answer = httpx.get(
            f"{service.url}/console/incidents",
            headers={"cookie": f"{COOKIE}=anything"},
            timeout=10,
        )
    assert answer.status_code == 503
    assert answer.headers["content-type"] == HTML
    assert int(answer.headers["retry-after"]) > 0
    assert "cannot be read now" in answer.text
    assert "Try again" in answer.text
