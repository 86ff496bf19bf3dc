"""Predictions on disk, each one the moment it is made.

So a run that was stopped or killed goes on where it was.
"""

import json
from collections.abc import Iterable
from io import BufferedWriter
from pathlib import Path

import msgspec

from scripts.evals.scoring import Prediction
from scripts.evals.truth import Wrong

READ = msgspec.json.Decoder(Prediction)
WRITE = msgspec.json.Encoder()
HEAD = msgspec.json.Decoder(dict[str, str])


class Shelf:
    """The predictions of one brain on one set, in one file.

    The first line says which set and which brain: answers of another brain,
    or to other questions, are never taken for those of this run.
    """

    def __init__(self, file: Path, stamp: dict[str, str]) -> None:
        """Take the file, and what the answers rest on."""
        self.file = file
        self.stamp = stamp
        self.found: dict[str, Prediction] = {}
        self._open: BufferedWriter | None = None

    def load(self) -> None:
        """Read what an earlier run left, or raise Wrong if it is another.

        A line that was cut off goes; a prediction that failed is asked for
        again.
        """
        if not self.file.exists():
            return
        lines = self.file.read_bytes().split(b"\n")
        whole, torn = lines[:-1], lines[-1]
        if not whole:
            self.file.unlink()
            return
        if HEAD.decode(whole[0]) != self.stamp:
            raise Wrong(
                f"{self.file}: made by another run (set, brain, model or"
                " settings differ): choose another --out, or --fresh"
            )
        for line in whole[1:]:
            one = READ.decode(line)
            if not one.error:
                self.found[one.id] = one
        if torn:
            self.file.write_bytes(b"\n".join([*whole, b""]))

    @classmethod
    def reopen(cls, folder: Path, name: str, stamp: dict[str, str]) -> "Shelf":
        """Return what a recorded run left, whatever its code was.

        Args:
            folder: that of the run.
            name: what its shelf is called.
            stamp: what of its stamp must be the same.

        Raises:
            Wrong: there is none, or it is of another set or brain.
        """
        file = shelf_file(folder, name)
        try:
            with file.open("rb") as opened:
                known = HEAD.decode(opened.readline())
        except (OSError, msgspec.MsgspecError) as error:
            raise Wrong(f"{file}: holds no predictions of a run") from error
        if not stamp.items() <= known.items():
            raise Wrong(f"{file}: is of another set or brain")
        shelf = cls(file, known)
        shelf.load()
        return shelf

    def __enter__(self) -> "Shelf":
        """Open the file to write at its end."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.file.exists()
        self._open = self.file.open("ab")
        if is_new:
            self._write(WRITE.encode(self.stamp))
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def add(self, one: Prediction) -> None:
        """Write one prediction; once this returns, a kill does not lose it."""
        self.found[one.id] = one
        self._write(WRITE.encode(one))

    def _write(self, line: bytes) -> None:
        """Write one line, out of this process at once."""
        if self._open is None:
            raise Wrong(f"{self.file}: is not open")
        self._open.write(line + b"\n")
        self._open.flush()


def shelf_file(folder: Path, name: str) -> Path:
    """Return where the predictions of a run lie."""
    return folder / "predictions" / f"{name.replace('/', '_')}.jsonl"


def write_plain(file: Path, predictions: Iterable[Prediction]) -> None:
    """Write id, action, arguments, confidence, asked: one object a line."""
    with file.open("w", encoding="utf-8") as to:
        for one in predictions:
            row = {
                "id": one.id,
                "action": one.action,
                "arguments": one.arguments,
                "asked": one.asked,
            }
            if one.confidence is not None:
                row["confidence"] = one.confidence
            to.write(json.dumps(row, ensure_ascii=False) + "\n")
