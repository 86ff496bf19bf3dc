"""Signing in with a real OpenID provider, as a browser does it."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import yaml

from tests.real.oidc import configure, run_provider
from tests.service import Service

pytestmark = pytest.mark.real
COOKIE = "smokejumper_session"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a provider that runs."""
    with run_provider(tmp_path_factory.mktemp("provider")) as url:
        yield url


@pytest.fixture(scope="module")
def service(
    issuer: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Return a service that knows the provider."""
    made = Service(tmp_path_factory.mktemp("oidc"))
    configure(made, issuer)
    with made:
        yield made


class Browser:
    """Follows what it is told to, one step at a time."""

    def __init__(self, service: Service, issuer: str) -> None:
        self.service = service
        self.issuer = issuer
        self.client = httpx.Client(timeout=30)

    def go(self, path: str = "/console/log?kind=halt.changed") -> str:
        """Press the button; return where the provider is."""
        url = f"{self.service.url}/console/login/oidc"
        answer = self.client.get(url, params={"next": path})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def grant(self, address: str, sub: str, **claims: Any) -> str:
        """Sign in at the provider; return the way back."""
        known = httpx.put(f"{self.issuer}/users/{sub}", json=claims)
        assert known.status_code == 204
        answer = httpx.post(address, data={"sub": sub})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def log_in(self, sub: str, **claims: Any) -> httpx.Response:
        """Go all the way; return the last page."""
        return self.client.get(self.grant(self.go(), sub, **claims))

    def me(self) -> dict[str, Any]:
        """Return who one is here."""
        url = f"{self.service.url}/api/v1/me"
        answer = self.client.get(url)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def browser(service: Service, issuer: str) -> Iterator[Browser]:
    """Return a browser without cookies."""
    made = Browser(service, issuer)
    yield made
    made.client.close()


ANA = {
    "preferred_username": "ana",
    "groups": ["staff", "oncall"],
    "teams": ["db"],
}


def test_the_sign_in_page_shows_the_button(service: Service) -> None:
    """With the words of the settings."""
    page = httpx.get(f"{service.url}/console/login").text
    assert "Company login" in page
    assert "/console/login/oidc" in page


def test_somebody_comes_in(browser: Browser) -> None:
    """With name, role and teams as the provider says them."""
    page = browser.log_in("u-ana", **ANA)
    assert page.status_code == 200
    assert "/console/log?kind=halt.changed" in page.text
    assert 'http-equiv="refresh"' in page.text
    me = browser.me()
    assert (me["name"], me["role"], me["teams"], me["way"]) == (
        "ana",
        "approver",
        ["db"],
        "session",
    )


def test_the_cookies_are_as_they_must_be(browser: Browser) -> None:
    """The session's is strict, the other one is lax and short, then gone."""
    url = f"{browser.service.url}/console/login/oidc"
    begun = SimpleCookie(browser.client.get(url).headers["set-cookie"])
    state = begun["smokejumper_oidc"]
    assert state["httponly"]
    assert state["samesite"] == "lax"
    assert state["path"] == "/console/login/oidc"
    assert int(state["max-age"]) == 600
    page = browser.log_in("u-ana", **ANA)
    given = SimpleCookie()
    for header in page.headers.get_list("set-cookie"):
        given.load(header)
    assert given[COOKIE]["httponly"]
    assert given[COOKIE]["samesite"] == "strict"
    assert given[COOKIE]["path"] == "/"
    assert given["smokejumper_oidc"]["max-age"] == "0"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"


def test_a_changed_group_holds_from_the_next_login_on(
    browser: Browser,
) -> None:
    """One account, another role, and the difference in the log."""
    ben = {"preferred_username": "ben", "teams": ["*"]}
    browser.log_in("u-ben", **ben, groups=["oncall"])
    assert browser.me()["role"] == "approver"
    browser.log_in("u-ben", **ben, groups=["boss"])
    me = browser.me()
    assert (me["role"], me["teams"]) == ("admin", [])
    url = f"{browser.service.url}/api/v1"
    people = browser.client.get(f"{url}/people").json()["items"]
    assert [one["name"] for one in people].count("ben") == 1
    log = browser.client.get(
        f"{url}/log", params={"kind": "account.changed"}
    ).json()
    assert "rule:oidc" in {entry["actor"] for entry in log["items"]}


@pytest.mark.parametrize(
    ("claims", "status", "says"),
    [
        ({"groups": ["staff"], "teams": ["db"]}, 403, "groups"),
        ({"groups": ["oncall"]}, 403, "teams"),
        ({"groups": ["oncall"], "teams": ["db"]}, 403, "name"),
    ],
)
def test_who_may_not_come_in_is_told_why(
    browser: Browser, claims: dict[str, Any], status: int, says: str
) -> None:
    """On the sign-in page, and without a session."""
    name = {} if says == "name" else {"preferred_username": "eve"}
    page = browser.log_in("u-eve", **claims, **name)
    assert page.status_code == status
    assert says in page.text
    assert COOKIE not in browser.client.cookies


def test_a_name_that_is_here_is_not_taken_over(
    browser: Browser,
) -> None:
    """Another subject with the same name stays out."""
    browser.log_in("u-ana", **ANA)
    browser.client.cookies.clear()
    page = browser.log_in("u-other", **ANA)
    assert page.status_code == 409
    assert "ana" in page.text
    assert COOKIE not in browser.client.cookies


def test_a_code_is_good_for_one_login(browser: Browser) -> None:
    """Played back with the cookie that it belongs to, it opens nothing."""
    address = browser.go()
    kept = dict(browser.client.cookies)
    back = browser.grant(address, "u-ana", **ANA)
    assert browser.client.get(back).status_code == 200
    replay = httpx.get(back, cookies=kept)
    assert replay.status_code == 403
    assert COOKIE not in replay.cookies


def test_a_login_of_somebody_else_is_not_finished(browser: Browser) -> None:
    """A link with a stranger's code does not sign anybody in as them."""
    back = browser.grant(browser.go(), "u-ana", **ANA)
    page = httpx.get(back)
    assert page.status_code == 403
    assert "set-cookie" not in page.headers or COOKIE not in page.cookies
    mine = Browser(browser.service, browser.issuer)
    mine.go()
    assert mine.client.get(back).status_code == 403
    mine.client.close()


def test_who_says_no_at_the_provider_stays_out(browser: Browser) -> None:
    """And sees the sign-in page again."""
    address = browser.go()
    answer = httpx.post(address, data={"action": "deny"})
    back = urlsplit(answer.headers["location"])
    given = {name: v[0] for name, v in parse_qs(back.query).items()}
    # This provider leaves the state out of a refusal.
    state = parse_qs(urlsplit(address).query)["state"][0]
    page = browser.client.get(
        f"{browser.service.url}{back.path}", params={**given, "state": state}
    )
    assert page.status_code == 403
    assert "access_denied" in page.text


def test_no_login_leads_away_from_here(browser: Browser) -> None:
    """The page to go on to is one of ours."""
    address = browser.go("//evil.example/x")
    page = browser.client.get(browser.grant(address, "u-ana", **ANA))
    assert page.status_code == 200
    assert "evil.example" not in page.text
    assert "/console/incidents" in page.text


def test_a_disabled_account_stays_out(browser: Browser) -> None:
    """Its session is over as well."""
    cat = {"preferred_username": "cat", "groups": ["oncall"], "teams": ["*"]}
    browser.log_in("u-cat", **cat)
    boss = Browser(browser.service, browser.issuer)
    boss.log_in(
        "u-boss",
        preferred_username="boss",
        groups=["boss"],
        teams=["*"],
    )
    url = f"{browser.service.url}/api/v1/people"
    people = boss.client.get(url).json()["items"]
    cats = next(one for one in people if one["name"] == "cat")
    answer = boss.client.patch(
        f"{url}/{cats['id']}",
        json={"is_disabled": True},
        headers={
            "if-match": f'"{cats["version"]}"',
            "origin": browser.service.url,
            "x-smokejumper": "1",
        },
    )
    assert answer.status_code == 200, answer.text
    boss.client.close()
    page = browser.log_in("u-cat", **cat)
    assert page.status_code == 403
    assert "disabled" in page.text
    me = browser.client.get(f"{browser.service.url}/api/v1/me")
    assert me.status_code == 401


def test_a_provider_that_is_down_is_told(issuer: str, tmp_path: Path) -> None:
    """The page says so, and the other ways in stay open."""
    made = Service(tmp_path)
    configure(made, issuer)
    text = made.config.read_text().replace(issuer, "http://127.0.0.1:9")
    made.config.write_text(text)
    with made:
        page = httpx.get(f"{made.url}/console/login/oidc")
        assert page.status_code == 503
        assert "does not answer" in page.text
        assert 'type="password"' in page.text


def test_settings_that_do_not_suffice_are_told(tmp_path: Path) -> None:
    """Without a public address the provider could send nobody back."""
    made = Service(tmp_path)
    tree = yaml.safe_load(made.config.read_text())
    oidc = {
        "issuer": "https://id.example",
        "client_id": "c",
        "client_secret": "env:NOT_THERE",
    }
    tree["access"] = {"oidc": oidc}
    made.config.write_text(yaml.safe_dump(tree))
    with pytest.raises(RuntimeError) as caught:
        made.start()
    assert "access.public_url" in str(caught.value)
    assert "access.oidc.client_secret" in str(caught.value)
