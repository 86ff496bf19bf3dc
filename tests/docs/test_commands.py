"""Every command of the documents, tried in the order of its page."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docs.blocks import Block, Command, blocks, commands, pages
from tests.docs.counts import COUNTED
from tests.docs.files import PREPARED, put_files
from tests.docs.scene import FEW, Scene
from tests.docs.table import TABLE
from tests.docs.trying import try_it, way_of
from tests.nest import Nest
from tests.programs import need

Record = Callable[[str, object], None]


def commands_of(page: str) -> list[Command]:
    """Return the commands of a page, in their order."""
    return [one for block in blocks(page) for one in commands(block)]


WITH_COMMANDS = [page for page in pages() if commands_of(page)]


# Pages that change what others rest on, and how many incidents they need.
OWN = {
    "README.md": 3,
    "docs/accounts.md": 1,
    "docs/acting.md": FEW,
    "docs/deciding.md": 17,
    "docs/incidents.md": 17,
    "docs/mutes.md": 1,
    "docs/simulator.md": 1,
    "docs/watch.md": 1,
}
SETTINGS = {"docs/watch.md": {"watch": {"enabled": True}}}


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, nest: Nest
) -> Iterator[Scene]:
    """Return what the other pages share."""
    with Scene(tmp_path_factory.mktemp("shared"), nest, 17) as scene:
        yield scene


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_every_command_does_what_the_page_says(
    page: str,
    tmp_path: Path,
    nest: Nest,
    shared: Scene,
    record_property: Record,
) -> None:
    """Each ends well, after those that stand before it on the page."""
    need("curl", "curl")
    wrong = []
    with ExitStack() as stack:
        scene = shared
        if page in OWN:
            more = SETTINGS.get(page)
            made = Scene(tmp_path, nest, OWN[page], more)
            scene = stack.enter_context(made)
        put_files(scene.folder)
        if page in PREPARED:
            PREPARED[page](scene)
        for command in commands_of(page):
            way = way_of(command, TABLE)
            found = list(try_it(command, way, scene))
            wrong += [f"{command.where}\n{one}" for one in found]
            record_property(COUNTED, type(way).__name__)
    assert not wrong, "\n\n".join(wrong)


def test_no_row_of_the_table_is_left_over() -> None:
    """Each row fits a command, so that none excuses what is gone."""
    every = [one for page in WITH_COMMANDS for one in commands_of(page)]
    used = {id(way_of(one, TABLE)) for one in every}
    rest = [row for row, way in TABLE.items() if id(way) not in used]
    assert not rest


def test_a_command_that_is_wrong_is_found(tmp_path: Path, nest: Nest) -> None:
    """An end that is bad, an answer that is an error, an unknown word."""
    wrong = [
        "main.py incidents --no-such-option",
        "main.py no-such-command",
        "curl -sS http://127.0.0.1:8080/api/v1/no-such-thing",
        "cat no-such-file",
    ]
    with Scene(tmp_path, nest) as scene:
        for text in wrong:
            block = Block("README.md", 1, "sh", f"{text}\n")
            command = Command("x.md", 1, text, tuple(text.split()))
            assert list(try_it(command, way_of(command, {}), scene)), block
