"""catalogue and inventory, as commands."""

from pathlib import Path

import yaml

from tests.unit.cli.conftest import Shell


def add_inventory(shell: Shell, text: str) -> None:
    """Let the settings of a shell name an inventory with this text."""
    file = shell.folder / "inventory.yaml"
    file.write_text(text)
    tree = yaml.safe_load(shell.config.read_text())
    tree["inventory"] = {"file": str(file)}
    shell.config.write_text(yaml.safe_dump(tree))


def test_the_catalogue_is_listed(bare: Shell) -> None:
    """Without a database, as a table and as JSON."""
    done = bare.run("catalogue")
    assert done.exit_code == 0
    assert "restart_service" in done.stdout
    found = {one["name"]: one for one in bare.ask("catalogue")}
    function = found["restart_service"]["function"]
    assert function["parameters"]["required"] == ["host", "service"]


def test_one_action_is_shown_in_full(bare: Shell) -> None:
    """As YAML in the form of an action's own file."""
    done = bare.run("catalogue", "restart_pod")
    said = yaml.safe_load(done.stdout)
    assert said["parameters"]["pod"]["shape"] == "pod"
    digest = said["digest"]
    assert bare.ask("catalogue", "restart_pod")["digest"] == digest


def test_an_unknown_action_is_an_error(bare: Shell) -> None:
    """It names those that there are."""
    done = bare.run("catalogue", "reboot")
    assert done.exit_code == 1
    assert "no_action" in done.stderr


def test_the_inventory_is_listed(tmp_path: Path) -> None:
    """What is known, from where, and what may be done to it."""
    shell = Shell(tmp_path, is_migrated=False)
    text = "hosts: {web-01: {team: shop, services: {nginx: {actions: []}}}}"
    add_inventory(shell, text)
    done = shell.run("inventory")
    assert done.exit_code == 0
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[1:] == [
        ["host", "web-01", "shop", "all", "file"],
        ["service", "nginx", "web-01", "shop", "none", "file"],
    ]
    told = shell.ask("inventory")
    assert told["failures"] == {}
    assert [one["name"] for one in told["things"]] == ["web-01", "nginx"]


def test_no_inventory_is_no_error(bare: Shell) -> None:
    """It says where to read about one."""
    done = bare.run("inventory")
    assert done.exit_code == 0
    assert "docs/inventory.md" in done.stdout


def test_a_source_that_fails_is_an_error(tmp_path: Path) -> None:
    """What the others know is listed all the same."""
    shell = Shell(tmp_path, is_migrated=False)
    add_inventory(shell, "hosts: [web-01]")
    tree = yaml.safe_load(shell.config.read_text())
    tree["inventory"]["prometheus"] = {"url": "http://127.0.0.1:9"}
    shell.config.write_text(yaml.safe_dump(tree))
    done = shell.run("inventory")
    assert done.exit_code == 1
    assert "web-01" in done.stdout
    assert "prometheus: http://127.0.0.1:9: ConnectError" in done.stderr


def test_a_wrong_inventory_stops_every_command(tmp_path: Path) -> None:
    """With the line, as any other wrong setting."""
    shell = Shell(tmp_path, is_migrated=False)
    add_inventory(shell, "hosts:\n  web-01: {actions: [reboot]}\n")
    done = shell.run("check-config")
    assert done.exit_code == 2
    assert "inventory.yaml:2: hosts.web-01.actions" in done.stderr
