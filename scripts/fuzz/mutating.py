"""Mutations: a body that a system sends becomes one that none would send.

Most of them know what JSON is: they change one node of the tree, so that what
is around it is still understood, and the change gets far into a parser.
"""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

Path = tuple[Any, ...]
LONG = 70_000
MOST_BYTES = 1_100_000
DEEP = (33, 100, 1_000, 100_000)
DATES = (
    "0000-00-00T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "1969-12-31T23:59:59.999999999Z",
    "2026-02-30T25:61:61Z",
    "2026-11-21T02:14:60Z",
    "2026-11-21T02:14:02.123456789123456789Z",
    "9999-12-31T23:59:59-23:59",
    "+275760-09-13T00:00:00Z",
    "2026.11.21 02:23:28",
    "1795227556",
    "-1",
    "now",
)
TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "\ufeff",
    "\u202e\u2066",
    "\U000e0041",
    "\U0010ffff",
    "\n\r\t\x1b[2J",
    "{{7*7}}",
    "${jndi:x}",
    "%n%s%d",
    "../../etc/passwd",
    "'; DROP TABLE alert; --",
    "<script>",
    "*UNKNOWN*",
    "{EVENT.ID}",
    "firing",
    "resolved",
    "true",
    "null",
    "NaN",
    "-0",
    "1e400",
    "\u0661\u0662\u0663",
    "0x10",
    "1_000",
    "a" * LONG,
    "\u00e9" * 4_097,
    ",".join(f"a{n}:b" for n in range(300)),
    '{"a":[1]}',
    '[{"tag":"a","value":[[]]}]',
)
NUMBERS = (
    0,
    -1,
    1,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    2**64,
    10**400,
    0.1,
    -0.0,
    1e308,
    5e-324,
    1795227556,
    1795227556123,
    1795227556123456789,
)
# What Python writes so is no JSON, but is sent all the same.
RAW = (float("nan"), float("inf"), float("-inf"))


class Mutator:
    """Makes strange bodies out of known ones; the same seed, the same ones."""

    def __init__(self, seed: int) -> None:
        """Take the seed."""
        self._chance = random.Random(seed)

    def choose(self, found: Sequence[Any]) -> Any:
        """Return one of some things."""
        return self._chance.choice(found)

    def change(self, body: bytes, others: Sequence[bytes]) -> bytes:
        """Return a body with one to four changes.

        Args:
            body: what is changed.
            others: further bodies, of which parts may be taken.
        """
        for _ in range(self._chance.choice((1, 1, 1, 2, 2, 4))):
            # Longer ones are refused by their length alone, as one can see.
            body = self._once(body, others)[:MOST_BYTES]
        return body

    def _once(self, body: bytes, others: Sequence[bytes]) -> bytes:
        """Return a body with one change."""
        if self._chance.random() < 0.75:
            try:
                tree = json.loads(body)
            except (ValueError, RecursionError):
                return self._bytes(body, others)
            return self._tree(tree, others)
        return self._bytes(body, others)

    def _tree(self, tree: Any, others: Sequence[bytes]) -> bytes:
        """Return a tree with one node changed, as bytes."""
        change: Callable[[Any, Path, Sequence[bytes]], Any] = self.choose(
            (
                *(self._replace, self._replace, self._drop, self._rename),
                *(self._double, self._graft, self._wrap, self._crowd),
            )
        )
        changed = change(tree, self.choose(places(tree)), others)
        is_plain = self._chance.random() < 0.5
        gap = (",", ":") if self._chance.random() < 0.5 else None
        text = json.dumps(changed, ensure_ascii=is_plain, separators=gap)
        if self._chance.random() < 0.02:
            # Names twice: the last one wins, or so they say.
            text = text.replace("{", '{"status":[],', 1)
        return text.encode("utf-8", "surrogatepass")

    def _value(self) -> Any:
        """Return a value that is odd in its place."""
        kind = self._chance.random()
        if kind < 0.35:
            return self.choose(TEXTS)
        if kind < 0.55:
            return self.choose(DATES)
        if kind < 0.75:
            return self.choose(NUMBERS)
        if kind < 0.8:
            return self.choose(RAW)
        return self.choose((None, True, False, [], {}, [[]], {"": {}}))

    def _replace(self, tree: Any, path: Path, _: Sequence[bytes]) -> Any:
        """Put an odd value somewhere."""
        return put(tree, path, self._value())

    def _drop(self, tree: Any, path: Path, _: Sequence[bytes]) -> Any:
        """Take something away."""
        if not path:
            return None
        del look(tree, path[:-1])[path[-1]]
        return tree

    def _rename(self, tree: Any, path: Path, _: Sequence[bytes]) -> Any:
        """Give something another name."""
        if not path or not isinstance(path[-1], str):
            return tree
        holder = look(tree, path[:-1])
        holder[str(self.choose(TEXTS))] = holder.pop(path[-1])
        return tree

    def _double(self, tree: Any, path: Path, _: Sequence[bytes]) -> Any:
        """Say something many times."""
        times = self.choose((2, 3, 40, 501))
        return put(tree, path, [look(tree, path)] * times)

    def _graft(self, tree: Any, path: Path, others: Sequence[bytes]) -> Any:
        """Put a part of another body somewhere."""
        try:
            other = json.loads(self.choose(others))
        except (ValueError, RecursionError):
            return tree
        return put(tree, path, look(other, self.choose(places(other))))

    def _wrap(self, tree: Any, path: Path, __: Sequence[bytes]) -> Any:
        """Put something deep into lists, objects, or a text of JSON."""
        value = look(tree, path)
        if self._chance.random() < 0.3:
            return put(tree, path, json.dumps(value))
        for _ in range(self.choose((1, 2, 31, 40))):
            value = [value] if self._chance.random() < 0.5 else {"a": value}
        return put(tree, path, value)

    def _crowd(self, tree: Any, path: Path, _: Sequence[bytes]) -> Any:
        """Add names: many, or a huge one."""
        holder = look(tree, path)
        if not isinstance(holder, dict):
            return tree
        if self._chance.random() < 0.5:
            holder["n" * LONG] = self._value()
        else:
            holder.update((f"n{n}", "v") for n in range(200))
        return tree

    def _bytes(self, body: bytes, others: Sequence[bytes]) -> bytes:
        """Return a body with some bytes changed, whatever they mean."""
        if not body:
            return bytes(self.choose(others))
        place = self._chance.randrange(len(body))
        rest = self._chance.randrange(place, len(body) + 1)
        other = bytes(self.choose(others))
        depth = self.choose(DEEP)
        made: bytes = self.choose(
            (
                body[:place],
                body[:place] + body[rest:],
                body[:place] + body[place:rest] * 2 + body[rest:],
                body[:place] + self._chance.randbytes(3) + body[place:],
                body[:place] + b"\xff\xfe" + body[place + 2 :],
                body[:place] + b"\0" + body[place:],
                body[:place] + other[place:],
                body[:place] + b"[" * depth + body[place:],
                b'{"a":' * depth + body,
                b"\xef\xbb\xbf" + body,
                body.decode("latin-1").encode("utf-16"),
                body + body,
                b"",
            )
        )
        return made


def places(tree: Any) -> list[Path]:
    """Return the way to every node of a tree."""
    found: list[Path] = []
    waiting: list[tuple[Path, Any]] = [((), tree)]
    while waiting:
        path, node = waiting.pop()
        found.append(path)
        if isinstance(node, dict):
            waiting += [((*path, name), value) for name, value in node.items()]
        elif isinstance(node, list):
            waiting += [((*path, n), one) for n, one in enumerate(node[:20])]
    return found


def look(tree: Any, path: Path) -> Any:
    """Return what is at a place."""
    for part in path:
        tree = tree[part]
    return tree


def put(tree: Any, path: Path, value: Any) -> Any:
    """Return the tree with another value at a place."""
    if not path:
        return value
    look(tree, path[:-1])[path[-1]] = value
    return tree
