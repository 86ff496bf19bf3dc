"""The audit: what must hold after each turn, and at each start."""

import sqlite3
from pathlib import Path
from typing import Any

from app.models.approval import Approval, Vote
from app.models.job import Job, Order
from app.models.mission import Mission
from tests.simulation import laws, limits
from tests.simulation.laws import Ran, Start, State

# What goes on has an end that is further away than any.
NEVER = 2**62


class Audit:
    """Looks at the store after each turn, on a connection of its own."""

    def __init__(self, file: Path) -> None:
        """Take where the store is."""
        self.bugs: list[str] = []
        self.step = 0
        self._rows = sqlite3.connect(file, isolation_level=None)
        self._rows.row_factory = sqlite3.Row
        self.state = State()
        self._halted_at: int | None = None
        self._file_at: int | None = None
        # What each task saw last, in steps, and the numbers of its looks:
        # two looks within one step are two.
        self._looks: dict[str, int] = {}
        self._file_looks: dict[str, int] = {}
        self._number = 0
        self._rows_at: dict[str, int] = {}
        self._files_at: dict[str, int] = {}
        # When an order may have left last: it was written, or sent, then.
        self._sent_at: dict[str, int] = {}
        self._calls: set[str] = set()
        # Since when a job is over, and an incident silent.
        self._over_at: dict[str, int] = {}
        self._silent_at: dict[int, int] = {}
        self._arrived: dict[str, int] = {}
        # When a job was written down as started, by who wrote it.
        self._began_at: dict[int, int] = {}
        # Whether all clocks go right: else a lease may end too soon.
        self.is_time_sane = True
        # Which node moved a mission under which fence.
        self._movers: dict[tuple[int, int], str] = {}

    def close(self) -> None:
        """Give back the connection."""
        self._rows.close()

    def looked(self, task: str, *, is_at_file: bool = False) -> None:
        """Remember that a task looked at the store, or at the file."""
        self._number += 1
        if is_at_file:
            self._file_looks[task] = self.step
            self._files_at[task] = self._number
        else:
            self._looks[task] = self.step
            self._rows_at[task] = self._number

    def file_is(self, *, there: bool) -> None:
        """Remember since when the file of the kill switch is there."""
        self.step += 1
        self._file_at = self.step if there else None

    def turned(self, node: str, task: str, now: int) -> None:
        """Look at what a turn did."""
        self.step += 1
        self._number += 1
        before, after = self.state, self._read()
        self.state = after
        for law in laws.LAWS:
            self.bugs += law(before, after)
        if after.is_halted != before.is_halted:
            self._halted_at = self.step if after.is_halted else None
        self._look_at_fences(before, after, node)
        for job in after.jobs.values():
            was = before.jobs.get(job.id)
            if job.state == "started" and (not was or was.state != job.state):
                self._look_at_start(job, task, now)
                self._began_at[job.id] = now
                self._sent_at[job.key] = self._number
            elif job.state != "started":
                self._over_at.setdefault(job.key, self._number)
        if node == "keeper":
            self._note_silence()
        self._looks[task] = self.step
        self._rows_at[task] = self._number

    def called(self, order: Order, task: str) -> None:
        """Look at an order that is about to leave the house."""
        job = self._job_of(order)
        if job is None or job.state in ("planned", "claimed"):
            self.bugs.append(f"{order.key} is sent and not written as started")
            return
        mission = self.state.missions[job.mission_id]
        is_theirs = mission.holder == task.partition(".")[0]
        if self.is_time_sane and not is_theirs:
            self.bugs.append(f"{order.key} is sent by who has lost it")
        self._number += 1
        since = self._sent_at.get(order.key, 0)
        self._sent_at[order.key] = self._number
        rows_at = self._rows_at.get(task, 0)
        if min(rows_at, self._files_at.get(task, 0)) <= since:
            self.bugs.append(f"{order.key} is sent without a look before it")
        if order.key in self._calls:
            self._look_at_another(order, job, task)
        self._calls.add(order.key)

    def _look_at_another(self, order: Order, job: Job, task: str) -> None:
        """Look at an order that is sent once more, by what its task saw."""
        for name, at, looks in (
            ("row", self._halted_at, self._looks),
            ("file", self._file_at, self._file_looks),
        ):
            if at is not None and at <= looks.get(task, -1):
                self.bugs.append(
                    f"{order.key} is sent again while halted ({name})"
                )
        seen = self._rows_at.get(task, 0)
        if job.state != "started" and self._over_at[order.key] <= seen:
            self.bugs.append(f"{order.key} is sent again and {job.state}")
        if self._silent_at.get(job.incident_id, seen) < seen:
            self.bugs.append(f"{order.key} is sent again for what is over")

    def arrived(self, order: Order) -> None:
        """Count a start at the receiver."""
        self._arrived[order.key] = self._arrived.get(order.key, 0) + 1
        job = self._job_of(order)
        if job is None or job.state in ("planned", "claimed"):
            self.bugs.append(f"{order.key} started and is not written down")
        elif self._arrived[order.key] > 1 and not job.is_idempotent:
            self.bugs.append(f"{order.key} started twice")
        elsewhere = limits.works_elsewhere(order, job) if job else ""
        self.bugs += [elsewhere] * bool(elsewhere)

    def count_starts(self) -> int:
        """Return how many jobs were started."""
        return sum(self._arrived.values())

    def all_rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Return what the store says to a question."""
        return self._rows.execute(query, values).fetchall()

    def _note_silence(self) -> None:
        """Note which incidents nothing goes on of, and since when."""
        rows = self.all_rows(
            "SELECT id FROM incident WHERE firing = 0 AND state != 'merged'"
        )
        self._silent_at = {
            row["id"]: self._silent_at.get(row["id"], self._number)
            for row in rows
        }

    def _job_of(self, order: Order) -> Job | None:
        """Return the row of an order's job."""
        some = self.state.jobs.values()
        return next((one for one in some if one.key == order.key), None)

    def _read(self) -> State:
        """Return the store as it is now."""
        halt = self.all_rows("SELECT is_halted FROM halt")
        return State(
            missions=self._table("mission", Mission),
            jobs=self._table("job", Job),
            approvals=self._table("approval", Approval),
            is_halted=bool(halt and halt[0]["is_halted"]),
        )

    def _table(self, name: str, kind: Any) -> dict[int, Any]:
        """Return the rows of a table by their ids."""
        rows = self.all_rows(f"SELECT * FROM {name} ORDER BY id")
        return {row["id"]: kind(**row) for row in rows}

    def _look_at_fences(self, before: State, after: State, node: str) -> None:
        """Find two nodes that moved a mission under one fence."""
        if not node.startswith("node"):
            return
        for one in after.missions.values():
            was = before.missions.get(one.id)
            if was is None or one.version == was.version or not was.holder:
                continue
            if was.holder != node:
                continue
            mover = self._movers.setdefault((one.id, was.fence), node)
            if mover != node:
                self.bugs.append(f"mission {one.id}: {mover} and {node}")

    def _find_ran(self, job: Job) -> list[Ran]:
        """Return what else started, unless it certainly never ran.

        What arrived did run, whatever its row says.
        """
        return [
            Ran(one, self._began_at[one.id])
            for one in self.state.jobs.values()
            if one.id in self._began_at
            and one.id != job.id
            and (one.started_at is not None or one.key in self._arrived)
        ]

    def _look_at_start(self, job: Job, task: str, now: int) -> None:
        """Look at whether a job may start."""
        rulings = self.all_rows(
            "SELECT outcome FROM ruling WHERE decision_id = ? ORDER BY id",
            job.decision_id,
        )
        incident = self.all_rows(
            "SELECT state, firing FROM incident WHERE id = ?", job.incident_id
        )[0]
        decision = self.all_rows(
            "SELECT confidence, asks, problem FROM decision WHERE id = ?",
            job.decision_id,
        )[0]
        going = self.all_rows(
            "SELECT problem FROM episode WHERE incident_id = ? AND until > ?",
            job.incident_id,
            NEVER,
        )
        votes = [
            Vote(**row)
            for row in self.all_rows(
                "SELECT * FROM vote WHERE approval_id = ?", job.approval_id
            )
        ]
        is_file_seen = self._file_at is not None and (
            self._file_at <= self._file_looks.get(task, -1)
        )
        start = Start(
            job=job,
            now=now,
            ruling=rulings[-1]["outcome"] if rulings else "",
            incident=incident["state"] if incident["firing"] else "silent",
            problems=[row["problem"] for row in going],
            chosen_for=decision["problem"],
            confidence=decision["confidence"],
            asks=bool(decision["asks"]),
            votes=votes,
            is_file_seen=is_file_seen or task not in self._file_looks,
            ran=self._find_ran(job),
        )
        for law in (*laws.STARTS, *limits.STARTS):
            text = law(start, self.state)
            if text:
                self.bugs.append(f"job {job.id} ({job.action}): {text}")
