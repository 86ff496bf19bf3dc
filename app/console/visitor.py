"""The visitor: who looks at a page, or nobody yet."""

from starlette.requests import Request

from app.api.access import to_asked
from app.bootstrap import Product
from app.core.errors import Refused, TooBusy
from app.models.account import Caller


def find_visitor(product: Product, request: Request) -> Caller | None:
    """Return who looks at a page, None when they have to sign in.

    Not for the event loop: it may ask the database.

    Raises:
        TooBusy: it cannot be known now.
    """
    try:
        return product.gate.find(to_asked(request))
    except Refused as refusal:
        if isinstance(refusal, TooBusy):
            raise
        return None
