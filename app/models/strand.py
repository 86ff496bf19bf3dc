"""The strand: all that one fingerprint of one source said, as episodes.

Messages come late, twice and in the wrong order. So a strand remembers
points in the source's own time, and every episode is derived from them: the
same messages make the same episodes in whatever order they come.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

import msgspec

from app.models.alert import Severity, Status

# Older episodes stay as they are: a month of flapping must not grow a row.
MOST_POINTS = 32
# What came so long before it began was dated by a clock that was ahead.
EARLY = 300_000_000
LONG_AGO = -(2**62)
RANKS = {
    Severity.CRITICAL: 4,
    Severity.ERROR: 3,
    Severity.WARNING: 2,
    Severity.INFO: 1,
    Severity.UNKNOWN: 0,
}


# An end, and when we heard of it.
Heard = tuple[int, int]
# Where the next one begins, and the next that ends what was before it.
Following = tuple[int | None, int | None]


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """What one stored alert says to its strand.

    Attributes:
        alert_id: the stored alert.
        status: firing, resolved or updated.
        severity: how bad it is.
        name: what the monitoring system calls it.
        summary: one line for people.
        starts_at: when the problem began, if the source says so.
        ends_at: when it ended, if the source says so.
        said_at: when an update was made; else when it came.
        received_at: when it came, by our clock.
    """

    alert_id: int
    status: Status
    severity: Severity
    name: str
    summary: str
    starts_at: int | None
    ends_at: int | None
    said_at: int
    received_at: int


class Point(msgspec.Struct, array_like=True):
    """One beginning, and what is known about that episode.

    Attributes:
        begins_at: when it began, by the source's clock.
        told_end: when it ended, told together with its beginning.
        lapsed_at: when we gave up waiting for its end, by our clock.
        is_fired: whether anybody said that it fires.
        severity: the newest word on how bad it is.
        severity_at: when that word was said.
        episode: the id of its row, 0 before there is one.
        first_alert: the alert that was stored first.
        last_alert: the alert that was stored last.
        alerts: how many messages it is made of.
        seen_at: when the last of them came, by our clock.
        is_early: whether one of them came long before it began.
        told_at: when its beginning was told first, by our clock; 0 when that
            was not written down yet.
    """

    begins_at: int
    told_end: int | None = None
    lapsed_at: int | None = None
    is_fired: bool = False
    severity: Severity = Severity.UNKNOWN
    severity_at: int = LONG_AGO
    episode: int = 0
    first_alert: int = 0
    last_alert: int = 0
    alerts: int = 0
    seen_at: int = 0
    is_early: bool = False
    told_at: int = 0

    def is_ended_by(self, heard_at: int) -> bool:
        """Tell whether what we heard at a time can be the end of this.

        Not what we had heard before this began and was told: a clock that
        was ahead has dated it later, and was set back since.
        """
        if heard_at >= self.told_at or heard_at >= self.begins_at:
            return True
        return not heard_at or self.is_early


class Ending(msgspec.Struct, frozen=True):
    """When and why an episode ended."""

    at: int
    why: str


class Strand(msgspec.Struct, array_like=True):
    """The memory of one fingerprint of one source.

    Attributes:
        points: the beginnings, oldest first.
        loose_ends: ends that name no beginning, oldest first.
        forgotten: the newest beginning that was forgotten.
        heard: when each loose end came first, by our clock.
    """

    points: list[Point] = []
    loose_ends: list[int] = []
    forgotten: int = LONG_AGO
    heard: dict[int, int] = {}

    @property
    def is_fired(self) -> bool:
        """Tell whether anybody ever said that there is a problem."""
        return self.forgotten != LONG_AGO or any(
            point.is_fired for point in self.points
        )

    def may_have_forgotten(self, begins_at: int) -> bool:
        """Tell whether there may be an episode that it has no point of."""
        return begins_at <= self.forgotten or len(self.points) >= MOST_POINTS

    def take(self, saying: Saying) -> Point | None:
        """Remember what an alert says; return the point that it is about.

        None when it ends something of which no beginning is known, or is
        about something that was forgotten long ago.
        """
        if saying.starts_at is None and saying.status is Status.RESOLVED:
            point = self._take_loose_end(saying)
        elif saying.starts_at is None and saying.status is Status.UPDATED:
            point = self._last_before(saying.said_at)
        else:
            point = self._take_dated(saying)
        if point is not None:
            _note(point, saying)
        return point

    def forget(self) -> None:
        """Drop the oldest points and loose ends beyond the bound.

        Asked for when the episodes have been read off: those of a point
        that is dropped stay as they are.
        """
        if len(self.loose_ends) > MOST_POINTS:
            # An end that is dropped stays with the episode that it ended.
            for point, ending in list(self.endings()):
                if ending is not None and ending.why == "resolved":
                    point.told_end = ending.at
            del self.loose_ends[:-MOST_POINTS]
            for gone in self.heard.keys() - set(self.loose_ends):
                del self.heard[gone]
        while len(self.points) > MOST_POINTS:
            self._forget_one()

    def _forget_one(self) -> None:
        """Drop the oldest point, of those dated ahead or of the others.

        Whichever nobody spoke of for longer: where a clock was set back,
        what goes on now is older than what was dated ahead.
        """
        ahead = [point for point in self.points if point.is_early]
        right = [point for point in self.points if not point.is_early]
        gone = min([*right[:1], *ahead[:1]], key=lambda one: one.seen_at)
        self.points.remove(gone)
        if not gone.is_early:
            self.forgotten = gone.begins_at

    def endings(self) -> Iterator[tuple[Point, Ending | None]]:
        """Yield each point with its end, None for one that goes on.

        An end whose own beginning nobody told ends what went on before it.
        A beginning that a clock dated ahead ends nothing that one dated
        right: that one may have come after the clock was set back. Nor does
        anything that we had heard before.
        """
        every, right = self._lone_ends()
        for index, point in enumerate(self.points):
            following = self._following(index, point)
            ends = every if point.is_early else right
            yield point, self._ending(point, following, ends)

    def _following(self, index: int, point: Point) -> Following:
        """Return where the next one begins, and the next that ends it."""
        nearest: int | None = None
        for place in range(index + 1, len(self.points)):
            one = self.points[place]
            if not one.is_fired or not point.is_ended_by(one.told_at):
                continue
            nearest = one.begins_at if nearest is None else nearest
            if point.is_early or not one.is_early:
                return nearest, one.begins_at
        return nearest, None

    def _lone_ends(self) -> tuple[list[Heard], list[Heard]]:
        """Return the ends without a beginning: all, and those dated right.

        Each with the time at which we heard of it.
        """
        lone = [
            (point.told_end, point.told_at, point.is_early)
            for point in self.points
            if not point.is_fired and point.told_end is not None
        ]
        loose = [(end, self.heard.get(end, 0)) for end in self.loose_ends]
        right = [(end, heard) for end, heard, is_early in lone if not is_early]
        every = [(end, heard) for end, heard, _ in lone]
        return sorted([*loose, *every]), sorted([*loose, *right])

    @staticmethod
    def _ending(
        point: Point, following: Following, ends: list[Heard]
    ) -> Ending | None:
        """Return the end of an episode by the best word there is on it.

        Args:
            point: where it begins.
            following: where the next one begins, if there is one, and where
                the next one does that ends it.
            ends: those that belong to no beginning that was told.
        """
        if point.told_end is not None:
            return Ending(point.told_end, "resolved")
        nearest, then = following
        index = bisect_left(ends, (point.begins_at,))
        for place in range(index, len(ends)):
            end, heard_at = ends[place]
            if nearest is not None and end > nearest:
                break
            if point.is_ended_by(heard_at):
                return Ending(end, "resolved")
        if then is not None:
            return Ending(then, "began again")
        if point.lapsed_at is not None:
            return Ending(point.lapsed_at, "stale")
        return None

    def _take_dated(self, saying: Saying) -> Point | None:
        """Return the point of a beginning, which may be a new one."""
        begins_at = saying.starts_at
        if begins_at is None:
            begins_at = saying.received_at
        if begins_at <= self.forgotten:
            return None
        point = self._last_before(begins_at)
        if point is None or point.begins_at != begins_at:
            point = Point(begins_at)
            insort(self.points, point, key=lambda one: one.begins_at)
        came_at = saying.received_at
        point.told_at = min(point.told_at or came_at, came_at)
        end = saying.ends_at
        if end is None and saying.status is Status.RESOLVED:
            end = max(begins_at, saying.received_at)
        # A firing alert may say when it will end; that is no end yet.
        if end is not None and saying.status is not Status.FIRING:
            told = point.told_end
            point.told_end = end if told is None else min(told, end)
        return point

    def _take_loose_end(self, saying: Saying) -> Point | None:
        """Remember an end that names no beginning."""
        end = saying.ends_at
        if end is None:
            end = saying.received_at
        index = bisect_left(self.loose_ends, end)
        if self.loose_ends[index : index + 1] != [end]:
            self.loose_ends.insert(index, end)
            self.heard[end] = saying.received_at
        return self._last_before(end)

    def _last_before(self, moment: int) -> Point | None:
        """Return the newest point that begins at a moment or before it."""
        for point in reversed(self.points):
            if point.begins_at <= moment:
                return point
        return None


def _note(point: Point, saying: Saying) -> None:
    """Write down at a point what an alert says about it."""
    point.alerts += 1
    point.first_alert = min(
        point.first_alert or saying.alert_id, saying.alert_id
    )
    point.last_alert = max(point.last_alert, saying.alert_id)
    point.seen_at = max(point.seen_at, saying.received_at)
    if point.begins_at - saying.received_at > EARLY:
        point.is_early = True
    if saying.status is not Status.RESOLVED:
        # An update, too, says that there is a problem.
        point.is_fired = True
        point.lapsed_at = None
    if saying.status is Status.RESOLVED:
        # A recovery repeats the severity; it is no new word on it.
        said_at = point.begins_at - 1
    elif saying.status is Status.FIRING:
        said_at = point.begins_at
    elif saying.severity is Severity.UNKNOWN:
        # An update that is silent about it takes nothing back.
        said_at = LONG_AGO
    else:
        said_at = saying.said_at
    newer = (said_at, RANKS[saying.severity])
    if newer > (point.severity_at, RANKS[point.severity]):
        point.severity, point.severity_at = saying.severity, said_at
