"""The place of a plug-in in the settings: ``SECTION.NAME``, its own part."""

from collections.abc import Mapping

from pydantic import RootModel, SecretStr

from app.core.configfile import Config, Model, reveal
from app.core.errors import ConfigError, ConfigProblem
from app.core.host import HostSettings


class Place:
    """Where the settings of one plug-in stand, and what is read there.

    Attributes:
        name: the plug-in's name.
        is_configured: whether the settings name it at all.
        host: what is said about the machine that we run on.
    """

    def __init__(
        self,
        section: str,
        name: str,
        config: Config,
        environ: Mapping[str, str],
    ) -> None:
        """Take the folder's section, the name, and where secrets may lie."""
        self.name = name
        self._section = section
        self._config = config
        self._environ = environ
        found = config.read(RootModel[object], section, name).root
        self.is_configured = found not in ({}, "")
        self.host = config.read(HostSettings, "host")

    def settings(self, model: type[Model], *path: str) -> Model:
        """Return the settings of this plug-in, or raise ConfigError.

        Args:
            model: what they must look like.
            path: where they stand, below those of this plug-in.
        """
        return self._config.read(model, self._section, self.name, *path)

    def secret(self, written: SecretStr, *path: str) -> str:
        """Return the text of a secret, or raise ConfigError.

        Args:
            written: what the settings say.
            path: where they say it, below those of this plug-in.
        """
        try:
            return reveal(written, self._environ)
        except ValueError as error:
            remedy = "Set it, or write another secret."
            problem = self.problem(str(error), remedy, *path)
            raise ConfigError([problem]) from error

    def problem(self, what: str, remedy: str, *path: str) -> ConfigProblem:
        """Return a problem that is dated to the settings of this plug-in."""
        place = (self._section, self.name, *path)
        return self._config.problem(place, what, remedy)
