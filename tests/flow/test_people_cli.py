"""People on the command line, beside a running service or without one."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.service import Service

PASSWORD = "a sentence to remember"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a running service that nobody can sign in to."""
    with Service(tmp_path_factory.mktemp("people")) as made:
        yield made


def run(service: Service, *words: str) -> Any:
    """Run a command; return what it prints as JSON."""
    done = service.run("people", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def come_in(service: Service, link: str, name: str = "") -> httpx.Response:
    """Use a link on the running service."""
    body = {"token": link.rpartition("=")[2], "password": PASSWORD}
    url = f"{service.url}/api/v1/setup"
    return httpx.post(url, json={**body, "name": name})


def test_the_way_back_in(service: Service) -> None:
    """A link that makes an admin, also when others are locked out."""
    for name in ("ana", "ben"):
        link = run(service, "setup-link")["link"]
        assert link.startswith(f"{service.url}/console/setup?token=")
        answer = come_in(service, link, name)
        assert answer.json()["role"] == "admin"
        assert come_in(service, link, "eve").status_code == 403
    names = [one["name"] for one in run(service, "list")["items"]]
    assert names == ["ana", "ben"]


def test_a_person_is_made_and_invited(service: Service) -> None:
    """With role and teams; a second link makes the first void."""
    words = ("--role", "approver", "--team", "shop", "--team", "pay")
    made = run(service, "add", "Cleo", *words, "--author", "ana")
    account = made["account"]
    assert (account["name"], account["role"]) == ("cleo", "approver")
    assert account["teams"] == ["shop", "pay"]
    assert account["created_by"] == "ana"
    again = run(service, "invite", "cleo")
    assert come_in(service, made["link"]).status_code == 403
    assert come_in(service, again["link"]).json()["name"] == "cleo"


def test_a_service_gets_no_link(service: Service) -> None:
    """It has tokens only."""
    made = run(service, "add", "robot", "--service")
    assert made["link"] == ""
    done = service.run("people", "invite", "robot")
    assert done.returncode == 1
    assert "service" in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "a b"), "a-z"),
        (("add", "cleo"), "already"),
        (("invite", "nobody"), "There is no account"),
        (("add", "dora", "--role", "boss"), "boss"),
    ],
)
def test_what_cannot_be_is_told(
    service: Service, words: tuple[str, ...], says: str
) -> None:
    """And nothing is made."""
    run(service, "list")
    if "cleo" in words:
        service.run("people", "add", "cleo")
    done = service.run("people", *words)
    assert done.returncode != 0
    assert says in done.stderr


def test_a_table_for_people(service: Service) -> None:
    """Who there is, and how each comes in; the link is a line of its own."""
    done = service.run("people", "add", "dora")
    assert done.stdout.splitlines()[-1].startswith(f"{service.url}/console")
    table = service.run("people", "list").stdout
    line = next(one for one in table.splitlines() if "dora" in one)
    assert "viewer" in line
    assert "invited" in line
    link = service.run("people", "setup-link").stdout
    assert link.startswith(f"{service.url}/console/setup?token=")
