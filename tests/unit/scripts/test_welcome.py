"""What the first command prints at its end can be tried as it stands."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.bootstrap import Outside, build
from app.core.configfile import load_config
from scripts.welcome import curl, is_open

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
