"""What setting up any Zabbix must do: the real one, and each fake release.

A test file gives the fixture ``site`` and takes these tests over.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

from scripts.setting_up import Status, Stopped
from scripts.setup_zabbix import work
from scripts.zabbix.talk import Account, Zabbix
from tests.programs import free_port

GROUP = "Linux servers"
ADMIN, WEAK = ("Admin", "zabbix"), ("Wanda", "w3ak-enough")
KINDS = ("mediatype", "role", "usergroup", "user", "action")
URL = "http://smokejumper.test:8080"
Tree = dict[str, Any]


class Site(NamedTuple):
    """One Zabbix: where it is, a token that it gave, the administrator."""

    url: str
    token: str
    zabbix: Zabbix

    def all(self) -> Tree:
        """Return all that the script may touch, whoever made it."""
        more = {
            "mediatype": {"selectMessageTemplates": "extend"},
            "role": {"selectRules": "extend"},
            "usergroup": {self.zabbix.select_rights: "extend"},
            "user": {"selectMedias": "extend", "selectRole": "extend"},
            "action": {
                "selectFilter": "extend",
                "selectOperations": "extend",
                "selectRecoveryOperations": "extend",
                "selectUpdateOperations": "extend",
            },
        }
        found = {
            kind: self.zabbix.call(
                f"{kind}.get", {"output": "extend", **more[kind]}
            )
            for kind in KINDS
        }
        for user in found["user"]:  # who logs in leaves a trace
            user.pop("attempt_clock", None)
            user.pop("attempt_failed", None)
            user.pop("attempt_ip", None)
        return found

    def ours(self, kind: str) -> Tree:
        """Return our thing of a kind."""
        key = "username" if kind == "user" else "name"
        found: list[Tree] = [
            one for one in self.all()[kind] if one[key] == "Smokejumper"
        ]
        assert len(found) == 1, found
        return found[0]


def admin(url: str) -> Zabbix:
    """Return a session of the administrator, not begun yet."""
    return Zabbix(url, Account(user=ADMIN[0], password=ADMIN[1]))


Act = Callable[..., str]


@pytest.fixture(name="act")
def acting(
    site: Site,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Act:
    """Return what runs the script with words, and returns what it says."""
    monkeypatch.delenv("ZABBIX_TOKEN", raising=False)
    monkeypatch.setenv("ZABBIX_USER", ADMIN[0])
    monkeypatch.setenv("ZABBIX_PASSWORD", ADMIN[1])

    def run(*words: str, url: str = "") -> str:
        """Run it; only what ends well returns."""
        capsys.readouterr()
        status = work(["--zabbix", url or site.url, *words])
        assert status is Status.DONE
        return capsys.readouterr().out

    return run


def wanted(*more: str, group: str = GROUP) -> Sequence[str]:
    """Return the words of a usual set-up."""
    return ("--url", URL, "--group", group, *more)


def refused(act: Act, *words: str, url: str = "") -> Stopped:
    """Return how the script ended, which must not be well."""
    with pytest.raises(Stopped) as caught:
        act(*words, url=url)
    return caught.value


class Contract:
    """The tests that each release passes."""

    def test_it_shows_first_and_waits_for_a_yes(
        self, site: Site, act: Act, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without a yes all five things are shown, and none is made."""
        before = site.all()
        stop = refused(act, *wanted())
        shown = capsys.readouterr().out
        assert stop.status is Status.NEEDS_YES
        assert all(f"+++ {kind} Smokejumper" in shown for kind in KINDS)
        assert f"{URL}/webhooks/zabbix" in shown
        assert diff(site.all(), before) == []

    def test_a_second_run_has_nothing_to_do(
        self, site: Site, act: Act
    ) -> None:
        """What was made is as wanted; undone, it is as it was before."""
        before = site.all()
        told = act(*wanted("--yes"))
        assert all(f"done: {kind} Smokejumper" in told for kind in KINDS)
        made = site.all()
        assert "Nothing to do" in act(*wanted())
        assert diff(site.all(), made) == []
        act("--undo", "--yes")
        assert diff(site.all(), before) == []
        assert "Nothing to do" in act("--undo")

    def test_the_user_may_read_the_groups_and_nothing_else(
        self, site: Site, act: Act
    ) -> None:
        """No API, no frontend, no other group; groups below count, too."""
        zabbix = site.zabbix
        found = zabbix.find("hostgroup", GROUP)
        assert found
        below = zabbix.create("hostgroup", {"name": f"{GROUP}/Web"})
        zabbix.create("hostgroup", {"name": "Vault"})
        act(*wanted("--yes"))
        group = site.ours("usergroup")
        rights = {
            one["id"]: str(one["permission"]) for one in group[zabbix.rights]
        }
        assert rights == {found["groupid"]: "2", below: "2"}
        assert group["gui_access"] == "3"
        role = site.ours("role")
        assert str(int(role["rules"]["api.access"])) == "0"
        assert role["type"] == "1"
        assert site.ours("user")["role"]["name"] == "Smokejumper"
        act("--undo", "--yes")

    def test_the_action_tells_problems_ends_and_updates(
        self, site: Site, act: Act
    ) -> None:
        """Each goes once to our user by our media type, of that group."""
        act(*wanted("--yes"))
        action, user = site.ours("action"), site.ours("user")["userid"]
        media_type = site.ours("mediatype")["mediatypeid"]
        for when in ("", "recovery_", "update_"):
            (told,) = action[f"{when}operations"]
            assert told["operationtype"] == "0"
            assert told["opmessage"]["mediatypeid"] == media_type
            assert [one["userid"] for one in told["opmessage_usr"]] == [user]
        (condition,) = action["filter"]["conditions"]
        zabbix = site.zabbix
        group = zabbix.find("hostgroup", GROUP)
        assert group
        assert condition["conditiontype"] == "0"
        assert condition["value"] == group["groupid"]
        act("--undo", "--yes")

    def test_what_somebody_changed_is_put_right(
        self, site: Site, act: Act
    ) -> None:
        """Only that is shown, and only that is changed."""
        act(*wanted("--yes"))
        made = site.all()
        action = site.ours("action")["actionid"]
        zabbix = site.zabbix
        told = {"actionid": action, "status": "1"}
        zabbix.call("action.update", told)
        shown = act(*wanted("--yes"))
        assert '-  "status": "1"' in shown
        assert "done: action" in shown
        assert "mediatype" not in shown
        assert diff(site.all(), made) == []
        act("--undo", "--yes")

    def test_no_secret_is_shown(
        self, site: Site, act: Act, tmp_path: Any
    ) -> None:
        """A new one is made known to Zabbix, and never written down."""
        file = tmp_path / "secret"
        file.write_text("first-sesame\n")
        shown = act(*wanted("--yes", "--secret-file", str(file)))
        file.write_text("second-sesame\n")
        shown += act(*wanted("--yes", "--secret-file", str(file)))
        assert "(another secret)" in shown
        assert "sesame" not in shown
        parameters = {
            one["name"]: one["value"]
            for one in site.ours("mediatype")["parameters"]
        }
        assert parameters["smokejumper_secret"] == "second-sesame"
        assert "sesame" not in act("--undo", "--yes")

    def test_a_token_is_enough(
        self, site: Site, act: Act, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is used in the place that this release looks at."""
        monkeypatch.delenv("ZABBIX_USER")
        monkeypatch.setenv("ZABBIX_TOKEN", site.token)
        act(*wanted("--yes"))
        assert site.ours("user")["surname"] == "(scripts/setup_zabbix.py)"
        act("--undo", "--yes")

    @pytest.mark.parametrize(
        ("environ", "remedy"),
        [
            ({"ZABBIX_PASSWORD": "guess"}, "ZABBIX_PASSWORD"),
            ({"ZABBIX_TOKEN": "guess"}, "ZABBIX_TOKEN"),
            (
                {"ZABBIX_USER": WEAK[0], "ZABBIX_PASSWORD": WEAK[1]},
                "Super admin",
            ),
        ],
    )
    def test_who_may_not_changes_nothing(
        self,
        site: Site,
        act: Act,
        monkeypatch: pytest.MonkeyPatch,
        environ: dict[str, str],
        remedy: str,
    ) -> None:
        """A wrong password, token or account is named, with the remedy."""
        before = site.all()
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        stop = refused(act, *wanted("--yes"))
        assert stop.status is Status.REFUSED
        assert remedy in stop.remedy
        assert diff(site.all(), before) == []

    def test_an_unknown_group_changes_nothing(
        self, site: Site, act: Act
    ) -> None:
        """The groups that are there are named."""
        before = site.all()
        stop = refused(act, *wanted("--yes", group="Linux server"))
        assert "'Linux server'" in stop.reason
        assert GROUP in stop.remedy
        assert diff(site.all(), before) == []

    def test_what_others_made_is_left_alone(
        self, site: Site, act: Act
    ) -> None:
        """A media type of our name without our mark is never touched."""
        zabbix = site.zabbix
        theirs = zabbix.create(
            "mediatype",
            {"name": "Smokejumper", "type": "4", "script": "return 1;"},
        )
        before = site.all()
        for words in (wanted("--yes"), ("--undo", "--yes")):
            stop = refused(act, *words)
            assert stop.status is Status.REFUSED
            assert "--name" in stop.remedy
        assert diff(site.all(), before) == []
        act(*wanted("--yes", "--name", "Smokejumper 2"))
        act("--undo", "--yes", "--name", "Smokejumper 2")
        assert diff(site.all(), before) == []
        zabbix.call("mediatype.delete", [theirs])

    def test_a_wrong_address_is_named(self, site: Site, act: Act) -> None:
        """Nobody there, another page: each says what to look at."""
        nobody = f"http://127.0.0.1:{free_port()}"
        assert "--zabbix" in refused(act, *wanted(), url=nobody).remedy
        other = refused(act, *wanted(), url=f"{site.url}/other")
        assert "is no Zabbix API" in other.reason
        assert "/zabbix" in other.remedy


def diff(now: Tree, then: Tree) -> list[Tree]:
    """Return the things that are not as they were."""
    return [
        one
        for kind in KINDS
        for one in (*now[kind], *then[kind])
        if one not in now[kind] or one not in then[kind]
    ]
