"""What is said about this machine: an address that is none is refused."""

from pathlib import Path

import pytest

from app.core.configfile import load_config
from app.core.daemons import Daemons
from app.core.errors import ConfigError
from app.core.host import HostSettings

SECRET = "pa77word"


@pytest.mark.parametrize(
    "written",
    [
        "http://h:99999",
        "http://h:0/RPC2",
        "http://h:x/RPC2",
        "http://[::1/",
        "http://:9001/RPC2",
        "https://",
        "http://a b:9001",
        "ftp://h/RPC2",
        "unix://s.sock",
        f"http://me:{SECRET}/x@h:9001/RPC2",
    ],
)
def test_what_is_no_address_is_a_problem_of_its_setting(
    tmp_path: Path, written: str
) -> None:
    """It names the setting, and no password."""
    file = tmp_path / "settings.yaml"
    file.write_text(f"host:\n  supervisor: '{written}'\n")
    config = load_config(file, {})
    with pytest.raises(ConfigError) as told:
        config.read(HostSettings, "host")
    (problem,) = told.value.problems
    assert "host.supervisor" in str(problem)
    assert problem in config.check({"host": HostSettings})


def test_what_it_says_has_no_password_of_its_own(tmp_path: Path) -> None:
    """A part of it may look like a port."""
    file = tmp_path / "settings.yaml"
    address = f"http://me:{SECRET}/x@h:9001/RPC2"
    file.write_text(f"host:\n  supervisor: '{address}'\n")
    with pytest.raises(ConfigError) as told:
        load_config(file, {}).read(HostSettings, "host")
    assert SECRET not in str(told.value)
    assert not any(SECRET in str(one) for one in told.value.problems)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "http://127.0.0.1:9001/RPC2",
        "https://me:pa%2Fss@h.example.net",
        "http://[::1]:9001/RPC2",
        "unix:///run/supervisor.sock",
    ],
)
def test_an_address_is_taken(written: str) -> None:
    """And made into one."""
    Daemons(HostSettings(supervisor=written))
