"""The scorecard as a picture: an SVG file, light and dark.

One line for each fault, with the time since it began to the right. The
thick strip is what the service did: grey until an alert told of it, then
until something was done, then until it was measured to be fixed. The thin
line below it is the truth: how long the fault was there.
"""

import html
import math
from collections.abc import Iterator

from simulator.results import Outcome, Result, Score
from simulator.scorecard import figures, mood_of, plain, seconds, title_of

WIDTH = 960
EDGE = 24
STRIP_LEFT, STRIP_RIGHT = 262, 800
WORD_LEFT = 822
TILE_TOP, TILE_HEIGHT, TILES_A_ROW = 66, 54, 4
ROW_HEIGHT = 32
MOST_ROWS = 200
MOST_LETTERS = 34
LETTER = 6.4  # of a small text, about
STEPS = (1, 2, 5)
STYLE = """
svg { --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --rule: #d8dee4;
  --wait: #b6bec7; --think: #3b82c4; --act: #c77d1b; --truth: #6e7781;
  --good: #1a7f37; --bad: #cf222e; --tile: #f4f6f8; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #0f1419; --ink: #e6edf3; --soft: #9aa5b1; --rule: #2d343c;
    --wait: #59636e; --think: #58a6ff; --act: #e3a04a; --truth: #8b949e;
    --good: #4cc76a; --bad: #ff7b72; --tile: #181f27; } }
text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.title { font-size: 20px; font-weight: 600; }
.soft { fill: var(--soft); font-size: 12px; }
.figure { font-size: 17px; font-weight: 600; }
.good { fill: var(--good); } .bad { fill: var(--bad); }
.paper { fill: var(--paper); } .tile { fill: var(--tile); }
.wait { fill: var(--wait); } .think { fill: var(--think); }
.act { fill: var(--act); } .truth { fill: var(--truth); }
.rule { stroke: var(--rule); stroke-width: 1; }
.sign { fill: none; stroke: var(--paper); stroke-width: 2;
  stroke-linecap: round; stroke-linejoin: round; }
"""


def draw(score: Score, title: str = "Smokejumper: the scorecard") -> str:
    """Return a score as the text of an SVG file."""
    picture = _Picture(score)
    rows = list(picture.rows())
    head = list(picture.head(title))
    height = picture.bottom
    said = ", ".join(f"{name}: {value}" for name, value, _ in figures(score))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}"'
        f' height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">'
    )
    return "\n".join(
        [
            svg,
            f"<title>{_safe(title)}</title>",
            f"<desc>{_safe(said)}</desc>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            *head,
            *rows,
            "</svg>\n",
        ]
    )


class _Picture:
    """Draws one score."""

    def __init__(self, score: Score) -> None:
        """Take the score, and see how much room it needs."""
        self._score = score
        self._results = score.results[:MOST_ROWS]
        self._end = _axis_end(self._results)
        tiles = math.ceil(len(figures(score)) / TILES_A_ROW)
        self._legend = TILE_TOP + tiles * (TILE_HEIGHT + 10) + 18
        self._top = self._legend + 48
        left_out = len(score.results) > MOST_ROWS
        lines = len(self._results) + left_out
        self.bottom = self._top + lines * ROW_HEIGHT + EDGE

    def head(self, title: str) -> Iterator[str]:
        """Yield the title, the figures, what the colours are, the axis."""
        score = self._score
        yield _text(EDGE, 38, title, "title")
        when = score.read_at.strftime("%Y-%m-%d %H:%M UTC")
        many = f"{len(score.results)} faults, {when}"
        yield _text(WIDTH - EDGE, 38, many, "soft", anchor="end")
        room = (WIDTH - 2 * EDGE + 10) / TILES_A_ROW
        for number, (name, value, mood) in enumerate(figures(score)):
            x = EDGE + number % TILES_A_ROW * room
            y = TILE_TOP + number // TILES_A_ROW * (TILE_HEIGHT + 10)
            yield _rect("tile", x, y, room - 10, TILE_HEIGHT, 6)
            yield _text(x + 12, y + 20, name, "soft")
            yield _text(x + 12, y + 42, value, f"figure {mood}".strip())
        yield from self._colours()
        yield from self._axis()

    def rows(self) -> Iterator[str]:
        """Yield one line for each fault."""
        for number, one in enumerate(self._results):
            yield from self._row(one, self._top + number * ROW_HEIGHT)
        left_out = len(self._score.results) - len(self._results)
        if left_out:
            y = self._top + len(self._results) * ROW_HEIGHT + 18
            yield _text(EDGE, y, f"and {left_out} more", "soft")

    def _colours(self) -> Iterator[str]:
        """Yield what each colour means."""
        x, y = float(STRIP_LEFT), self._legend
        for kind, words in (
            ("wait", "not noticed"),
            ("think", "noticed, deciding"),
            ("act", "acting, measuring"),
            ("truth", "the fault itself"),
        ):
            thick = 3 if kind == "truth" else 9
            yield _rect(kind, x, y - 4 - thick / 2, 16, thick, 1.5)
            yield _text(x + 22, y, words, "soft")
            x += 46 + len(words) * LETTER

    def _axis(self) -> Iterator[str]:
        """Yield the times and the lines below them."""
        step = _step(self._end)
        below = self.bottom - EDGE + 4
        count = int(self._end / step + 1e-9)
        for number in range(count + 1):
            at = number * step
            x = self._x(at)
            yield (
                f'<line class="rule" x1="{x:.1f}" y1="{self._top - 8}"'
                f' x2="{x:.1f}" y2="{below}"/>'
            )
            yield _text(x, self._top - 14, f"{at:g} s", "soft", "middle")

    def _row(self, one: Result, y: float) -> Iterator[str]:
        """Yield what is drawn of one fault."""
        below = one.scenario and f"{one.scenario}, {one.step}"
        yield _text(EDGE, y + (11 if below else 17), title_of(one))
        if below:
            yield _text(EDGE, y + 25, below, "soft")
        over = self._over(one)
        for kind, begin, end in _phases(one, over):
            yield self._bar(kind, begin, end, y + 4, 10)
        lasted = self._end if one.ended_seconds is None else one.ended_seconds
        yield self._bar("truth", 0.0, lasted, y + 19, 3)
        if one.decided_seconds is not None:
            x = self._x(one.decided_seconds)
            yield _rect("paper", x - 0.75, y + 4, 1.5, 10, 0)
        yield from self._sign(one, over, y + 9)
        word = one.outcome.replace("_", " ")
        mood = mood_of(one.outcome)
        yield _text(WORD_LEFT, y + 13, word, mood)
        if one.outcome is Outcome.FIXED:
            after = f"after {seconds(one.fixed_seconds)}"
            yield _text(WORD_LEFT, y + 27, after, "soft")

    def _over(self, one: Result) -> float:
        """Return when the service was done with a fault."""
        for moment in (one.fixed_seconds, one.escalated_seconds):
            if moment is not None:
                return moment
        return self._end if one.ended_seconds is None else one.ended_seconds

    def _bar(
        self, kind: str, begin: float, end: float, y: float, height: float
    ) -> str:
        """Return a bar from one time to another."""
        left, right = self._x(begin), self._x(end)
        return _rect(kind, left, y, max(right - left, 0.0), height, 1.5)

    def _sign(self, one: Result, over: float, y: float) -> Iterator[str]:
        """Yield what says how it ended: by its shape, too."""
        x = self._x(over)
        if one.outcome is Outcome.FIXED:
            yield f'<circle class="good" cx="{x:.1f}" cy="{y}" r="8"/>'
            yield _path(x, y, "M-3.5 0 l2.5 3 l4.5 -5.5")
        elif mood_of(one.outcome) == "bad":
            yield f'<circle class="bad" cx="{x:.1f}" cy="{y}" r="8"/>'
            yield _path(x, y, "M-3 -3 l6 6 M3 -3 l-6 6")
        elif one.outcome is Outcome.ESCALATED:
            yield f'<circle class="truth" cx="{x:.1f}" cy="{y}" r="8"/>'
            yield _path(x, y, "M0 4 v-8 M-3 -1 l3 -3 l3 3")

    def _x(self, at: float) -> float:
        """Return where a time is; what is later is at the edge."""
        share = min(max(at / self._end, 0.0), 1.0)
        return STRIP_LEFT + share * (STRIP_RIGHT - STRIP_LEFT)


def _phases(one: Result, over: float) -> Iterator[tuple[str, float, float]]:
    """Yield what the service did with a fault, and from when to when."""
    if one.detected_seconds is None:
        yield "wait", 0.0, over
        return
    noticed = min(one.detected_seconds, over)
    yield "wait", 0.0, noticed
    if one.acted_seconds is None or one.acted_seconds > over:
        yield "think", noticed, over
        return
    yield "think", noticed, one.acted_seconds
    yield "act", one.acted_seconds, over


def _axis_end(results: tuple[Result, ...]) -> float:
    """Return the last time of the axis: what was done fits on it.

    How long a fault was there may be more: its line ends at the edge.
    """
    done = [
        moment
        for one in results
        for moment in (
            one.detected_seconds,
            one.acted_seconds,
            one.fixed_seconds,
            one.escalated_seconds,
        )
        if moment is not None
    ]
    ended = [one.ended_seconds or 0.0 for one in results]
    longest = max(done or ended or [0.0])
    step = _step(max(longest * 1.05, 10.0))
    return math.ceil(max(longest * 1.05, 10.0) / step) * step


def _step(end: float) -> float:
    """Return a round distance between two times, for six of them or so."""
    power: float = 10.0 ** math.floor(math.log10(end / 6))
    return next(
        (power * one for one in STEPS if power * one * 6 >= end), power * 10
    )


def _text(
    x: float, y: float, text: str, kind: str = "", anchor: str = "start"
) -> str:
    """Return a text; one that is too long is cut."""
    most = 60 if "title" in kind or anchor != "start" else MOST_LETTERS
    if len(text) > most:
        text = text[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
    style = f' class="{kind}"' if kind else ""
    at = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{style}{at}>{_safe(text)}</text>'


def _rect(  # noqa: PLR0913, PLR0917  a box has four numbers
    kind: str, x: float, y: float, width: float, height: float, round_: float
) -> str:
    """Return a box."""
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}"'
        f' height="{height:.1f}" rx="{round_}"/>'
    )


def _path(x: float, y: float, way: str) -> str:
    """Return the lines of a sign."""
    return f'<path class="sign" transform="translate({x:.1f} {y})" d="{way}"/>'


def _safe(text: str) -> str:
    """Return a text that is only text in an SVG file."""
    return html.escape(plain(text))
