"""The `cronicorn` command. Commands import what they need when they run, so that help comes at once."""

import sys

import typer

from cronicorn.cli import apply, demo, explain, plan, runs, settings, tenant, up, version
from cronicorn.cli import next as next_command

app = typer.Typer(
    name="cronicorn",
    help="Calls HTTP endpoints on a schedule, reads what they answer, and adapts when to call next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("apply")(apply.apply)
app.command("explain")(explain.explain)
app.command("runs")(runs.runs)
app.add_typer(tenant.app, name="tenant")
app.command("plan")(plan.plan)
app.command("next")(next_command.next_instants)
app.command("settings")(settings.settings)
app.command("version")(version.version)


def main() -> None:
    """Run the command line; errors a caller can act on become one sentence on stderr and an exit code."""
    try:
        app()
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(code) from None


def _exit_code(error: Exception) -> int | None:
    from cronicorn.cli.exit_codes import exit_code

    return exit_code(error)
