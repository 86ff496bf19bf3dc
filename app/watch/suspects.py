"""Suspects: which process stands out, and since when. Pure over samples.

A machine may be busy and well: with what has always been as busy, or with
work of many programs at once. Then no process is named.
"""

from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from app.core.look.past import Growth, Past, Usual
from app.core.look.snapshot import TICKS, Key, Proc
from app.watch.sampling import Sample
from app.watch.settings import ProcessCpu, ProcessMemory

# So much of what it takes now it usually took: then that is nothing new.
ALIKE = 0.8
# The past says something about a process from so many looks on.
LEAST_LOOKS = 10
# One that has been as busy all its life, and that was not short.
LIFE_SECONDS = 3_600.0
# More processes of one program than this are its way to work.
MOST_OF_ONE = 4
MB = 1_048_576
MayName = Callable[[str], bool]
# Of one that has leaked: it is over when so much of it is given back.
KEPT = 0.7
WINDOW_SECONDS = 60.0


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A program of which processes take much.

    Attributes:
        name: of the program.
        procs: those processes, the largest first.
        value: what the largest takes, in percent of one core; or its
            growth in MB a minute.
        usual: what it took in the past hour, None when nobody knows.
        life: what it took since it began, in percent of one core.
        age: how long ago it began, in seconds.
        is_usual: whether it has always been so.
        grown: how much more it holds than a while ago, of memory only.
    """

    name: str
    procs: tuple[Proc, ...]
    value: float
    usual: Usual | None = None
    life: float = 0.0
    age: float = 0.0
    is_usual: bool = False
    grown: Growth | None = None

    @property
    def proc(self) -> Proc:
        """Return the largest of its processes."""
        return self.procs[0]


class _Onset(msgspec.Struct, frozen=True):
    """What a process was like before it began to be busy."""

    usual: Usual | None
    life: float
    is_usual: bool


class Burners:
    """Knows which processes are busy, and since when."""

    def __init__(
        self, limits: ProcessCpu, may_name: MayName, past: Past
    ) -> None:
        """Take what is too much, who may be named, and the past."""
        self._limits = limits
        self._may_name = may_name
        self._past = past
        self._onsets: dict[Key, _Onset] = {}
        # Named before a restart: none of these was always so.
        self._resumed: set[str] = set()

    def resume(self, name: str) -> None:
        """Take a program that was named before a restart."""
        self._resumed.add(name)

    def weigh(self, sample: Sample) -> list[Suspect]:
        """Return the programs that are busy, the busiest first.

        Those that have always been so are among them, and say so.
        """
        procs = sample.snapshot.procs
        self._onsets = {
            key: onset for key, onset in self._onsets.items() if key in procs
        }
        programs: dict[str, list[Proc]] = {}
        for key in sample.top():
            if self._is_busy(key, sample):
                name = sample.known[key].name
                programs.setdefault(name, []).append(procs[key])
        found = [
            self._sum_up(name, some, sample) for name, some in programs.items()
        ]
        return sorted(found, key=lambda one: -one.value)

    def stand_out(self, suspects: Sequence[Suspect]) -> set[str]:
        """Return the names of those that stand out; none in spread load."""
        over = [
            one
            for one in suspects
            if not one.is_usual and one.value >= self._limits.limit
        ]
        if len(over) > self._limits.most:
            return set()
        return {one.name for one in over if len(one.procs) <= MOST_OF_ONE}

    def _is_busy(self, key: Key, sample: Sample) -> bool:
        """Tell whether a process is busy, and note since when."""
        known, proc = sample.known[key], sample.snapshot.procs[key]
        if known.is_ours or not self._may_name(known.name):
            return False
        taken, limits = sample.taken(key), self._limits
        is_resumed = known.name in self._resumed
        if key not in self._onsets:
            if taken < (limits.end if is_resumed else limits.limit):
                return False
            onset = self._begin(proc, sample)
            if is_resumed:
                onset = msgspec.structs.replace(onset, is_usual=False)
            self._onsets[key] = onset
        if taken < limits.end:
            del self._onsets[key]
            self._resumed.discard(known.name)
            return False
        return True

    def _begin(self, proc: Proc, sample: Sample) -> _Onset:
        """Return what a process was like before it was too much."""
        usual = self._past.usual_share(proc)
        given = sample.shares.get(proc.key, 0.0)
        is_usual = (
            usual is not None
            and usual.count >= LEAST_LOOKS
            and usual.median >= ALIKE * given
        )
        age, life = _life(proc, sample)
        is_usual |= age >= LIFE_SECONDS and life >= ALIKE * given
        return _Onset(usual, life, is_usual)

    def _sum_up(self, name: str, some: list[Proc], sample: Sample) -> Suspect:
        """Return a program by its processes, those first that are new."""
        some.sort(
            key=lambda one: (
                self._onsets[one.key].is_usual,
                -sample.taken(one.key),
            )
        )
        onset = self._onsets[some[0].key]
        new = [one for one in some if not self._onsets[one.key].is_usual]
        return Suspect(
            name=name,
            procs=tuple(new or some),
            value=sample.taken(some[0].key),
            usual=onset.usual,
            life=onset.life,
            age=_life(some[0], sample)[0],
            is_usual=onset.is_usual,
        )


class Leaks:
    """Knows how fast processes grow, and what they hold."""

    def __init__(
        self, limits: ProcessMemory, may_name: MayName, past: Past
    ) -> None:
        """Take what is too much, who may be named, and the past."""
        self._limits = limits
        self._may_name = may_name
        self._past = past
        self._trail: deque[tuple[float, dict[Key, int]]] = deque()
        # The most that those held that have leaked.
        self._peaks: dict[Key, int] = {}

    def weigh(self, sample: Sample) -> list[tuple[Suspect, bool, bool]]:
        """Return who grows or has grown: whether it begins, and lasts."""
        procs = sample.snapshot.procs
        self._peaks = {k: one for k, one in self._peaks.items() if k in procs}
        found: dict[str, tuple[Suspect, bool, bool]] = {}
        for key, known in sample.known.items():
            if known.is_ours or not self._may_name(known.name):
                continue
            one = self._judge(procs[key], known.name, sample)
            other = found.get(known.name)
            if other is None or one[1:] > other[1:]:
                found[known.name] = one
        self._remember(sample)
        return [one for one in found.values() if one[1] or one[2]]

    def _judge(
        self, proc: Proc, name: str, sample: Sample
    ) -> tuple[Suspect, bool, bool]:
        """Return what one process is up to."""
        limits = self._limits
        rate = self._rate(proc, sample.monotonic)
        age, life = _life(proc, sample)
        share = 100.0 * proc.rss / max(1, sample.snapshot.memory_bytes)
        begins = (
            rate >= limits.limit
            and share >= limits.floor_percent
            and age >= limits.young_seconds
        )
        peak = self._peaks.get(proc.key, 0)
        lasts = begins
        if begins or peak:
            peak = max(peak, proc.rss)
            lasts = rate >= limits.end or proc.rss >= KEPT * peak
            self._peaks[proc.key] = peak
        if not lasts:
            self._peaks.pop(proc.key, None)
        suspect = Suspect(
            name=name,
            procs=(proc,),
            value=rate,
            age=age,
            life=life,
            grown=self._past.swollen(proc),
        )
        return suspect, begins, lasts

    def _rate(self, proc: Proc, now: float) -> float:
        """Return how fast a process has grown of late, in MB a minute."""
        for at, held in self._trail:
            if proc.key in held and now > at:
                return (proc.rss - held[proc.key]) / MB / (now - at) * 60.0
        return 0.0

    def _remember(self, sample: Sample) -> None:
        """Keep what those hold that hold most, for a window."""
        held = {
            key: sample.snapshot.procs[key].rss
            for key in sample.known
            if not sample.known[key].is_ours
        }
        self._trail.append((sample.monotonic, held))
        window = min(WINDOW_SECONDS, max(2.0, self._limits.for_seconds / 2))
        while sample.monotonic - self._trail[0][0] > window:
            self._trail.popleft()


def _life(proc: Proc, sample: Sample) -> tuple[float, float]:
    """Return how old a process is, and what it took all that time."""
    age = max(0.0, sample.snapshot.age(proc))
    return age, 100.0 * proc.ticks / TICKS / max(age, 1.0)
