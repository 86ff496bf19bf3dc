"""What the first command prints at its end can be tried as it stands."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.bootstrap import Outside, build
from app.core.configfile import load_config
from scripts.welcome import curl, is_open, welcome

HOME = Path(__file__).parents[3]
URL = "http://127.0.0.1:8080"
OPEN = {"auth": {"kind": "none"}}
LOCKED = {"auth": {"kind": "bearer", "secrets": ["a-secret-of-a-test"]}}


@pytest.mark.parametrize(("source", "asks"), [(OPEN, False), (LOCKED, True)])
def test_only_a_locked_source_is_tried_with_a_secret(
    tmp_path: Path, source: dict[str, Any], asks: bool
) -> None:
    """An open one has nothing to be filled in; a locked one says so."""
    file = tmp_path / "smokejumper.yaml"
    file.write_text(yaml.safe_dump({"sources": {"alertmanager": source}}))
    product = build(load_config(file, {}), Outside(environ={}, home=tmp_path))
    entrance = product.entrances["alertmanager"]
    assert is_open(entrance) is not asks
    assert ("YOUR_SECRET" in curl(entrance, URL)) is asks


def test_the_readme_shows_what_is_printed(tmp_path: Path) -> None:
    """Line by line, with the settings that come with it."""
    config = load_config(HOME / "config" / "smokejumper.yaml", {})
    product = build(config, Outside(environ={}, home=tmp_path))
    readme = (HOME / "README.md").read_text(encoding="utf-8")
    assert f"\n\n{welcome(product, URL)}\n\n" in readme
