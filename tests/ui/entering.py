"""Coming to a screen as somebody of a role."""

from playwright.sync_api import Page

from app.access.gate import COOKIE
from app.models.account import Role
from tests.flow.visitors import Visitors
from tests.service import Service
from tests.ui.browser import Watched


def enter_as(
    context: Watched, service: Service, role: Role, path: str
) -> Page:
    """Open a screen as somebody with a role, signed in."""
    visitors = Visitors(service)
    secret = visitors.sign_in(role)
    visitors.close()
    context.context.add_cookies(
        [{"name": COOKIE, "value": secret, "url": service.url}]
    )
    return context.page(path)
