"""What the images and the stack are made of, without an engine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.demo import settings as demo
from scripts.demo.stage import Stage
from tests.programs import need

HOME = Path(__file__).parents[2]
DOCKER = HOME / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROFILES = {
    "": {
        "machine", "api-middleware", "postgres", "ollama", "model-pull",
        "model-folder", "monitoring-agent-simulator",
    },
    "prometheus": {
        "prometheus", "alertmanager", "node-exporter", "process-exporter",
    },
    "zabbix": {
        "zabbix-database", "zabbix-server", "zabbix-web", "zabbix-agent",
    },
    "rundeck": {"rundeck"},
}  # fmt: skip
# Images of others that want to write where they like.
DISK = "/var/log/shop"
# Of the machine below all containers, which nobody knows beforehand.
FLOOR = 0.05
ZOMBIES = {"limit": 50, "lower": 25, "for_seconds": 3, "clear_seconds": 2}
WRITING = ("zabbix-server", "zabbix-web", "zabbix-agent", "rundeck")


def settings(name: str) -> dict[str, Any]:
    """Return a settings file of the containers."""
    found = yaml.safe_load((DOCKER / "config" / name).read_text())
    return dict(found)


def stages(name: str) -> dict[str, str]:
    """Return the stages of a Dockerfile by name; the last one has none."""
    text = (DOCKER / name / "Dockerfile").read_text()
    parts = re.split(r"^FROM ", text, flags=re.MULTILINE)[1:]
    found = {}
    for part in parts:
        first = part.partition("\n")[0]
        # What stands above the next FROM belongs to that.
        body = re.sub(r"\n# --- .*\n\Z", "\n", part.rstrip("\n") + "\n")
        found[first.partition(" AS ")[2]] = body
    return found


def test_compose_takes_it_with_all_profiles(tmp_path: Path) -> None:
    """The file is what compose reads, the old one or the new one."""
    has_old = shutil.which("docker-compose") is not None
    words = ["docker-compose"] if has_old else ["docker", "compose"]
    program = need(words[0], "docker-compose")
    chosen = [f"--profile={name}" for name in PROFILES if name]
    done = subprocess.run(
        [program, *words[1:], "-f", DOCKER / "compose.yaml", *chosen,
         "config"],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(SERVICES)


def test_profiles_hold_what_they_should() -> None:
    """Each service is of the default, or of one profile."""
    found: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        (profile,) = service.get("profiles", [""])
        found.setdefault(profile, set()).add(name)
    assert found == PROFILES


@pytest.mark.parametrize("name", SERVICES)
def test_none_has_more_rights_than_it_needs(name: str) -> None:
    """No capability, nothing to gain, and a root that cannot be written."""
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only") or name in WRITING
    assert not service.get("privileged")
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:"), port


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_and_can_be_replaced(name: str) -> None:
    """A tag that says a release; a variable for a digest."""
    image = SERVICES[name]["image"]
    if image.startswith("smokejumper/"):
        return
    found = re.fullmatch(r"\$\{[A-Z_]+_IMAGE:-[\w/.-]+:(.+)\}", image)
    assert found, image
    assert re.search(r"\d+\.\d+", found[1]), image
    assert "latest" not in image


def test_both_images_share_their_stages() -> None:
    """What is built once is used twice, to the letter."""
    one, other = stages("middleware"), stages("simulator")
    assert one["packages"] == other["packages"]
    assert one["code"] == other["code"]


@pytest.mark.parametrize("name", ["middleware", "simulator"])
def test_no_image_runs_as_root(name: str) -> None:
    """A number, so that whoever starts it can see that it is not root."""
    last = stages(name)[""]
    assert re.search(r"^USER 1000[12]:10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last


def test_the_context_has_nothing_but_what_is_needed() -> None:
    """All is left out, then a few things are named."""
    lines = (HOME / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert "!var/wheels" in rules
    assert not [rule for rule in rules if rule in ("!var", "!.", "!docker")]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return a demo that the containers are compared with."""
    return Stage(tmp_path, Path(sys.executable))


def test_containers_allow_what_the_demo_does(stage: Stage) -> None:
    """The same policy, and the same thing in the inventory."""
    policy, other = settings("policy.yaml"), demo.make_policy(stage)
    for part in ("budgets", "blast", "trust"):
        assert policy[part] == other[part]
    # The demo has more of them: there is more on its machine.
    for rule in policy["rules"]:
        assert rule in other["rules"]
    thing = settings("inventory.yaml")["hosts"]["simulator"]
    assert thing in demo.make_inventory(stage)["hosts"].values()


def test_containers_judge_as_the_demo_does(stage: Stage) -> None:
    """The same patience and thresholds; a service is seen by its alert."""
    there, here = demo.make_service(stage), settings("smokejumper.yaml")
    for name, change in there["act"]["change"].items():
        ours = dict(here["act"]["change"][name])
        if name == "restart_service":
            ours["within_seconds"] = change["within_seconds"]
        assert ours == change, name
    assert here["checks"]["disk_has_room"] == there["checks"]["disk_has_room"]
    for name in ("process_is_calm", "process_is_runaway"):
        check = {**there["checks"][name], "memory_limit": FLOOR}
        assert here["checks"][name] == check
    there["watch"]["thresholds"]["process_memory"]["floor_percent"] = FLOOR
    # In the demo's space of processes there are those of others, too.
    there["watch"]["thresholds"]["zombies"] = ZOMBIES
    limits = settings("watch.yaml")["watch"]["thresholds"]
    for name, limit in limits.items():
        assert limit == there["watch"]["thresholds"][name], name


def test_memory_counts_before_a_leak_is_at_its_end() -> None:
    """Also where containers run on a machine of 512 GB."""
    most = settings("simulator.yaml")["most"]["memory_mb"]
    assert 0.6 * most >= FLOOR / 100 * 512 * 1_024


def test_containers_do_what_the_demo_does(stage: Stage) -> None:
    """The same deeds with the same bounds, in both locks."""
    there = demo.make_service(stage)["backends"]["local"]
    hands = settings("hands.yaml")["backends"]["local"]
    here = settings("smokejumper.yaml")["backends"]["local"]
    assert here["allow"] == hands["allow"] == there["allow"]
    assert here["socket"] == hands["socket"]
    expected = {name: dict(deed) for name, deed in there["deeds"].items()}
    # Whose processes: here its own user's, which is the default.
    expected["kill-process"].pop("users")
    for name in ("memory_percent", "growth_floor_percent"):
        expected["kill-process"][name] = FLOOR
    (rule,) = expected["free-disk-space"]["rules"]
    expected["free-disk-space"]["rules"] = [{**rule, "root": DISK}]
    for name, deed in expected.items():
        assert hands["deeds"][name] == deed, name


def test_the_exporters_see_what_the_machine_has() -> None:
    """Mounts are those of the first process, programs those of its space."""
    assert f"disk:{DISK}" in SERVICES["machine"]["volumes"]
    for name in ("node-exporter", "process-exporter"):
        assert SERVICES[name]["pid"] == "service:machine", name


def test_the_rules_are_ours_made_quick() -> None:
    """Whoever changes a rule makes these anew, as tuning.yaml says."""
    folder = DOCKER / "config" / "prometheus"
    done = subprocess.run(
        [sys.executable, "-m", "scripts.tune_rules", folder / "tuning.yaml"],
        cwd=HOME,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = folder / "rules" / "smokejumper.rules.yml"
    assert made.read_text() == done.stdout


def test_what_the_settings_name_is_mounted() -> None:
    """Each secret and each folder of state that the service asks for."""
    text = (DOCKER / "config" / "smokejumper.yaml").read_text()
    named = set(re.findall(r"/run/secrets/(\w+)", text))
    web = SERVICES["api-middleware"]
    assert named == set(web["secrets"])
    assert "state:/state" in web["volumes"]
    # All else of its root cannot be written.
    assert settings("smokejumper.yaml")["access"]["setup_file"].startswith(
        "/state/web/"
    )


def test_prometheus_and_alertmanager_take_their_files(tmp_path: Path) -> None:
    """Their own programs say so; alerts go to the service, with a secret."""
    promtool = need("promtool", "prometheus")
    shutil.copytree(DOCKER / "config" / "prometheus", tmp_path / "p")
    done = subprocess.run(
        [promtool, "check", "config", tmp_path / "p" / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    file = DOCKER / "config" / "alertmanager" / "alertmanager.yml"
    text = file.read_text()
    token = tmp_path / "token"
    token.write_text("x")
    (tmp_path / "a.yml").write_text(
        text.replace("/run/secrets/watch_token", str(token))
    )
    amtool = need("amtool", "prometheus-alertmanager")
    done = subprocess.run(
        [amtool, "check-config", tmp_path / "a.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "http://api-middleware:8080/webhooks/alertmanager" in text
