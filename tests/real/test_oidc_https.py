"""A login by https begins with a cookie that no other site can plant."""

from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest
import yaml

from tests.real.oidc import configure, run_provider
from tests.service import Service

pytestmark = pytest.mark.real
SITE = "https://smokejumper.example"


def test_a_planted_login_is_none(tmp_path: Path) -> None:
    """What a stranger began elsewhere, nobody can be made to finish."""
    with run_provider(tmp_path) as issuer:
        service = Service(tmp_path)
        configure(service, issuer)
        tree = yaml.safe_load(service.config.read_text())
        tree["access"]["public_url"] = SITE
        service.config.write_text(yaml.safe_dump(tree))
        with service:
            url = f"{service.url}/console/login/oidc"
            begun = SimpleCookie(httpx.get(url).headers["set-cookie"])
            (name,) = begun
            assert name == "__Host-smokejumper_oidc"
            assert begun[name]["secure"]
            assert begun[name]["path"] == "/"
            assert not begun[name]["domain"]
            state = begun[name].value.split(".")[1]
            back = f"{url}/callback?code=x&state={state}"
            planted = {"cookie": f"smokejumper_oidc={begun[name].value}"}
            refused = httpx.get(back, headers=planted)
            assert refused.status_code == 403
            assert "has begun no login" in refused.text
            own = {"cookie": f"{name}={begun[name].value}"}
            # The stranger's code is no good, but the login is our own.
            assert "has begun no login" not in (
                httpx.get(back, headers=own).text
            )
