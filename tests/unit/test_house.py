"""Rules about the tree itself: the map, the settings file, the packages."""

import fnmatch
import importlib
import importlib.metadata
import pkgutil
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from pydantic import BaseModel
from pydantic_core import PydanticUndefined, to_jsonable_python

from app.bootstrap import build
from app.core.configfile import Section, load_config
from app.core.settings import Settings
from app.ingest import sources
from app.ingest.entrances import SourceSettings
from scripts.house import (
    broad_excepts,
    long_parts,
    possessive_patterns,
    too_broad,
)

HOME = Path(__file__).parents[2]
SETTINGS = HOME / "config" / "smokejumper.yaml"
UNCOMMENTED = re.compile(r"^(\s*)(?:# ?)?(\s*)([a-z][a-z_0-9-]*):(?: +(.*))?$")
MAP_LINE = re.compile(r"^(?P<path>[\w./-]+) {2,}(?P<what>\S.*)$")
HIDDEN_IN_MAP = {".ci/", ".gitignore"}
# What asks users of the product to publish their own code, with the two
# whose terms stop at the package itself (docs/decisions/004-packages.md).
RESTRICTIVE = re.compile(r"GPL|AGPL|SSPL|BUSL|EUPL|CC-BY-NC|Commons Clause")
STOPS_AT_ITSELF = {"psycopg", "psycopg-binary"}
PYTHONS = ("3.11", "3.12", "3.13")

Path_ = tuple[str, ...]


def map_of_the_readme() -> dict[str, str]:
    """Return what the README says of each path."""
    text = (HOME / "README.md").read_text(encoding="utf-8")
    section = text.split("\n## The map\n")[1].split("\n## ")[0]
    lines = section.split("```")[1].splitlines()
    found = [match for line in lines if (match := MAP_LINE.match(line))]
    return {match["path"]: match["what"] for match in found}


def top_level() -> Iterator[str]:
    """Yield what stands at the top of the tree, folders with a slash."""
    ignored = (HOME / ".gitignore").read_text().split()
    patterns = [pattern.rstrip("/") for pattern in ignored]
    for path in HOME.iterdir():
        name = path.name + ("/" if path.is_dir() else "")
        is_ignored = any(fnmatch.fnmatch(path.name, p) for p in patterns)
        if not is_ignored and (path.name[0] != "." or name in HIDDEN_IN_MAP):
            yield name


def app_folders() -> Iterator[str]:
    """Yield every folder of the product with Python in it."""
    for path in (HOME / "app").rglob("*/"):
        if path.name != "__pycache__" and any(path.glob("*.py")):
            yield f"{path.relative_to(HOME)}/"


def test_the_map_is_true() -> None:
    """The README's map names every folder and file, and no others."""
    assert set(map_of_the_readme()) == {*top_level(), *app_folders()}


def test_every_folder_says_what_it_is() -> None:
    """A folder of the product is a package whose docstring explains it."""
    for folder in app_folders():
        text = (HOME / folder / "__init__.py").read_text(encoding="utf-8")
        assert text.startswith('"""'), folder


def test_links_of_the_documents_lead_somewhere() -> None:
    """Every relative link of a document points at a file that is there."""
    documents = [HOME / "README.md", HOME / "CONTRIBUTING.md"]
    documents += (HOME / "docs").rglob("*.md")
    for document in documents:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (document.parent / target).exists(), (document, target)


def documented() -> dict[Path_, Any]:
    """Return what the settings file says first, even in a comment."""
    text = SETTINGS.read_text(encoding="utf-8")
    found = active(yaml.safe_load(text), ())
    stack: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = UNCOMMENTED.match(line)
        if not match:
            continue
        indent = len(match[1] + match[2])
        while stack and stack[-1][0] >= indent:
            stack.pop()
        stack.append((indent, match[3]))
        path = tuple(name for _, name in stack)
        if path not in found:
            found[path] = yaml.safe_load(match[4]) if match[4] else None
    return found


def active(tree: Any, path: Path_) -> dict[Path_, Any]:
    """Return every value that is not in a comment, inner ones too."""
    found = {path: tree}
    if isinstance(tree, dict):
        for name, value in tree.items():
            found |= active(value, (*path, str(name)))
    return found


def defaults(model: type[BaseModel], path: Path_) -> dict[Path_, Any]:
    """Return the default of every setting below a settings class."""
    found: dict[Path_, Any] = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= defaults(kind, (*path, name))
            continue
        value = field.get_default(call_default_factory=True)
        if hasattr(value, "get_secret_value"):
            value = value.get_secret_value()
        found[*path, name] = (
            ... if value is PydanticUndefined else to_jsonable_python(value)
        )
    return found


def source_options() -> Iterator[tuple[str, type[Section]]]:
    """Yield the settings class that each source plug-in has of its own."""
    for module in pkgutil.iter_modules(sources.__path__):
        found = importlib.import_module(f"{sources.__name__}.{module.name}")
        for value in vars(found).values():
            is_class = isinstance(value, type) and issubclass(value, Section)
            if is_class and value.__module__ == found.__name__:
                yield module.name.replace("_", "-"), value


def all_defaults() -> dict[Path_, Any]:
    """Return every setting there is with its default."""
    found = defaults(Settings, ())
    found |= defaults(SourceSettings, ("sources", "every-setting"))
    for name, model in source_options():
        found |= defaults(model, ("sources", name, "options"))
    return found


def test_every_setting_is_documented() -> None:
    """A setting stands in the settings file, first with its default."""
    values = documented()
    wanted = all_defaults()
    assert set(wanted) <= set(values)
    for path, default in wanted.items():
        if default is not ... and not isinstance(default, dict):
            assert values[path] == default, path


def test_the_settings_file_turns_every_source_on() -> None:
    """Whoever starts with the defaults can use every kind of source."""
    tree = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    names = {
        module.name.replace("_", "-")
        for module in pkgutil.iter_modules(sources.__path__)
    }
    kinds = {one.get("type", n) for n, one in tree["sources"].items()}
    assert kinds == names


def pinned(file: str) -> dict[str, str]:
    """Return the version of each package that a requirements file names."""
    found = {}
    for line in (HOME / file).read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-r"):
            name, version = text.split("==")
            found[_spelled(name)] = version
    return found


def _spelled(name: str) -> str:
    """Return a package's name in the spelling of the index."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needs_of(name: str) -> Iterator[str]:
    """Yield what a package needs on any system and Python that we run on."""
    for text in importlib.metadata.requires(name) or ():
        need = Requirement(text)
        places: list[dict[str, str]] = [
            {"extra": "", "python_version": version, "sys_platform": system}
            for version in PYTHONS
            for system in ("linux", "darwin")
        ]
        if not need.marker or any(map(need.marker.evaluate, places)):
            yield _spelled(need.name)


@pytest.mark.parametrize("kind", ["run", "dev"])
def test_every_package_is_pinned(kind: str) -> None:
    """What a package needs is pinned too: an install resolves nothing."""
    known = pinned("requirements.txt")
    if kind == "dev":
        known |= pinned("dev-requirements.txt")
    missing = {
        f"{name} needs {need}"
        for name in known
        for need in needs_of(name)
        if need not in known
    }
    assert not missing


def test_no_licence_binds_the_user() -> None:
    """A package that the product ships with leaves the user's code alone."""
    for name in pinned("requirements.txt"):
        metadata = importlib.metadata.metadata(name)
        said = [
            text.partition("\n")[0]
            for field in ("License-Expression", "License", "Classifier")
            for text in metadata.get_all(field) or ()
        ]
        licences = [text for text in said if RESTRICTIVE.search(text)]
        assert not licences or name in STOPS_AT_ITSELF, (name, licences)


# What other shell files read, and nobody runs.
READ_BY_OTHERS = ("venv.sh", "docker.sh")


def test_shell_files_are_read_by_bash() -> None:
    """Every shell file is free of syntax errors, and says bash first."""
    files = [HOME / "start_environment.sh", HOME / ".ci" / "run"]
    for place in ("scripts", "host"):
        files += (HOME / place).glob("*.sh")
    for file in files:
        done = subprocess.run(["bash", "-n", file], check=False)
        assert done.returncode == 0, file
        if file.name not in READ_BY_OTHERS:
            assert file.stat().st_mode & 0o111, f"chmod +x {file}"


def test_long_parts_are_found() -> None:
    """The size check names a file and a function that are too long."""
    body = "    pass\n" * 50
    assert list(long_parts("a.py", f"def short():\n{body[:-9]}")) == []
    (found,) = long_parts("a.py", f"def long():\n{body}")
    assert "long has 51 lines" in found
    (found,) = long_parts("a.py", "pass\n" * 401)
    assert "401 lines" in found


@pytest.mark.parametrize("end", ["*" + "+", "{2,}" + "+"])
def test_patterns_that_older_pythons_get_wrong_are_found(end: str) -> None:
    """In one piece or in several; a sign in a set is no repetition."""
    (found,) = possessive_patterns("a.py", f'a = r"(?:ab){end}"')
    assert "a.py:1" in found
    atomic = "(?" + ">ab)"
    assert list(possessive_patterns("a.py", f'a = r"{atomic}" f"{{b}}"'))
    for fine in ("[*+]+", "(?=(a+))b", "C++ is not for (us"):
        assert not list(possessive_patterns("a.py", f'a = r"{fine}"'))


def test_broad_excepts_are_counted() -> None:
    """An except that catches everything is seen in each of its spellings."""
    broad = ["except:", "except Exception:", "except (OSError, Exception):"]
    for line in broad:
        assert broad_excepts(f"try:\n    pass\n{line}\n    pass\n") == 1
    narrow = "try:\n    pass\nexcept OSError:\n    pass\n"
    assert broad_excepts(narrow) == 0
    wide = "try:\n    pass\nexcept Exception:\n    pass\n"
    assert list(too_broad({"a.py": wide + "pass\n" * 1996})) == []
    (found,) = too_broad({"a.py": wide + "pass\n" * 1995})
    assert "a.py" in found


def test_every_metric_is_documented() -> None:
    """What /metrics shows stands in the page for operators."""
    product = build(load_config(SETTINGS, {}))
    page = (HOME / "docs" / "operations.md").read_text(encoding="utf-8")
    told = page.split("\n## Metrics\n")[1].split("\n## ")[0]
    missing = [
        family.name
        for family in product.registry.collect()
        if family.name.removeprefix("smokejumper_") not in told
    ]
    assert missing == []


def test_every_kind_of_entry_is_documented() -> None:
    """What the action log may say stands in the page about it."""
    page = (HOME / "docs" / "log.md").read_text(encoding="utf-8")
    nouns = "incident|episode|alert|mute|decision|reins|ruling|approval"
    nouns += "|job|verdict|halt"
    kinds = re.compile(rf'"((?:{nouns})\.[a-z_]+)"')
    found = {
        kind
        for file in (HOME / "app").rglob("*.py")
        # What policies may ask for is written in the same way.
        if not {"sources", "reach"} & set(file.parts)
        for kind in kinds.findall(file.read_text(encoding="utf-8"))
    }
    assert "incident.opened" in found
    assert sorted(kind for kind in found if kind not in page) == []
