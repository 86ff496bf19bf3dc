"""Home: where the settings and the state are.

In a clone that is the folder of the clone. Who installed a wheel has the code
among other packages, where no state belongs: home is the folder in which the
command was started, and the settings that come with the wheel hold until
there is a ``config/smokejumper.yaml`` in it.
"""

from pathlib import Path

PACKAGE = Path(__file__).parent.parent
# A wheel has the settings in the package, a clone beside it.
IN_WHEEL = PACKAGE / "config"
HOME = Path.cwd() if IN_WHEEL.is_dir() else PACKAGE.parent


def find_settings(
    name: str, home: Path = HOME, shipped: Path = IN_WHEEL
) -> Path:
    """Return a file of settings: home's own, or else the one of the wheel.

    Args:
        name: what it is called.
        home: where it is looked for first.
        shipped: what a wheel has; not there in a clone.
    """
    own = home / "config" / name
    return own if own.exists() or not shipped.is_dir() else shipped / name
