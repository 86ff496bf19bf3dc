"""Fuzz the parsers: each body is read, or it is said why not, and soon."""

import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from app.core.errors import Refused
from app.core.settings import Limits
from app.ingest.clean import clean_alert
from app.ingest.hiding import hide_alerts
from app.ingest.intake import SURPRISES
from app.ingest.limits import check_alerts, check_depth
from app.models.alert import Alert, Status
from app.models.delivery import Parsed, Unparsed
from app.ports import Source
from scripts.fuzz.cases import BROKEN, GROWTH, HANG, MEGABYTE, Case, Score
from scripts.fuzz.guiding import Reach
from scripts.fuzz.memory import memory_of
from scripts.fuzz.mutating import Mutator
from scripts.fuzz.seeds import Seed, load_seeds, options_of
from tests.unit.sources.making import KINDS, make_delivery, make_source

LIMITS = Limits()
HANG_SECONDS = 10.0
PATIENCE = 10
SLOW_SECONDS = 2.0
MOST_KEPT = 400
# Larger ones only take memory, and time with each change.
MOST_KEPT_BYTES = 16_384
WARM_CASES = 300
MOST_GROWTH = 64 * MEGABYTE
# What the databases hold: 64 bits, and what a calendar can show.
LAST_MOMENT = 253_402_300_800_000_000
FIRST_MOMENT = -62_135_596_800_000_000


class Hung(BaseException):
    """A parser was still at work when nobody waited any more."""


def _give_up(_: int, __: FrameType | None) -> None:
    """End what takes too long."""
    raise Hung


@contextmanager
def patience() -> Iterator[None]:
    """End the block when it takes too long."""
    signs = (signal.SIGALRM, signal.SIGPROF)
    earlier = {sign: signal.signal(sign, _give_up) for sign in signs}
    # Seconds of a core, since others may be at work on this machine; who
    # waits instead of working is ended later.
    waits = signal.setitimer(signal.ITIMER_REAL, HANG_SECONDS * PATIENCE)
    signal.setitimer(signal.ITIMER_PROF, HANG_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        # Whoever waits for all of this goes on waiting.
        signal.setitimer(signal.ITIMER_REAL, *waits)
        for sign, before in earlier.items():
            signal.signal(sign, before)


def read(source: Source, case: Case) -> Parsed:
    """Return what a source reads, as the service does before it is kept."""
    headers = tuple(
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in case.headers
    )
    delivery = make_delivery(case.body, headers)
    try:
        check_body(case.body)
        parsed = source.parse(delivery)
        check_alerts(parsed, len(case.body), LIMITS)
    except Unparsed as error:
        parsed = Parsed(unparsed=(error.flaw,))
    except Refused:
        parsed = Parsed()
    for alert in hide_alerts(tuple(map(clean_alert, parsed.alerts))):
        check_storable(alert)
    return parsed


def check_body(body: bytes) -> None:
    """Raise Refused when the service would not even read a body."""
    if len(body) > LIMITS.body_bytes:
        raise Refused(413, "too_large", "It is too large.")
    check_depth(body, LIMITS)


def check_storable(alert: Alert) -> None:
    """Raise ValueError unless both databases can hold an alert."""
    texts = [alert.fingerprint, alert.name, alert.summary, alert.url]
    texts.append(alert.occurrence or "")
    for labels in (alert.labels, alert.annotations):
        texts += [*labels, *labels.values()]
    for text in texts:
        text.encode()
        if "\0" in text:
            raise ValueError("a NUL is in an alert")
    if not isinstance(alert.status, Status) or not alert.fingerprint:
        raise ValueError("an alert has no status or fingerprint")
    for when in (alert.starts_at, alert.ends_at):
        if when is not None and not FIRST_MOMENT <= when < LAST_MOMENT:
            raise ValueError("a moment is in no calendar")


def judge(source: Source, case: Case, reach: Reach) -> tuple[str, str] | None:
    """Return what is wrong with how a case is read, None when nothing is."""
    begin = time.process_time()
    try:
        with patience():
            reach.watch(lambda: read(source, case))
    except Hung:
        return HANG, f"more than {HANG_SECONDS} s"
    except (*SURPRISES, MemoryError, AssertionError) as error:
        return BROKEN, f"{case.target}: {type(error).__name__}: {error}"[:200]
    seconds = time.process_time() - begin
    if seconds > SLOW_SECONDS:
        return HANG, f"{case.target}: {seconds:.1f} s of a core"
    return None


def is_kept(body: bytes, others: Sequence[Seed]) -> bool:
    """Tell whether there is room for a body that got further."""
    return len(body) < MOST_KEPT_BYTES and len(others) < MOST_KEPT


def fuzz_parsers(seconds: float, seed: int, folder: Path) -> Score:
    """Read strange bodies for some time; keep those that get further."""
    score = Score("parsers", folder)
    mutator, chance, reach = Mutator(seed), random.Random(seed), Reach()
    sources = {kind: make_source(kind, options_of(kind)) for kind in KINDS}
    seeds = load_seeds()
    kept = {kind: [s for s in seeds if s.source == kind] for kind in KINDS}
    bodies = [one.body for one in seeds]
    before, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        if score.cases == WARM_CASES:
            before = memory_of("self")
        kind = chance.choice(KINDS)
        known = chance.choice(kept[kind])
        body = mutator.change(known.body, bodies)
        case = Case("parsers", kind, known.headers, body)
        wrong = judge(sources[kind], case, reach)
        score.cases += 1
        if wrong is not None:
            score.fail(*wrong, case)
        elif reach.is_new and is_kept(body, kept[kind]):
            kept[kind].append(known._replace(body=body))
    score.growth = memory_of("self") - (before or memory_of("self"))
    if score.growth > MOST_GROWTH:
        score.fail(GROWTH, f"{score.growth // MEGABYTE} MB")
    score.notes.append(f"{len(reach.steps)} steps of the parsers were taken")
    return score


def replay(case: Case) -> str:
    """Read one case again; return what is wrong, empty when nothing is."""
    source = make_source(case.target, options_of(case.target))
    return ": ".join(judge(source, case, Reach()) or ())
