"""The matrix: every route with every role, as one table says."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.access.paths import HOME
from app.api.access import Allow
from app.bootstrap import build
from app.console.site import make_site
from app.core.configfile import load_config
from app.models.account import Role
from tests.flow.access_table import (
    FREE,
    GUARDS,
    NEEDED,
    OF_PROVIDER,
    OTHERWISE,
    SHOWN,
)
from tests.flow.visitors import Visitors, ask
from tests.service import Service

ROLES = (None, *Role)
# They end the session that asks.
ENDING = {"DELETE /api/v1/session", "DELETE /api/v1/me/sessions"}
# Nobody is asked to make the routes, and nobody answers at this port.
PROVIDER = {
    "issuer": "http://127.0.0.1:9",
    "client_id": "smokejumper",
    "client_secret": "s" * 32,
    "timeout_seconds": 2,
}


@pytest.fixture(scope="module")
def visitors(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Visitors]:
    """Return who visits a service where somebody has an account."""
    made_for = Service(tmp_path_factory.mktemp("matrix"))
    tree = yaml.safe_load(made_for.config.read_text())
    tree["access"] = {"public_url": made_for.url, "oidc": PROVIDER}
    made_for.config.write_text(yaml.safe_dump(tree))
    with made_for as service:
        made = Visitors(service)
        made.sign_in(Role.ADMIN)
        yield made
        made.close()


def make(folder: Path, **access: object) -> FastAPI:
    """Return the whole service as an application, with these settings."""
    tree = {"database": {"url": f"sqlite:///{folder}/x.db"}, "access": access}
    file = folder / "smokejumper.yaml"
    file.write_text(yaml.safe_dump(tree))
    return make_site(build(load_config(file, {})))


def with_provider(folder: Path) -> FastAPI:
    """Return the service as it is where people sign in with a provider."""
    return make(folder, public_url="http://127.0.0.1:8080", oidc=PROVIDER)


def routes_of(site: FastAPI) -> dict[str, list[Role]]:
    """Return every route of the service, and what its code asks for."""
    found: dict[str, list[Role]] = {}
    for route in iter_route_contexts(site.routes):
        dependant = getattr(route, "dependant", None)
        needed = [
            one.call.needed
            for one in (dependant.dependencies if dependant else [])
            if isinstance(one.call, Allow)
        ]
        for method in route.methods or ():
            found[f"{method} {route.path}"] = needed
    return found


def test_the_table_names_every_route_once(tmp_path: Path) -> None:
    """A new one that nobody thought about fails here."""
    tables = [set(NEEDED), set(SHOWN), set(FREE)]
    named: set[str] = set().union(*tables)
    assert sum(map(len, tables)) == len(named)
    found = routes_of(with_provider(tmp_path))
    assert set(found) - named == set(), "add them to access_table.py"
    assert named - set(found) == set(), "they are not there any more"


def test_no_provider_no_way_to_it(tmp_path: Path) -> None:
    """Where the settings name none, its routes are not there at all."""
    whole = set(NEEDED) | set(SHOWN) | FREE
    assert set(routes_of(make(tmp_path))) == whole - OF_PROVIDER


def test_every_route_asks_for_exactly_its_role(tmp_path: Path) -> None:
    """Neither none nor two."""
    found = routes_of(with_provider(tmp_path))
    asked = {route: roles for route, roles in found.items() if roles}
    assert asked == {route: [role] for route, role in NEEDED.items()}


def test_nothing_changes_by_a_get() -> None:
    """Whoever only sees may send no request that writes, but of oneself."""
    viewers = {r for r, role in NEEDED.items() if role is Role.VIEWER}
    writing = {r for r in viewers if not r.startswith("GET ")}
    own = {r for r in writing if " /api/v1/me/" in r}
    assert writing - own == {"DELETE /api/v1/session"}


def refused(answer: httpx.Response) -> str:
    """Return why the gate refuses, empty when it does not."""
    kind = answer.headers.get("content-type", "")
    if answer.status_code not in (401, 403) or "json" not in kind:
        return ""
    return str(answer.json()["reason"])


@pytest.mark.parametrize("role", ROLES)
def test_each_route_with_each_role(
    visitors: Visitors, role: Role | None
) -> None:
    """401 for nobody, 403 for too little, and no refusal else."""
    wrong = []
    with visitors.client(role) as client:
        for route, needed in NEEDED.items():
            if route in ENDING:
                continue
            expected = ""
            if role is None:
                expected = "not_signed_in"
            elif not role.covers(needed):
                expected = "role_too_low"
            if (why := refused(ask(client, route))) != expected:
                wrong.append((route, why, expected))
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", sorted(ENDING))
def test_routes_that_end_a_session(
    visitors: Visitors, route: str, role: Role | None
) -> None:
    """Everybody may end their own."""
    with visitors.client(role) as client:
        expected = "" if role else "not_signed_in"
        assert refused(ask(client, route)) == expected


@pytest.mark.parametrize("role", ROLES)
def test_each_page_with_each_role(
    visitors: Visitors, role: Role | None
) -> None:
    """Nobody is sent to the login; who may not is told so."""
    wrong = []
    with visitors.client(role) as client:
        for route, needed in SHOWN.items():
            answer = ask(client, route)
            expected = 303 if role is None else 403
            if role is not None and role.covers(needed):
                expected = 200
            if answer.status_code != expected:
                wrong.append((route, answer.status_code, expected))
            if role is None:
                assert answer.headers["location"].startswith("/console/login?")
    assert wrong == []


@pytest.mark.parametrize(
    ("letters", "kept"),
    [(1_100, f"/console/log?text={'x' * 1_100}"), (9_000, HOME)],
)
def test_a_long_filter_leads_to_the_login(
    visitors: Visitors, letters: int, kept: str
) -> None:
    """And back to it, or home when no cookie could keep it."""
    with visitors.client(None) as client:
        sent = client.get(f"/console/log?text={'x' * letters}")
        page = client.get(sent.headers["location"])
        assert page.status_code == 200
        assert f'value="{kept}"' in page.text


def test_routes_for_anybody_ask_nobody(visitors: Visitors) -> None:
    """The rest answers without an account."""
    with visitors.client(None) as client:
        for route in FREE:
            if route in ("GET /console/setup", "POST /console/setup"):
                continue
            assert refused(ask(client, route)) in ("", "link_used")


@pytest.mark.parametrize("role", [None, Role.ADMIN])
@pytest.mark.parametrize("route", sorted(OF_PROVIDER))
def test_the_way_of_a_provider_opens_nothing_by_itself(
    visitors: Visitors, route: str, role: Role | None
) -> None:
    """Whoever asks: the login again, with why, and no session."""
    with visitors.client(role) as client:
        answer = ask(client, route)
    assert answer.status_code >= 400
    assert 'role="alert"' in answer.text
    assert "smokejumper_session" not in str(
        answer.headers.get_list("set-cookie")
    )


def lacking(route: str, answer: httpx.Response) -> dict[str, str | None]:
    """Return the headers of an answer that leave a browser unguarded."""
    other = OTHERWISE.get(route, {})
    told = {name: answer.headers.get(name) for name in GUARDS}
    return {
        name: text
        for name, text in told.items()
        if text not in (GUARDS[name], other.get(name, GUARDS[name]))
    }


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.ADMIN])
def test_a_browser_is_told_what_it_may_with_every_answer(
    visitors: Visitors, role: Role | None
) -> None:
    """Pages, calls, refusals, files and what is not there: none without."""
    nowhere = ("GET /nowhere", "PATCH /api/v1/log", "GET /api/v1/nowhere")
    routes = sorted({*NEEDED, *SHOWN, *FREE} - ENDING)
    with visitors.client(role) as client:
        wrong = {
            route: left
            for route in [*nowhere, *routes, *sorted(ENDING)]
            if (left := lacking(route, ask(client, route)))
        }
    assert wrong == {}


@pytest.mark.parametrize("role", [None, Role.ADMIN])
def test_no_proxy_keeps_what_is_somebodys(
    visitors: Visitors, role: Role | None
) -> None:
    """Only files of ours are everybody's; refusals are not kept either."""
    routes = sorted({*NEEDED, *SHOWN, *FREE, "GET /api/v1/nowhere"} - ENDING)
    with visitors.client(role) as client:
        kept = {
            route: told
            for route in routes
            if (told := ask(client, route).headers["cache-control"])
            not in ("no-store", "private, no-cache")
        }
    assert kept == {}


def test_only_the_page_of_the_api_has_rules_of_its_own(
    visitors: Visitors,
) -> None:
    """Its page lets no script run at all, ours neither."""
    with visitors.client(None) as client:
        told = ask(client, "GET /docs").headers["content-security-policy"]
    assert told == OTHERWISE["GET /docs"]["content-security-policy"]
    wider = [
        r for r, one in OTHERWISE.items() if "content-security-policy" in one
    ]
    assert wider == ["GET /docs"]


def test_a_bug_of_ours_is_guarded_too(tmp_path: Path) -> None:
    """What a crash answers goes through nothing that others go through."""
    site = make(tmp_path)

    @site.get("/crash")
    def crash() -> None:
        """Be a bug."""
        raise ZeroDivisionError

    async def meet() -> httpx.Response:
        """Return what is answered."""
        way = httpx.ASGITransport(site, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=way) as client:
            return await client.get("http://127.0.0.1/crash")

    answer = asyncio.run(meet())
    assert answer.status_code == 500
    assert answer.json()["reason"] == "bug"
    assert {name: answer.headers.get(name) for name in GUARDS} == GUARDS


def test_a_role_is_told_what_it_lacks(visitors: Visitors) -> None:
    """With the field and what to do."""
    with visitors.client(Role.VIEWER) as client:
        answer = client.put("/api/v1/reins", json={"enabled": False})
    problem = answer.json()
    assert answer.status_code == 403
    assert problem["reason"] == "role_too_low"
    assert problem["field"] == "role"
    assert "admin" in problem["detail"]
    assert "viewer" in problem["detail"]


def test_resuming_needs_more_than_halting(visitors: Visitors) -> None:
    """Everybody who responds can stop all; to go on is a decision."""
    stop = {"halted": True, "reason": "it restarts the wrong hosts"}
    go = {"halted": False, "reason": "mended"}
    with visitors.client(Role.RESPONDER) as client:
        assert client.put("/api/v1/halt", json=stop).status_code == 200
        answer = client.put("/api/v1/halt", json=go)
        assert refused(answer) == "role_too_low"
        assert client.get("/api/v1/halt").json()["halted"] is True
    with visitors.client(Role.APPROVER) as client:
        answer = client.put("/api/v1/halt", json=go)
    assert answer.status_code == 200
    assert answer.json()["by"] == "approver"
