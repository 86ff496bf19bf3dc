"""What deciding costs: around a model's call, and without any model.

    python -m bench.decide
    python -m bench.decide --calls 30 --rounds 20

First a model server that answers after exactly one second is asked by the
brain ``ollama``, with all that the product does before and after: what is
longer than that second is ours. A bare request to the same server stands
beside it: that part would be there without us. Then the embedded brain
decides on tests/evals/cases, on one core.
"""

import argparse
import asyncio
import json
import os
import time
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import Any

import httpx
import msgspec

from app.decide.gate.weighing import open_gate
from app.models.case import Case
from scripts.evals.bare import Model
from scripts.evals.contestants import Contestant
from scripts.evals.field import OLLAMA, Field
from scripts.evals.figures import percentile
from scripts.evals.ours import HOME
from scripts.evals.running import tell_all
from scripts.evals.twins import read_set
from scripts.evals.worstcase import NAME, Wire

SECOND = 1.0
CASES = Path("tests/evals/cases")
SETTINGS = HOME / "config" / "smokejumper.yaml"
SHARES = (0.5, 0.95, 0.99)
BRAINS = ("reflex", "cascade")


class Slow(Wire):
    """A model that thinks for one second, and hands over."""

    def _send(self, answer: Any) -> None:
        """Answer a chat late, all else at once."""
        if "message" in answer:
            time.sleep(SECOND)
            answer["message"] = {"role": "assistant", "content": HANDED_OVER}
        super()._send(answer)


HANDED_OVER = json.dumps(
    {"name": "escalate", "arguments": {}, "reason": "People should look."}
)


class Costs(msgspec.Struct):
    """What some calls took beyond the model's second, in milliseconds."""

    ours: list[float]
    bare: list[float]


def percentiles(values: list[float]) -> str:
    """Return percentiles in words."""
    return ", ".join(
        f"p{share * 100:g} {percentile(values, share):.2f} ms"
        for share in SHARES
    )


async def call(url: str, cases: list[Case], calls: int) -> Costs:
    """Ask the slow model through the product, and without it."""
    environ = {
        f"{OLLAMA}ENABLED": "true",
        f"{OLLAMA}URL": url,
        f"{OLLAMA}MODEL": NAME,
    }
    costs = Costs([], [])
    body = {"model": NAME, "messages": [{"role": "user", "content": "x"}]}
    with Field(SETTINGS, environ, Model(url, NAME)) as field:
        brain = field.make("ollama")
        async with httpx.AsyncClient(base_url=url, trust_env=False) as line:
            await brain.answer(cases[0])  # it asks once what model that is
            for number in range(calls):
                case = cases[number % len(cases)]
                began = perf_counter()
                found = await brain.answer(case)
                costs.ours.append(1000 * (perf_counter() - began - SECOND))
                if found.error:
                    raise RuntimeError(found.error)
                began = perf_counter()
                await line.post("/api/chat", json=body, timeout=10)
                costs.bare.append(1000 * (perf_counter() - began - SECOND))
        await brain.close()
    return costs


def measure_calls(cases: list[Case], calls: int) -> Costs:
    """Return what is around a model's call."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        return asyncio.run(call(url, cases, calls))
    finally:
        server.shutdown()
        server.server_close()


async def decide(
    brain: Contestant, cases: list[Case], rounds: int
) -> list[float]:
    """Return how long each decision took, in milliseconds."""
    for case in cases:
        await brain.answer(case)
    times = []
    for _ in range(rounds):
        for case in cases:
            began = perf_counter()
            await brain.answer(case)
            times.append(1000 * (perf_counter() - began))
    return times


def measure_brain(name: str, cases: list[Case], rounds: int) -> list[float]:
    """Return what a brain without a model server takes, in ms each."""
    with Field(SETTINGS, {}, Model("", "")) as field:
        brain = field.make(name)
        return asyncio.run(decide(brain, cases, rounds))


def read_cases() -> list[Case]:
    """Return the cases that are decided on."""
    (told,) = tell_all([read_set(CASES)])
    return list(told.cases.values())


def keep_to_one_core() -> None:
    """Let this process have one core from now on."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def read_gate() -> float:
    """Read the weights, and return how many ms that took."""
    began = perf_counter()
    open_gate()
    return 1000 * (perf_counter() - began)


def main() -> None:
    """Measure on one core, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    cases = read_cases()
    costs = measure_calls(cases, options.calls)
    share = (percentile(costs.ours, 0.5) or 0.0) / (10 * SECOND)
    print(f"a call of 1 s, {options.calls} times, beyond that second:")
    print(f"  ours  {percentiles(costs.ours)}: {share:.2f} % at the median")
    print(f"  bare  {percentiles(costs.bare)}")
    keep_to_one_core()
    print(f"the gate is read in {read_gate():.0f} ms")
    for name in BRAINS:
        times = measure_brain(name, cases, options.rounds)
        rate = 1000 * len(times) / sum(times)
        print(f"{name}, one core, {len(times)} decisions:")
        print(f"  {percentiles(times)}, {rate:,.0f} cases/s")


if __name__ == "__main__":
    main()
