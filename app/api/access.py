"""Who may do what through the API: each route names the role it needs."""

import asyncio
from functools import partial
from typing import Annotated, TypeVar

from fastapi import Depends
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel
from starlette.requests import Request

from app.access.asked import Asked
from app.access.gate import Gate, Unknown
from app.api.sight import needs_all_teams
from app.core.errors import Refused
from app.models.account import Caller, Role

# What lasts asks so often whether it may go on.
WATCH_SECONDS = 15.0
Body = TypeVar("Body", bound=BaseModel)


class Allow:
    """A FastAPI dependency that lets in who has a role, and says who it is.

    Attributes:
        needed: the role.
    """

    def __init__(
        self,
        gate: Gate,
        needed: Role,
        *,
        is_form: bool = False,
        is_use: bool = True,
    ) -> None:
        """Take who knows the callers, and what they must be.

        Args:
            gate: who knows them.
            needed: the role.
            is_form: whether a form of ours is sent there, not a script.
            is_use: whether coming here shows that somebody is there.
        """
        self.needed = needed
        self._gate = gate
        self._ask = partial(to_asked, is_form=is_form, is_use=is_use)

    async def __call__(self, request: Request) -> Caller:
        """Return who asks, or raise Refused."""
        caller = await find_caller(self._gate, self._ask(request))
        require(caller, self.needed)
        request.state.caller = caller
        if caller.teams:
            if self.needed is Role.ADMIN:
                # Whoever may appoint anybody could give themselves the rest.
                raise needs_all_teams()
            sight = request.app.state.sight
            await sight.check(request.path_params, caller.teams)
        return caller


async def caller_of(request: Request) -> Caller:
    """Return who asks; the route's Allow has found it out."""
    caller: Caller = request.state.caller
    return caller


Who = Annotated[Caller, Depends(caller_of)]


def to_asked(
    request: Request, *, is_form: bool = False, is_use: bool = True
) -> Asked:
    """Return what a request says of who asks."""
    return Asked(
        method=request.method,
        peer=request.client.host if request.client else "",
        headers=request.headers,
        cookies=request.cookies,
        is_form=is_form,
        is_use=is_use,
        version=request.scope.get("http_version", "1.1"),
    )


async def find_caller(gate: Gate, asked: Asked) -> Caller:
    """Return who asks, or raise Refused; the store never on the loop."""
    try:
        return gate.find(asked, at_once=True)
    except Unknown:
        return await run_in_threadpool(gate.find, asked)


def require(caller: Caller, needed: Role) -> None:
    """Return when somebody has a role.

    Raises:
        Refused: they have not.
    """
    if not caller.may(needed):
        raise Refused(
            403,
            "role_too_low",
            f"This needs the role {needed.value}; yours is "
            f"{caller.role.value}.",
            field="role",
            remedy="Ask an admin for it, or somebody who has it.",
        )


def author_of(caller: Caller, given: str, field: str = "body.author") -> str:
    """Return who signs: the caller, or whom an unnamed one names.

    Raises:
        Refused: it is somebody else, or nobody.
    """
    if caller.name:
        if given not in ("", caller.name):
            raise Refused(
                403,
                "not_you",
                f"You are {caller.name}, and sign with that name.",
                field="author",
                remedy="Leave 'author' out.",
            )
        return caller.name
    if not given:
        raise Refused(
            422,
            "wrong_parameter",
            "Field required: nobody is signed in to sign it.",
            field=field,
            remedy="Say who you are, or sign in.",
        )
    return given


def signed(body: Body, caller: Caller) -> Body:
    """Return a body with its author: see author_of."""
    given: str = getattr(body, "author", "")
    return body.model_copy(update={"author": author_of(caller, given)})


class Watch:
    """Looks now and then whether somebody may still listen.

    Attributes:
        caller: who they were when they came.
        is_shut_out: whether what they came with opens nothing any more.
    """

    def __init__(self, gate: Gate, request: Request) -> None:
        """Take who knows them, and what they came with."""
        self._gate = gate
        self._asked = to_asked(request, is_use=False)
        self.caller: Caller = request.state.caller
        self._next = asyncio.get_running_loop().time() + WATCH_SECONDS
        self.is_shut_out = False

    async def holds(self) -> bool:
        """Tell whether they are who they were when they came.

        Raises:
            StorageFailed: the database cannot be read now.
        """
        now = asyncio.get_running_loop().time()
        if now < self._next:
            return True
        self._next = now + WATCH_SECONDS
        caller = await run_in_threadpool(self._gate.again, self._asked)
        self.is_shut_out = caller is None
        return caller == self.caller
