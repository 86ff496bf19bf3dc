"""Plug-ins are found by their file; a broken one stops start-up."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from app.core.errors import ConfigError
from app.core.registry import scan
from app.ingest import sources


def package(folder: Path, name: str, **files: str) -> ModuleType:
    """Return a package made of files."""
    home = folder / name
    home.mkdir()
    (home / "__init__.py").touch()
    for module, text in files.items():
        (home / f"{module}.py").write_text(text)
    found = ModuleType(name)
    found.__path__ = [str(home)]
    sys.modules[name] = found
    return found


def test_the_sources_are_found_by_file_name() -> None:
    """An underscore in a file's name is a dash in the plug-in's."""
    names = set(scan(sources))
    folder = Path(sources.__path__[0])
    files = {f.stem.replace("_", "-") for f in folder.glob("[a-z]*.py")}
    assert names == files
    assert "alertmanager" in names


@pytest.mark.parametrize(
    ("text", "word"),
    [("X = 1\n", "plugin"), ("import nothing_like_this\n", "nothing_like")],
)
def test_a_broken_plugin_is_named(
    tmp_path: Path, text: str, word: str
) -> None:
    """It is not skipped: the error names the module and the cause."""
    name = f"plugs_{len(text)}"
    with pytest.raises(ConfigError) as caught:
        scan(package(tmp_path, name, broken=text))
    assert f"{name}.broken" in str(caught.value)
    assert word in str(caught.value)
