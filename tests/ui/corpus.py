"""The hostile corpus: what of it can stand on a screen."""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

DEFAULT = Path(__file__).parents[3] / "shared" / "data"
FILE = Path(os.environ.get("TEST_DATA", DEFAULT)) / "hostile.jsonl"
HOST = "web-01"
# What somebody could write into a note.
SPOKEN = ("setup", "q", "fts", "raw", "model_reply")
# Abuse of a protocol or of an order, with no text of its own: told to be
# known, so that a kind that is new is not left out in silence.
UNSEEN = ("gen", "sequence")
# These come with one of the above.
BESIDE = ("alert", "alert_host")


class Corpus(msgspec.Struct):
    """What is shown of a corpus.

    Attributes:
        bodies: deliveries of Alertmanager by the name of their line.
        texts: what people, or a model, said.
    """

    bodies: dict[str, dict[str, Any]] = {}
    texts: list[str] = []


def read_corpus() -> Corpus:
    """Return the corpus; empty where it is not and nobody says it is."""
    if not FILE.exists():
        is_named = "TEST_DATA" in os.environ
        if is_named or os.environ.get("REAL_SYSTEMS") == "required":
            pytest.fail(f"the hostile corpus is not there: {FILE}")
        return Corpus()
    corpus = Corpus()
    for line in FILE.read_text(encoding="utf-8").splitlines():
        given = json.loads(line)
        _add(corpus, given["id"], given["payload"])
    return corpus


def _add(corpus: Corpus, name: str, payload: dict[str, Any]) -> None:
    """Add what a line has to show."""
    body = payload if "alerts" in payload else payload.get("alert")
    if body is not None:
        corpus.bodies[name] = _alone(name, body)
    if body is payload:
        return
    strange = payload.keys() - {*SPOKEN, *UNSEEN, *BESIDE}
    assert not strange, f"{name}: nobody knows how to show {strange}"
    for kind in SPOKEN:
        if kind in payload:
            said = payload[kind]
            is_text = isinstance(said, str)
            corpus.texts.append(said if is_text else json.dumps(said))


def _alone(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a delivery that is about a host of its own, else the same."""
    for alert in body["alerts"]:
        alert["fingerprint"] = name
        instance = alert["labels"]["instance"]
        assert HOST in instance, f"{name} is about another host"
        own = f"{name.lower()}-{HOST}"
        alert["labels"]["instance"] = instance.replace(HOST, own)
    return body
