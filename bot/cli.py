"""The command line: which commands there are. Each does its work in `bot.console`."""

from __future__ import annotations

import typer

from bot.console import (
    beginning,
    customers,
    decisions,
    doctor,
    record,
    replaying,
    rules,
    serving,
    shadowing,
    sources,
    versions,
)

cli = typer.Typer(
    name="menwei",
    help="门卫: the doorman of a company's WeChat contacts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli.command()(serving.serve)
cli.command("demo")(serving.play)
cli.command()(beginning.init)
cli.command()(rules.check)
cli.command("doctor")(doctor.doctor)
cli.command()(rules.lint)
cli.command("test")(rules.run_tests)
cli.command()(rules.diff)
cli.command()(replaying.replay)
cli.command()(shadowing.shadow)
cli.command()(shadowing.promote)
cli.command()(rules.schema)
cli.command()(decisions.trace)
cli.command()(decisions.explain)
cli.command()(decisions.can)
cli.command()(versions.apply)
cli.command()(versions.history)
cli.command()(versions.rollback)
cli.command()(customers.customers)
cli.add_typer(record.audit, name="audit")
cli.add_typer(record.dead, name="dead")
cli.add_typer(record.db, name="db")
cli.add_typer(sources.sources, name="sources")


def main() -> None:
    """Run the command line."""
    cli()
