"""The commands of ``python main.py``; app/cli/contents.py lists them."""

import typer

from app.cli.contents import ROWS, Contents

app = typer.Typer(
    cls=Contents,
    name="smokejumper",
    help="The on-call responder that lands on an alert before anyone wakes.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
)


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Serve when no command is named."""
    if context.invoked_subcommand is None:
        context.invoke(ROWS["serve"].load())
