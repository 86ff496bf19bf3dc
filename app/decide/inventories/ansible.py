"""The hosts of a static Ansible inventory, in YAML or INI, read by ourselves.

No Ansible is needed, and nothing is run: no script, no plug-in, no template.
A folder is read as Ansible does, file after file, without the variables that
lie in folders beside it.
"""

import asyncio
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import model_validator

from app.core.configfile import Section
from app.core.errors import ConfigError
from app.core.naming import host_names
from app.core.yamlfile import YamlFile, read_text, read_yaml, stop
from app.models.grouping import Groups, GroupsWrong, spread
from app.models.inventory import Thing
from app.ports import InventoryEnv, InventorySource

REMEDY = "Write a static inventory; docs/inventory.md says what is read."
MOST_FILES = 200
YAML_ENDS = {".yml", ".yaml", ".json"}
# What Ansible passes by in a folder.
PASSED_BY = {
    ".bak", ".cfg", ".ini", ".md", ".orig", ".pyc", ".pyo", ".retry",
    ".rpm", ".rst", ".swp", ".txt",
}  # fmt: skip
ADDRESSES = ("ansible_host", "ansible_ssh_host")
ROLES = ("role", "server_role")
ENVIRONMENTS = ("environment", "env")
TEAMS = ("team",)
WANTED = {*ADDRESSES, *ROLES, *ENVIRONMENTS, *TEAMS}
HEADER = re.compile(r"\[([^:\]\s]+)(?::(hosts|children|vars))?\]\s*(?:#.*)?$")
YAML_START = re.compile(r"---|\{|[\"']?[\w.-]+[\"']?:\s*(#.*)?$")
# Groups that every host is in say nothing about it.
EVERYBODY = {"all", "ungrouped"}


class AnsibleSettings(Section):
    """Where it lies: inventory.ansible says only its path."""

    path: Path

    @model_validator(mode="before")
    @classmethod
    def _is_path(cls, value: Any) -> Any:
        """Take a path for settings with a path."""
        if not isinstance(value, str) or not value.strip():
            raise ValueError("is not the path of a file or folder")
        return {"path": value}


class AnsibleInventory:
    """Reads the files, and reads them again once they have changed."""

    def __init__(self, path: Path) -> None:
        """Take the file or folder."""
        self._path = path
        self._stamps: tuple[object, ...] = ()
        self._things: tuple[Thing, ...] = ()

    async def load(self) -> tuple[Thing, ...]:
        """Return what the files say, or raise ConfigError."""
        return await asyncio.to_thread(self.read)

    def read(self) -> tuple[Thing, ...]:
        """Return what the files say now.

        Raises:
            ConfigError: one is not there, or something in it is wrong.
        """
        try:
            files = list(_files(self._path))
            stamps = tuple(
                (file, seen.st_mtime_ns, seen.st_size, seen.st_ino)
                for file in files
                for seen in (file.stat(),)
            )
        except OSError as error:
            what = f"cannot be read: {error.strerror}"
            raise stop(self._path, what, REMEDY) from error
        if not stamps or stamps != self._stamps:
            groups = Groups(WANTED)
            for file in files:
                _read(file, groups)
            self._things = _make_things(self._path, groups)
            self._stamps = stamps
        return self._things


def _files(path: Path) -> Iterator[Path]:
    """Yield the files of an inventory, in the order of their names."""
    if not path.is_dir():
        yield path
        return
    found = [
        file
        for file in sorted(path.iterdir())
        if file.is_file()
        and file.name[0] != "."
        and file.name[-1] != "~"
        and file.suffix not in PASSED_BY
    ]
    if len(found) > MOST_FILES:
        raise stop(path, f"holds more than {MOST_FILES} files", REMEDY)
    yield from found


def _read(path: Path, groups: Groups) -> None:
    """Take in what one file says, or raise ConfigError."""
    text = read_text(path, REMEDY)
    if text.startswith("#!"):
        raise stop(path, "is a program: it is not run", REMEDY)
    if text.startswith("$ANSIBLE_VAULT"):
        raise stop(path, "is encrypted", REMEDY)
    lines = [line.strip() for line in text.splitlines()]
    first = next((line for line in lines if line and line[0] not in "#;"), "")
    if path.suffix in YAML_ENDS or YAML_START.match(first):
        _take_yaml(read_yaml(path, REMEDY, is_lenient=True), groups)
    else:
        _take_ini(path, lines, groups)


def _take_yaml(file: YamlFile, groups: Groups) -> None:
    """Take in the groups of a YAML file."""
    tree = {} if file.tree is None else file.tree
    if not isinstance(tree, dict):
        raise ConfigError([file.problem((), "holds no groups", REMEDY)])
    if isinstance(tree.get("plugin"), str):
        what = "sets up a plug-in: it is not run"
        raise ConfigError([file.problem(("plugin",), what, REMEDY)])
    for name, inside in tree.items():
        _take_group(file, (name,), inside, groups)


def _take_group(
    file: YamlFile, place: tuple[str, ...], inside: Any, groups: Groups
) -> None:
    """Take in one group of a YAML file, with those in it."""
    name = place[-1]
    try:
        groups.add(name)
        parts = _names(file, place, inside)
        unknown = sorted(parts.keys() - {"hosts", "children", "vars"})
        if unknown:
            what = f"{unknown[0][:80]!r} is not hosts, children or vars"
            raise ConfigError([file.problem(place, what, REMEDY)])
        groups.tell(name, _names(file, (*place, "vars"), parts.get("vars")))
        below = (*place, "hosts")
        for pattern, told in _names(file, below, parts.get("hosts")).items():
            said = _names(file, (*below, pattern), told)
            for host in spread(pattern):
                groups.put(name, host, said)
        below = (*place, "children")
        for child, of in _names(file, below, parts.get("children")).items():
            groups.nest(name, child)
            _take_group(file, (*below, child), of, groups)
    except GroupsWrong as error:
        raise ConfigError([file.problem(place, str(error), REMEDY)]) from error


def _names(
    file: YamlFile, place: tuple[str, ...], found: Any
) -> Mapping[str, Any]:
    """Return what must be names and values, or nothing."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        what = "must hold names and values"
        raise ConfigError([file.problem(place, what, REMEDY)])
    return found


def _take_ini(path: Path, lines: list[str], groups: Groups) -> None:
    """Take in the groups of an INI file."""
    group, kind = "ungrouped", "hosts"
    for number, line in enumerate(lines, 1):
        if not line or line[0] in "#;":
            continue
        header = HEADER.match(line)
        try:
            if header:
                group, kind = header[1], header[2] or "hosts"
                groups.add(group)
            elif line[0] == "[" and "]:" not in line:
                raise GroupsWrong("is no heading of a group")
            else:
                _take_line(line, group, kind, groups)
        except ValueError as error:
            raise stop(path, str(error), REMEDY, number) from error


def _take_line(line: str, group: str, kind: str, groups: Groups) -> None:
    """Take in one line below a heading, or raise ValueError."""
    if kind == "vars":
        name, equals, value = line.partition("=")
        if not equals:
            raise GroupsWrong("is not of the form name=value")
        groups.tell(group, {name.strip(): value.strip().strip("\"'")})
        return
    words = shlex.split(line, comments=True)
    if kind == "children":
        if len(words) != 1:
            raise GroupsWrong("names not one group")
        groups.nest(group, words[0])
        return
    told = {}
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            raise GroupsWrong(f"{word[:80]!r} is not of the form name=value")
        told[name] = value
    for host in spread(words[0]):
        groups.put(group, host, told)


def _make_things(path: Path, groups: Groups) -> tuple[Thing, ...]:
    """Return the hosts of all groups, or raise ConfigError."""
    try:
        return tuple(_things(groups))
    except GroupsWrong as error:
        raise stop(path, str(error), REMEDY) from error


def _things(groups: Groups) -> Iterator[Thing]:
    """Yield the hosts, unless none of their names can be that of one."""
    for host in groups.hosts:
        told = groups.told(host)
        names = host_names([host, *(told.get(n, "") for n in ADDRESSES)])
        if not names:
            continue
        inside = (g for g in groups.around(host) if g not in EVERYBODY)
        yield Thing(
            kind="host",
            name=names[0],
            aliases=names[1:],
            role=_first(told, ROLES) or ", ".join(inside),
            environment=_first(told, ENVIRONMENTS),
            team=_first(told, TEAMS),
            source="ansible",
        )


def _first(told: Mapping[str, str], names: tuple[str, ...]) -> str:
    """Return the first variable that says something; no template does."""
    values = (told.get(name, "") for name in names)
    return next((v for v in values if v and "{{" not in v), "")


def plugin(env: InventoryEnv) -> InventorySource | None:
    """Return the inventory of Ansible's files, or None without any."""
    if not env.is_configured:
        return None
    made = AnsibleInventory(env.home / env.settings(AnsibleSettings).path)
    made.read()
    return made
