"""How packages are installed: the files of the lock, and no others."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
INSTALL = """
set -euo pipefail
HOME_FOLDER=$PWD; source scripts/venv.sh
make_venv; install_requirements run requirements.txt
"""


class Site:
    """A clone with packages of its own, from a folder instead of an index."""

    def __init__(self, home: Path) -> None:
        """Make the folders; the .venv is made by the script under test."""
        self.home = home
        self.wheels = home / "wheels"
        self.stamp = home / ".venv" / ".installed-run"
        for name in ("scripts", "locks", "wheels"):
            (home / name).mkdir(parents=True)
        shutil.copy(HOME / "scripts" / "venv.sh", home / "scripts")

    def install(self, *lock: str) -> subprocess.CompletedProcess[str]:
        """Install what a lock says."""
        (self.home / "requirements.txt").write_text("# the same, by hand\n")
        text = "".join(f"{line}\n" for line in lock)
        (self.home / "locks" / "requirements.txt").write_text(text)
        environ = {
            **os.environ,
            "PYTHON": sys.executable,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "UV_NO_INDEX": "1",
            "UV_FIND_LINKS": str(self.wheels),
        }
        return subprocess.run(
            ["bash", "-c", INSTALL],
            cwd=self.home,
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def make_wheel(self, name: str, needs: str = "") -> str:
        """Put a wheel into the folder and return its hash."""
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
        if needs:
            metadata += f"Requires-Dist: {needs}\n"
        kind = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        files = {
            f"{name}.py": "HERE = True\n",
            f"{name}-1.dist-info/METADATA": metadata,
            f"{name}-1.dist-info/WHEEL": kind,
        }
        record = [
            f"{path},sha256={_url_digest(text)},{len(text)}"
            for path, text in files.items()
        ]
        place = f"{name}-1.dist-info/RECORD"
        files[place] = "\n".join([*record, f"{place},,"])
        file = self.wheels / f"{name}-1-py3-none-any.whl"
        with zipfile.ZipFile(file, "w") as packed:
            for path, text in files.items():
                packed.writestr(path, text)
        return digest_of(file)

    def make_source(self, name: str, witness: Path) -> str:
        """Put a package into the folder that runs code to be installed."""
        folder = self.home / f"{name}-1"
        folder.mkdir()
        (folder / "setup.py").write_text(f"open({str(witness)!r}, 'w')\n")
        file = self.wheels / f"{name}-1.tar.gz"
        with tarfile.open(file, "w:gz") as packed:
            packed.add(folder, folder.name)
        return digest_of(file)

    def has(self, name: str) -> bool:
        """Tell whether a module can be imported in its .venv."""
        python = self.home / ".venv" / "bin" / "python"
        done = subprocess.run(
            [python, "-c", f"import {name}"], check=False, capture_output=True
        )
        return done.returncode == 0


def _url_digest(text: str) -> str:
    """Return a hash as the record of a wheel has it."""
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def digest_of(file: Path) -> str:
    """Return a hash as a lock has it."""
    return f"--hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site whose .venv is made by the first test that needs it."""
    return Site(tmp_path_factory.mktemp("site") / "clone")


def test_the_files_of_the_lock_are_installed(site: Site) -> None:
    """And no setuptools, as old as the Python, stays in the .venv."""
    done = site.install(f"ember==1 {site.make_wheel('ember')}")
    assert done.returncode == 0, done.stdout
    assert site.has("ember")
    assert not site.has("setuptools")
    assert site.stamp.exists()


def test_another_file_is_refused_and_it_says_why(site: Site) -> None:
    """With what may be the matter, and what not to do."""
    good = site.make_wheel("cinder")
    with zipfile.ZipFile(
        site.wheels / "cinder-1-py3-none-any.whl", "a"
    ) as packed:
        packed.writestr("evil.py", "")
    stamp = site.stamp.read_text()
    done = site.install(f"cinder==1 {good}")
    assert done.returncode == 1
    assert "its hash differs from locks/requirements.txt" in done.stdout
    assert "Do not change the hash" in done.stdout
    assert not site.has("cinder")
    assert not site.has("evil")
    assert site.stamp.read_text() == stamp


def test_a_package_without_a_hash_is_refused(site: Site) -> None:
    """Also beside others that have one."""
    site.make_wheel("soot")
    done = site.install(
        f"ember==1 {site.make_wheel('ember')}",
        "soot==1",
    )
    assert done.returncode == 1
    assert not site.has("soot")


def test_what_the_lock_does_not_name_is_refused(site: Site) -> None:
    """A package cannot bring along another one."""
    site.make_wheel("spark")
    done = site.install(f"flint==1 {site.make_wheel('flint', 'spark')}")
    assert done.returncode == 1
    assert not site.has("flint")
    assert not site.has("spark")


def test_nothing_is_built_on_the_way(site: Site, tmp_path: Path) -> None:
    """A package that comes as its source runs none of its code."""
    witness = tmp_path / "it ran"
    done = site.install(f"kindling==1 {site.make_source('kindling', witness)}")
    assert done.returncode == 1
    assert "no wheel" in done.stdout
    assert not witness.exists()
