"""Ansible: what a play may not see of us, and what it writes too much."""

from pathlib import Path

import pytest

from app.act.plays import PIECE_BYTES, Plays
from app.models.job import JobState
from tests.unit.act.backends.making import follow, make, on_a_loop, order
from tests.unit.act.backends.stands import (
    ansible_settings,
    need_ansible,
    private_data,
    write_play,
)
from tests.unit.act.backends.test_ansible import POLLS, pause

SECRET = "s3cret-of-the-service"


@on_a_loop
async def test_the_secrets_of_the_service_stay_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No task sees them, and nothing that Ansible writes holds them."""
    need_ansible()
    monkeypatch.setenv("SMOKEJUMPER_SECRET", SECRET)
    monkeypatch.setenv("CLOUD_REGION", "north-7")
    private = private_data(tmp_path)
    names = ("SMOKEJUMPER_SECRET", "CLOUD_REGION", "HOME")
    shown = " ".join(f"[{{{{ lookup('env', '{n}') }}}}]" for n in names)
    write_play(
        private,
        "show",
        [
            {"ansible.builtin.debug": {"msg": shown}},
            {"ansible.builtin.command": "env"},
        ],
    )
    settings = ansible_settings(private)
    settings["environment"] = ["CLOUD_REGION"]
    backend = make(tmp_path, {"ansible": settings})["ansible"]
    sent = order("show")
    said = await backend.start(sent)
    end, output = await follow(backend, sent, said, pause, POLLS)
    assert end.state is JobState.SUCCEEDED
    assert "[] [north-7] [/" in output
    files = [f for f in (tmp_path / "var").rglob("*") if f.is_file()]
    assert any(file.name == "command" for file in files)
    for file in files:
        assert SECRET.encode() not in file.read_bytes(), file


def written(folder: Path, output: bytes) -> Plays:
    """Return plays of which one has ended, and has written this."""
    place = folder / "sj-1"
    (place / "run").mkdir(parents=True)
    (place / "order.json").write_bytes(b"{}")
    end = b'{"status": "successful", "stats": {"processed": {"web-01": 1}}}'
    (place / "end.json").write_bytes(end)
    (place / "run" / "stdout").write_bytes(output)
    return Plays(folder, "python")


def test_the_end_does_not_wait_for_a_long_output(tmp_path: Path) -> None:
    """Once it is over the last piece is read, and the end is told."""
    lines = b"".join(b"line %d\r\n" % number for number in range(200_000))
    said = written(tmp_path, lines).look("sj-1", "700")
    assert said.state is JobState.SUCCEEDED
    first, _, rest = said.output.partition("\n")
    text = lines.decode().replace("\r\n", "\n")
    assert text.endswith(rest)
    assert rest.startswith("line ")
    size = len(rest.replace("\n", "\r\n"))
    assert PIECE_BYTES - 20 < size <= PIECE_BYTES
    assert first == f"({len(lines) - 700 - size:,} bytes were left out)"
    assert said.cursor == str(len(lines))


@pytest.mark.parametrize("cursor", ["", "700", "9999999"])
def test_what_fits_is_read_whole(tmp_path: Path, cursor: str) -> None:
    """Nothing is left out, also of a last line without an end."""
    text = "line\n" * 1_000 + "half"
    said = written(tmp_path, text.encode()).look("sj-1", cursor)
    assert said.state is JobState.SUCCEEDED
    assert said.output == text[int(cursor or 0) :]
    assert said.cursor == str(max(len(text), int(cursor or 0)))


def test_one_line_without_end(tmp_path: Path) -> None:
    """The last of it is shown although no line begins there."""
    said = written(tmp_path, b"x" * (PIECE_BYTES + 5)).look("sj-1", "")
    assert said.output == "(5 bytes were left out)\n" + "x" * PIECE_BYTES
