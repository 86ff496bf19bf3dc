"""Ansible: which hosts it reaches, before and after it knows them.

The inventory is told by a small program that stands in for Ansible's own,
which takes a second for each answer.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.act import ansible_inventory
from app.act.ansible_inventory import AnsibleInventory
from app.act.backends.ansible import Ansible
from app.act.hands import Tame
from app.core.errors import NotAccepted, OutgoingFailed
from app.models.job import Order
from app.ports import Backend
from tests.unit.act.backends.making import make, on_a_loop, order

TREE: dict[str, Any] = {
    "_meta": {"hostvars": {"Web-01": {}, "twin": {}}},
    "all": {"children": ["Web", "ungrouped"]},
    "Web": {"hosts": ["Web-01", "db-01"]},
    "ungrouped": {"hosts": ["twin", "TWIN"]},
    "odd": None,
}


class Site:
    """A folder with playbooks, and a Python that has another Ansible."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        for name in ("bin", "private/project", "private/inventory"):
            (folder / name).mkdir(parents=True)
        playbook = folder / "private" / "project" / "later.yml"
        playbook.write_text("[]", encoding="utf-8")
        self._write("ansible-playbook", "exit 1")
        # It tells what it was told, and begins nothing.
        self._write("python", "cp order.json told.json; exit 1")
        self.answer(TREE)

    def _write(self, name: str, text: str) -> None:
        """Write a program."""
        file = self.folder / "bin" / name
        file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        file.chmod(0o755)

    def answer(self, tree: object) -> None:
        """Let the inventory be this."""
        (self.folder / "tree").write_text(json.dumps(tree), encoding="utf-8")
        place = self.folder
        note = f"env >> {place / 'environ'}; echo x >> {place / 'asked'}"
        self._write("ansible-inventory", f"{note}\ncat {place / 'tree'}")

    def fail(self) -> None:
        """Let nobody read the inventory."""
        self._write("ansible-inventory", "exit 3")

    def asked(self) -> int:
        """Return how often the inventory was read."""
        file = self.folder / "asked"
        return len(file.read_text().split()) if file.exists() else 0

    def told(self, key: str) -> dict[str, Any]:
        """Return what a play was told that had to begin."""
        raw = (self.folder / "var/ansible" / key / "told.json").read_bytes()
        found: dict[str, Any] = msgspec.json.decode(raw)
        return found

    def backend(self, **more: object) -> Backend:
        """Return the backend, which knows nothing yet."""
        told = {"service_name": "service"}
        settings = {
            "private_data_dir": str(self.folder / "private"),
            "python": str(self.python),
            "jobs": {"job": {"playbook": "later.yml", "extravars": told}},
            **more,
        }
        return make(self.folder, {"ansible": settings})["ansible"]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a site."""
    return Site(tmp_path)


def bare(backend: Backend) -> Ansible:
    """Return the backend without the hand before its mouth."""
    assert isinstance(backend, Tame)
    assert isinstance(backend._backend, Ansible)
    return backend._backend


def for_host(host: str) -> Order:
    """Return the order for a host."""
    return order("job", arguments={"host": host, "service": "nginx"})


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    for _ in range(2_000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never was so")


@on_a_loop
async def test_the_first_play_reads_it(site: Site) -> None:
    """Nobody waits for the chores; Ansible's own spelling is used."""
    backend = site.backend()
    assert backend.reaches("web-01", is_here=False)
    with pytest.raises(NotAccepted, match="could not begin"):
        await backend.start(for_host("WEB-01"))
    assert site.told("sj-1-abc")["limit"] == "Web-01"
    assert backend.reaches("wEB-01", is_here=False)
    assert not backend.reaches("web", is_here=False)
    assert not backend.reaches("cache-01", is_here=False)
    assert site.asked() == 1


@pytest.mark.parametrize(
    ("host", "what"),
    [
        ("web", "group of hosts"),
        ("WEB", "group of hosts"),
        ("cache-01", "no host of the inventory"),
        ("Twin", "no host of the inventory"),
    ],
)
@on_a_loop
async def test_what_is_no_host_is_refused_for_good(
    site: Site, host: str, what: str
) -> None:
    """Also by a backend that has not read anything before."""
    with pytest.raises(NotAccepted, match=what) as refusal:
        await site.backend().start(for_host(host))
    assert not refusal.value.may_retry
    assert not (site.folder / "var").exists()


@on_a_loop
async def test_patterns_do_not_let_a_group_through(site: Site) -> None:
    """A group is seen by the inventory alone; a new host may be missing."""
    backend = site.backend(hosts=["web*", "new-*"])
    with pytest.raises(NotAccepted, match="group of hosts"):
        await backend.start(for_host("web"))
    site.fail()
    backend = site.backend(hosts=["web*", "new-*"])
    with pytest.raises(NotAccepted, match="not known") as refusal:
        await backend.start(for_host("web"))
    assert refusal.value.may_retry
    site.answer(TREE)
    with pytest.raises(NotAccepted, match="could not begin"):
        await backend.start(for_host("new-01"))
    assert site.told("sj-1-abc")["limit"] == "new-01"


@pytest.mark.parametrize("answer", [None, [], "x"])
@on_a_loop
async def test_what_cannot_be_read_may_be_read_later(
    site: Site, answer: object
) -> None:
    """One failure is forgiven; then it reaches nothing until it is read."""
    site.answer(answer)
    if answer is None:
        site.fail()
    backend = site.backend()
    for is_there in (True, False):
        with pytest.raises(NotAccepted, match="not known") as refusal:
            await backend.start(for_host("web-01"))
        assert refusal.value.may_retry
        assert backend.reaches("web-01", is_here=False) is is_there
    site.answer(TREE)
    await bare(backend).read_inventory()
    assert backend.reaches("web-01", is_here=False)
    site.fail()
    with pytest.raises(OutgoingFailed):
        await bare(backend).read_inventory()
    assert backend.reaches("web-01", is_here=False), "as it was read last"


@on_a_loop
async def test_the_chore_reads_at_once_and_soon_after_a_failure(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure does not last until the next turn."""
    monkeypatch.setattr(ansible_inventory, "AGAIN_SECONDS", 0.01)
    site.fail()
    backend = site.backend()
    chore = asyncio.create_task(bare(backend).run())
    await until(lambda: not backend.reaches("web-01", is_here=False))
    site.answer(TREE)
    await until(lambda: backend.reaches("web-01", is_here=False))
    await until(lambda: site.asked() >= 1)
    chore.cancel()
    await asyncio.gather(chore, return_exceptions=True)
    assert site.asked() == 1, "once it is known, there is time"


@on_a_loop
async def test_many_who_need_it_read_it_once(site: Site) -> None:
    """Whoever comes while it is read waits for the same answer."""
    private = site.folder / "private"
    inventory = AnsibleInventory(str(site.python), private, ())
    await asyncio.gather(*(inventory.need() for _ in range(5)))
    assert site.asked() == 1
    assert inventory.spelling("DB-01") == "db-01"
    assert inventory.spelling("TWIN") == "TWIN"


@on_a_loop
async def test_who_needs_it_does_not_wait_for_ever(site: Site) -> None:
    """A slow inventory is read to its end, by whoever has the time."""
    gate = site.folder / "gate"
    site._write(
        "ansible-inventory",
        f"until [ -e {gate} ]; do sleep 0.02; done; cat {site.folder}/tree",
    )
    private = site.folder / "private"
    inventory = AnsibleInventory(str(site.python), private, ())
    with pytest.raises(OutgoingFailed, match=r"none in 0\.01 s"):
        await inventory.read(0.01)
    assert inventory.may_have("web-01")
    gate.touch()
    await inventory.read()
    assert inventory.spelling("web-01") == "Web-01"


@on_a_loop
async def test_its_secrets_stay_here(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that makes an inventory sees what is declared."""
    monkeypatch.setenv("SMOKEJUMPER_SECRET", "s3cret-of-the-service")
    monkeypatch.setenv("CLOUD_REGION", "north-7")
    monkeypatch.setenv("ANSIBLE_TIMEOUT", "17")
    await bare(site.backend(environment=["CLOUD_REGION"])).read_inventory()
    seen = (site.folder / "environ").read_text()
    assert "s3cret-of-the-service" not in seen
    assert "CLOUD_REGION=north-7" in seen
    assert "ANSIBLE_TIMEOUT=17" in seen
    assert "HOME=" in seen
