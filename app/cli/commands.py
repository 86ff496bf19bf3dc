"""The table of contents of ``python main.py --help``."""

import typer

from app.cli import (
    approvals,
    catalogue,
    decide,
    halt,
    incidents,
    jobs,
    keeping,
    log,
    messages,
    missions,
    model,
    mutes,
    policy,
    reflex,
    reins,
    settings,
    show,
    storage,
    words,
)
from app.cli.export import export
from app.cli.hands import hands
from app.cli.serve import serve
from app.cli.watch import watch

app = typer.Typer(
    name="smokejumper",
    help="The on-call responder that lands on an alert before anyone wakes.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
)

app.command()(serve)
app.command()(hands)
app.command()(watch)
app.command()(settings.check_config)
app.command()(storage.migrate)
app.add_typer(log.app, name="log")
app.add_typer(model.app, name="model")
app.command()(show.deliveries)
app.command()(show.alerts)
app.command()(incidents.incidents)
app.command()(incidents.incident)
app.command()(decide.decide)
app.command()(decide.decisions)
app.add_typer(reins.app, name="reins")
app.command()(missions.missions)
app.command()(missions.propose)
app.add_typer(jobs.app, name="jobs")
app.add_typer(approvals.app, name="approvals")
app.add_typer(messages.app, name="messages")
app.command()(halt.halt)
app.command()(halt.resume)
app.add_typer(policy.app, name="policy")
app.add_typer(policy.trust, name="trust")
app.command()(mutes.mutes)
app.add_typer(mutes.mute, name="mute")
for command in (
    words.note,
    words.correct,
    words.ack,
    words.unack,
    words.take,
    words.release,
    words.split,
    words.merge,
):
    app.command()(command)
app.command()(show.sources)
app.command()(catalogue.catalogue)
app.command()(catalogue.inventory)
app.add_typer(reflex.app, name="reflex")
app.command()(storage.replay)
app.command()(export)
app.command()(keeping.backup)
app.command()(keeping.restore)
app.command()(keeping.cleanup)
app.command()(settings.version)


@app.callback(invoke_without_command=True)
def start(context: typer.Context) -> None:
    """Serve when no command is named."""
    if context.invoked_subcommand is None:
        context.invoke(serve)
