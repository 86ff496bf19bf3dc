"""Daemons that have commands of their own, out of the settings."""

from collections.abc import Mapping
from threading import Lock

from app.core.brief import brief
from app.core.command import Starter, run_program
from app.core.errand import Errand
from app.core.errors import NotAccepted, NotSent, OutgoingFailed
from app.core.host import Declared
from app.core.warden import Standing, State


class Commands:
    """Keeps what the settings declare: it is as its own commands say."""

    def __init__(self, services: Mapping[str, Declared]) -> None:
        """Take the commands by the daemons' names."""
        self._services = services
        # What was left running when its time was over.
        self._left: dict[str, Starter] = {}
        self._change = Lock()

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

    def restart(self, standing: Standing, errand: Errand) -> None:
        """Run a daemon's own command, or raise.

        It is never ended by us: it may be between the end of the daemon
        and its start. What takes too long is left running.
        """
        name = standing.name
        declared = self._services[name]
        starter = self._start(name, declared)
        status = starter.wait(declared.seconds, errand.wait)
        if status is None:
            raise OutgoingFailed(
                f"the command that restarts {name} did not end within"
                f" {declared.seconds:g} s: it was left running, and nobody"
                " knows what comes of it"
            )
        if status:
            text = f"the command that restarts {name} ended with"
            raise OutgoingFailed(f"{text} {status}")

    def _start(self, name: str, declared: Declared) -> Starter:
        """Start a daemon's own command, unless it runs still; or raise."""
        program, *arguments = declared.restart
        with self._change:
            earlier = self._left.get(name)
            if earlier is not None and not earlier.has_ended:
                raise NotAccepted(
                    f"the command that restarts {name} runs still, from"
                    " before: it is waited for",
                    may_retry=True,
                )
            try:
                self._left[name] = Starter(program, arguments)
            except NotSent as error:
                raise NotAccepted(str(error)) from error
            return self._left[name]

    def tail(
        self, standing: Standing, lines: int, seconds: float
    ) -> tuple[str, ...]:
        """Return nothing: nobody said where it writes."""
        del standing, lines, seconds
        return ()
