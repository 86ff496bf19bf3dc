"""Forms: what a page sends without a script."""

from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from app.access.asked import check_page
from app.api.access import to_asked
from app.bootstrap import Product
from app.core.errors import Refused

KIND = "application/x-www-form-urlencoded"
LONGEST = 16_384
MOST_FIELDS = 20


async def read_form(product: Product, request: Request) -> dict[str, str]:
    """Return the fields of a form that one of our own pages sent.

    Raises:
        Refused: a stranger's page sent it, or it is none.
    """
    check_page(to_asked(request), product.gate.settings.public_url)
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind.strip().lower() != KIND:
        raise _no_form(415, "It is no form.")
    content = await _read(request)
    try:
        fields = parse_qs(
            content.decode(),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
        )
    except ValueError as error:
        raise _no_form(422, "It cannot be read.") from error
    return {name: values[-1] for name, values in fields.items()}


async def _read(request: Request) -> bytes:
    """Return the body of a form, bounded as it comes."""
    content = b""
    try:
        async for part in request.stream():
            content += part
            if len(content) > LONGEST:
                raise _no_form(413, "It is too long.")
    except ClientDisconnect as error:
        # Strangers may do so as often as they like: it is no bug of ours.
        raise _no_form(400, "It broke off.") from error
    return content


def _no_form(status: int, detail: str) -> Refused:
    """Return the refusal of what is no form."""
    return Refused(
        status, "no_form", detail, field="body", remedy=f"Send {KIND}."
    )
