"""No test goes on for ever, nor does a run; who failed is said at once.

Whoever ends a run from outside takes along what it would have said: which
test hung, and which had failed. So a test has its time, with all that it sets
up and clears away, and so has a run where TESTS_SECONDS says it.
"""

import os
import signal
import sys
import traceback
from collections.abc import Generator
from types import FrameType

import pytest

# The longest takes three minutes on two cores, and others run beside it.
TEST_SECONDS = "TEST_SECONDS"
USUAL_SECONDS = "900"
# What is then cleared away may hang as well.
AGAIN_SECONDS = "TEST_AGAIN_SECONDS"
USUALLY_AGAIN = "60"
RUN_SECONDS = "TESTS_SECONDS"


class Bounds:
    """Watches over time; a plug-in of pytest, in each process of a run."""

    def __init__(self, config: pytest.Config) -> None:
        """Take the run that it is for."""
        self._config = config
        self._running: set[str] = set()
        self._hung: list[str] = []

    @pytest.hookimpl
    def pytest_sessionstart(self) -> None:
        """Set the time of the whole run."""
        # Where workers run the tests, the alarm of this process is free.
        leads = self._config.pluginmanager.hasplugin("dsession")
        seconds = float(os.environ.get(RUN_SECONDS, "0"))
        if leads and seconds:
            signal.signal(signal.SIGALRM, self._end_run)
            signal.setitimer(signal.ITIMER_REAL, seconds)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Give a test its time."""
        seconds = float(os.environ.get(TEST_SECONDS, USUAL_SECONDS))
        again = float(os.environ.get(AGAIN_SECONDS, USUALLY_AGAIN))
        signal.signal(signal.SIGALRM, self._end_test)
        signal.setitimer(signal.ITIMER_REAL, seconds, again)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    @pytest.hookimpl
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Know which tests run."""
        self._running.add(nodeid)

    @pytest.hookimpl
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Know which tests ended."""
        self._running.discard(nodeid)

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Say who failed, and how far it got."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if report.failed and isinstance(reporter, pytest.TerminalReporter):
            crash = getattr(report.longrepr, "reprcrash", None)
            why = str(getattr(crash, "message", "")).partition("\n")[0]
            name = report.nodeid
            reporter.write_line(f"{name} failed ({report.when}): {why}")

    @pytest.hookimpl
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        """Say which tests still ran when the time of the run was over."""
        for name in self._hung:
            terminalreporter.write_line(f"It still ran at the end: {name}")

    def _end_test(self, _sign: int, _frame: FrameType | None) -> None:
        """Let a test fail, saying where each of its threads is."""
        stacks = [
            "".join(traceback.format_stack(frame))
            for frame in sys._current_frames().values()
        ]
        pytest.fail("its time is over\n\n" + "\n".join(stacks))

    def _end_run(self, _sign: int, _frame: FrameType | None) -> None:
        """End the run as a user would, so that it still says all it knows."""
        self._hung = sorted(self._running)
        raise KeyboardInterrupt
