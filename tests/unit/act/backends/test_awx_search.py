"""AWX: a job is found by its key, or nobody says that there is none.

AWX refuses to search variables, so jobs are listed and compared.
"""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import CannotTell, NotAccepted
from app.models.job import Order
from app.ports import Backend
from tests.awx import KEY, FakeAwx
from tests.awx_lists import Refused, listed
from tests.unit.act.backends.making import make, on_a_loop, order
from tests.unit.act.backends.stands import awx_settings

DAY = 86_400
MOST = 1_000
PAGE = 100


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the AWX."""
    return tmp_path_factory.mktemp("awx")


@pytest.fixture(scope="module")
def machine(home: Path) -> Iterator[FakeAwx]:
    """Return a running AWX."""
    with FakeAwx(home) as one:
        yield one


def awx(folder: Path, machine: FakeAwx) -> Backend:
    """Return the backend with all templates, by their names."""
    return make(folder, {"awx": awx_settings(machine)})["awx"]


def add(
    machine: FakeAwx, home: Path, sent: Order, count: int = 1, age: float = 0
) -> int:
    """Let jobs of a key have been launched, and return the last one's number.

    Args:
        machine: the AWX.
        home: its folder.
        sent: what they were launched for.
        count: how many.
        age: how many seconds ago.
    """
    begin = len(machine.ledger.started())
    told = {
        "limit": "web-01",
        "extra_vars": {"service_name": "nginx", KEY: sent.key},
    }
    lines = [
        {
            "what": "start",
            "at": time.time() - age,
            "id": begin + number,
            "key": sent.key,
            "mode": sent.name,
            "told": told,
        }
        for number in range(1, count + 1)
    ]
    with (home / "awx.jsonl").open("a", encoding="utf-8") as file:
        file.write("".join(f"{json.dumps(line)}\n" for line in lines))
    return begin + count


def asked(machine: FakeAwx, mode: str) -> list[dict[str, str]]:
    """Return how the jobs of a template were asked for."""
    lines = machine.ledger.lines()
    listed_ = [line for line in lines if line["what"] == "listed"]
    return [line["query"] for line in listed_ if line["mode"] == mode]


def stranger(mode: str) -> Order:
    """Return an order of somebody else."""
    return order(mode, "sj-0-of-somebody-else")


@on_a_loop
async def test_it_is_behind_many_others(
    machine: FakeAwx, home: Path, tmp_path: Path
) -> None:
    """Page after page is looked at, of this template only."""
    sent = order("waiting", "sj-1-far")
    number = add(machine, home, sent)
    add(machine, home, stranger("waiting"), 2 * PAGE)
    add(machine, home, order("lie", sent.key))
    found = await awx(tmp_path, machine).find(sent)
    assert found is not None
    assert found.reference == str(number)
    queries = asked(machine, "waiting")
    # By numbers, pages would move while others are launched.
    assert ["id__lt" in query for query in queries] == [False, True, True]
    assert not any("extra_vars" in name for query in queries for name in query)


@on_a_loop
async def test_of_several_it_is_the_newest(
    machine: FakeAwx, home: Path, tmp_path: Path
) -> None:
    """And what ran the day before yesterday is none."""
    sent = order("failing", "sj-1-twice")
    add(machine, home, sent, age=2 * DAY)
    backend = awx(tmp_path, machine)
    assert await backend.find(sent) is None
    number = add(machine, home, sent, 2)
    found = await backend.find(sent)
    assert found is not None
    assert found.reference == str(number)


@on_a_loop
async def test_so_many_are_looked_at_and_no_more(
    machine: FakeAwx, home: Path, tmp_path: Path
) -> None:
    """Beyond that nobody says that it never ran, and nothing is started."""
    sent = order("later", "sj-1-buried")
    backend = awx(tmp_path, machine)
    add(machine, home, stranger("later"), MOST)
    assert await backend.find(sent) is None
    assert len(asked(machine, "later")) == MOST // PAGE
    add(machine, home, stranger("later"))
    with pytest.raises(CannotTell, match="too many to look at"):
        await backend.find(sent)
    with pytest.raises(NotAccepted, match="more than 1000") as refusal:
        await backend.start(sent)
    assert refusal.value.may_retry
    assert machine.noted("start", sent.key) == 0
    assert len(asked(machine, "later")) == 3 * MOST // PAGE


@on_a_loop
async def test_a_list_without_variables_is_asked_for_them(
    machine: FakeAwx, home: Path, tmp_path: Path
) -> None:
    """Only then: for any other AWX the word would be a wrong field."""
    sent = order("terse", "sj-1-terse")
    number = add(machine, home, sent)
    found = await awx(tmp_path, machine).find(sent)
    assert found is not None
    assert found.reference == str(number)
    words = [query.get("include", "") for query in asked(machine, "terse")]
    assert words == ["", "extra_vars"]


@pytest.mark.parametrize("mode", ["mute", "encrypted"])
@on_a_loop
async def test_a_key_that_nobody_sees(
    machine: FakeAwx, home: Path, tmp_path: Path, mode: str
) -> None:
    """It may be there: nobody says that it is not, and none is started."""
    sent = order(mode, f"sj-1-{mode}")
    add(machine, home, sent)
    backend = awx(tmp_path, machine)
    with pytest.raises(CannotTell, match=f"does not show the {KEY}"):
        await backend.find(sent)
    with pytest.raises(NotAccepted, match="does not show") as refusal:
        await backend.start(sent)
    assert refusal.value.may_retry
    assert machine.noted("start", sent.key) == 1


@on_a_loop
async def test_a_secret_question_is_no_place_for_what_is_told(
    tmp_path: Path,
) -> None:
    """Nobody could see that the job has it, so nothing is launched."""
    with FakeAwx(tmp_path) as machine:
        sent = order("encrypted", "sj-1-secret")
        what = f"keeps the variables service_name, {KEY} secret"
        with pytest.raises(NotAccepted, match=what) as refusal:
            await awx(tmp_path, machine).start(sent)
        assert not refusal.value.may_retry
        assert machine.noted("start") == 0


@pytest.mark.parametrize(
    ("query", "status", "detail"),
    [
        ({"extra_vars": "x"}, 403, "Filtering on extra_vars is not allowed."),
        ({"extra_vars__icontains": "x"}, 403, "extra_vars is not allowed"),
        ({"order_by": "-extra_vars"}, 403, "extra_vars is not allowed"),
        ({"not__survey_passwords__isnull": "1"}, 403, "is not allowed"),
        ({"include": "extra_vars"}, 400, "no field named 'include'"),
        ({"id__lt": "x"}, 400, "Invalid"),
        ({"page": "3", "page_size": "500"}, 404, "Invalid page."),
    ],
)
def test_what_awx_refuses_is_refused_here(
    query: Mapping[str, str], status: int, detail: str
) -> None:
    """The fake grants nothing that its pattern does not."""
    rows: list[dict[str, Any]] = [{"id": number} for number in range(300)]
    with pytest.raises(Refused) as refusal:
        listed(query, rows, "Job", ("id",))
    assert refusal.value.status == status
    assert detail in refusal.value.detail


def test_a_page_has_200_entries_at_most() -> None:
    """Whoever asks for more does not get them."""
    rows: list[dict[str, Any]] = [{"id": number} for number in range(300)]
    query = {"page_size": "500", "id__lt": "250", "order_by": "-id"}
    page = listed(query, rows, "Job", ("id",))
    assert page["count"] == 250
    assert [row["id"] for row in page["results"]] == [*range(249, 49, -1)]
    assert page["next"]
