"""Answers that a page waits for, until a test lets them come."""

from playwright.sync_api import Page, Route


class Held:
    """What a page asks for at some addresses; nobody answers yet."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._waiting: list[Route] = []
        self._is_over = False
        page.route(pattern, self._hold)

    def release(self) -> None:
        """Let all of them be answered, those to come too."""
        self._is_over = True
        for one in self._waiting:
            one.continue_()

    def _hold(self, route: Route) -> None:
        """Let it wait."""
        if self._is_over:
            route.continue_()
        else:
            self._waiting.append(route)
