"""Daemons that have commands of their own, out of the settings."""

from collections.abc import Mapping

from app.core.brief import brief
from app.core.command import run_program, run_starter
from app.core.errors import NotAccepted, NotSent, OutgoingFailed
from app.core.host import Declared
from app.core.warden import Standing, State


class Commands:
    """Keeps what the settings declare: it is as its own commands say."""

    def __init__(self, services: Mapping[str, Declared]) -> None:
        """Take the commands by the daemons' names."""
        self._services = services

    def look(self, name: str, seconds: float) -> Standing | None:
        """Return how a daemon is by its command, None when it has none."""
        declared = self._services.get(name)
        if declared is None:
            return None
        program, *arguments = declared.status
        said = run_program(program, arguments, seconds)
        is_active = said.status == 0
        state = State.ACTIVE if is_active else State.INACTIVE
        words = brief((said.text or said.error).strip(), 120)
        told = f": {words}" if words else ""
        return Standing(
            name=name,
            warden="command",
            state=state,
            says=f"{name} is {state}, its status command ended with"
            f" {said.status}{told}",
            names=(name,),
        )

    def restart(self, standing: Standing, seconds: float) -> None:
        """Run a daemon's own command, or raise."""
        program, *arguments = self._services[standing.name].restart
        try:
            status = run_starter(program, arguments, seconds)
        except NotSent as error:
            raise NotAccepted(str(error)) from error
        if status:
            text = f"the command that restarts {standing.name} ended with"
            raise OutgoingFailed(f"{text} {status}")

    def tail(
        self, standing: Standing, lines: int, seconds: float
    ) -> tuple[str, ...]:
        """Return nothing: nobody said where it writes."""
        del standing, lines, seconds
        return ()
