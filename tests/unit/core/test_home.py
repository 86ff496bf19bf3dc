"""Home: a clone's own folder, or the one where a wheel's command starts."""

from pathlib import Path

from app.core.home import HOME, find_settings

CLONE = Path(__file__).parents[3]
NAME = "smokejumper.yaml"


def test_the_home_of_a_clone_is_the_clone() -> None:
    """Wherever a command is started from."""
    assert HOME == CLONE
    assert find_settings(NAME) == CLONE / "config" / NAME


def test_settings_of_the_folder_win(tmp_path: Path) -> None:
    """Over those that came with the wheel, as soon as they are there."""
    home, shipped = tmp_path / "home", tmp_path / "app" / "config"
    (home / "config").mkdir(parents=True)
    shipped.mkdir(parents=True)
    (shipped / NAME).touch()
    assert find_settings(NAME, home, shipped) == shipped / NAME
    (home / "config" / NAME).touch()
    assert find_settings(NAME, home, shipped) == home / "config" / NAME


def test_missing_settings_of_a_clone_are_its_own(tmp_path: Path) -> None:
    """So that the error names the file that should be there."""
    found = find_settings(NAME, tmp_path, tmp_path / "none")
    assert found == tmp_path / "config" / NAME
