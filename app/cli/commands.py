"""The table of contents of ``python main.py --help``."""

import typer

from app.cli import settings, show, storage
from app.cli.serve import serve

app = typer.Typer(
    name="smokejumper",
    help="The on-call responder that lands on an alert before anyone wakes.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
)

app.command()(serve)
app.command()(settings.check_config)
app.command()(storage.migrate)
app.command()(show.log)
app.command()(show.alerts)
app.command()(show.incidents)
app.command()(show.sources)
app.command()(storage.replay)
app.command()(settings.version)


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Serve when no command is named."""
    if context.invoked_subcommand is None:
        context.invoke(serve)
