"""people: who may come in; and the way back in, when nobody can."""

from functools import partial
from typing import Annotated

import typer

from app.access import accounts
from app.access.accounts import By
from app.access.setup import to_link
from app.access.signing_in import known_name
from app.api.people import find_people
from app.api.people_views import AccountView, InvitedView, PersonBody
from app.bootstrap import Product
from app.cli.asking import Author, ask, looking, me, read_body, tell
from app.cli.output import Json, out, print_json, print_table, stop
from app.cli.setup import ConfigFile, wire
from app.models.account import Account, Nature, Role
from app.store.accounts import find_by_name
from app.store.ledger import Connection

REFUSED = 1
# Whoever runs this stands before the machine: they use it at once.
LINK_HOURS = 24
HOUR = 3_600_000_000
FACTS = ("name", "nature", "role", "teams", "is_disabled")
app = typer.Typer(help="Who may come in.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The name of the account.")]
TeamNames = Annotated[
    list[str] | None,
    typer.Option("--team", help="Whose incidents; may be repeated."),
]


@app.command("list")
def list_people(config: ConfigFile = None, as_json: Json = False) -> None:
    """List who may come in."""
    product = wire(config)
    find = partial(find_people, now=product.clock.now())
    with looking(product):
        page = product.reader.ask(find)
    if as_json:
        print_json(page.model_dump())
        return
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "nature": one.nature.value,
            "role": one.role.value,
            "teams": ", ".join(one.teams) or "all",
            "comes in by": _ways(one),
            "sessions": one.sessions,
        }
        for one in page.items
    ]
    if rows:
        print_table(rows, tuple(rows[0]))
    else:
        out.print("There are no accounts yet: see 'people setup-link'.")


@app.command()
def add(  # noqa: PLR0913, PLR0917 (each is an option)
    name: Name,
    role: Annotated[Role, typer.Option(help="What they may do.")] = (
        Role.VIEWER
    ),
    team: TeamNames = None,
    service: Annotated[
        bool, typer.Option("--service", help="A program: it has tokens only.")
    ] = False,
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Make an account; a person gets a link that holds once, for 7 days."""
    nature = Nature.SERVICE if service else Nature.PERSON
    given = {"name": name, "nature": nature, "role": role}
    body = read_body(PersonBody, {**given, "teams": team or []})
    product = wire(config)
    by = By(f"person:{me(author)}", product.clock.now())
    work = partial(accounts.add, wish=body.to_wish(), by=by)
    account, secret = ask(product, work)
    _show(product, account, secret, as_json=as_json)


@app.command()
def invite(
    name: Name,
    author: Author = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Make a link that sets a new password, once, within 7 days."""
    product = wire(config)
    by = By(f"person:{me(author)}", product.clock.now())

    def work(connection: Connection) -> tuple[Account | None, str]:
        """Make it for whom the name is of."""
        account = find_by_name(connection, known_name(name))
        if account is None:
            return None, ""
        return account, accounts.invite(connection, account.id, by)

    account, secret = ask(product, work)
    if account is None:
        stop(f"There is no account {name!r}: see 'people list'.", REFUSED)
    _show(product, account, secret, as_json=as_json)


@app.command("setup-link")
def setup_link(config: ConfigFile = None, as_json: Json = False) -> None:
    """Make a link that makes one more admin, once, within 24 hours.

    For the first start, and for when every admin is locked out.
    """
    product = wire(config)
    now = product.clock.now()
    ends_at = now + LINK_HOURS * HOUR
    work = partial(accounts.make_setup_link, now=now, ends_at=ends_at)
    secret = ask(product, work)
    link = to_link(product.access.setup.place.site, secret)
    if as_json:
        print_json({"link": link})
    else:
        typer.echo(link)


def _show(
    product: Product, account: Account, secret: str, *, as_json: bool
) -> None:
    """Print an account and its link; nobody can be shown it again."""
    view = InvitedView(
        account=AccountView.of(account, is_invited=bool(secret)),
        link=to_link(product.access.setup.place.site, secret),
    )
    if as_json:
        print_json(view.model_dump())
        return
    tell(view.account, FACTS, as_json=False)
    if view.link:
        typer.echo(view.link)


def _ways(account: AccountView) -> str:
    """Return how somebody comes in, in a word or two."""
    if account.is_disabled:
        return "disabled"
    ways = {
        "password": account.has_password,
        "oidc": account.has_oidc,
        "invited": account.is_invited,
        "tokens": account.nature is Nature.SERVICE,
    }
    return ", ".join(name for name, is_so in ways.items() if is_so) or "no way"
