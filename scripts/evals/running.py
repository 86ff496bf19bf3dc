"""Ask every contestant about every row; several at a time."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from app.models.case import Case
from scripts.evals.contestants import Contestant
from scripts.evals.keeping import Shelf, shelf_file
from scripts.evals.scoring import Prediction, Scored, score
from scripts.evals.telling import Teller
from scripts.evals.truth import Set


class Round(msgspec.Struct, frozen=True):
    """One brain on one set: its figures and its predictions."""

    set_name: str
    brain: str
    stamp: dict[str, str]
    scored: Scored
    predictions: tuple[Prediction, ...]


class Told(msgspec.Struct, frozen=True):
    """A set with its cases made."""

    rows: Set
    cases: dict[str, Case]


def tell_all(sets: Iterable[Set]) -> list[Told]:
    """Return the cases of all rows, or raise Wrong before anything runs."""
    teller = Teller()
    return [
        Told(one, {row.id: teller.tell(row) for row in one.rows})
        for one in sets
    ]


class Runner:
    """Runs rounds; what is on disk already is not asked again."""

    def __init__(self, out: Path | None, jobs: int, *, fresh: bool) -> None:
        """Take where predictions are kept, and how many run at a time."""
        self._out = out
        self._jobs = jobs
        self._fresh = fresh
        self._console = Console(stderr=True)

    async def run(
        self, told: Sequence[Told], contestants: Sequence[Contestant]
    ) -> list[Round]:
        """Return a round for each pair of a set and a brain."""
        shelves = {
            (one.rows.name, brain.name): self._shelf(one.rows, brain)
            for one in told
            for brain in contestants
        }
        rounds = []
        try:
            with self._progress() as progress:
                for one in told:
                    for brain in contestants:
                        shelf = shelves[one.rows.name, brain.name]
                        tick = _ticker(progress, one, brain)
                        await self._ask(one, brain, shelf, tick)
                        rounds.append(_close(one.rows, brain, shelf))
        finally:
            for brain in contestants:
                await brain.close()
        return rounds

    def _shelf(self, rows: Set, brain: Contestant) -> Shelf:
        """Return where the predictions are kept, earlier ones read."""
        stamp = stamp_of(rows, brain)
        file = shelf_file(self._out or Path(), f"{rows.name}--{brain.name}")
        shelf = Shelf(file, stamp)
        if self._out is not None:
            if self._fresh:
                shelf.file.unlink(missing_ok=True)
            shelf.load()
        return shelf

    async def _ask(
        self,
        told: Told,
        brain: Contestant,
        shelf: Shelf,
        tick: Callable[[], None],
    ) -> None:
        """Ask one brain about what it was not asked yet."""
        places = asyncio.Semaphore(self._jobs)

        async def ask(number: str, case: Case) -> None:
            """Ask about one row, when it is its turn."""
            if number not in shelf.found:
                async with places:
                    answer = await brain.answer(case)
                answer = msgspec.structs.replace(answer, id=number)
                if self._out is None:
                    shelf.found[number] = answer
                else:
                    shelf.add(answer)
            tick()

        if self._out is None:
            await _gather(ask, told.cases)
            return
        with shelf:
            await _gather(ask, told.cases)

    def _progress(self) -> Progress:
        """Return the progress bar; it is silent where nobody watches."""
        return Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )


def _ticker(
    progress: Progress, told: Told, brain: Contestant
) -> Callable[[], None]:
    """Return what is called when a row is answered."""
    title = f"{told.rows.name} / {brain.name}"
    task = progress.add_task(title, total=len(told.cases))
    return lambda: progress.advance(task)


async def _gather(
    ask: Callable[[str, Case], Coroutine[None, None, None]],
    cases: dict[str, Case],
) -> None:
    """Ask about all cases; the first that breaks ends the others."""
    async with asyncio.TaskGroup() as group:
        for number, case in cases.items():
            group.create_task(ask(number, case))


def stamp_of(rows: Set, brain: Contestant) -> dict[str, str]:
    """Return what predictions rest on."""
    return {"set": rows.digest, "brain": brain.name, "digest": brain.digest}


def _close(rows: Set, brain: Contestant, shelf: Shelf) -> Round:
    """Return the round of what lies on a shelf."""
    said = [shelf.found[r.id] for r in rows.rows if r.id in shelf.found]
    return Round(
        set_name=rows.name,
        brain=brain.name,
        stamp=shelf.stamp,
        scored=score(rows.rows, said),
        predictions=tuple(said),
    )
