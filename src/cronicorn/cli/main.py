"""The `cronicorn` command. Commands import what they need when they run, so that help comes at once."""

import os
import sys
from typing import Annotated

import typer

from cronicorn.cli import (
    alert,
    analyses,
    api,
    apply,
    audit,
    backtest,
    backup,
    calendar,
    completion,
    convert,
    copy,
    demo,
    doctor,
    endpoint,
    explain,
    export,
    job,
    key,
    leases,
    master_key,
    mcp,
    member,
    migrate,
    plan,
    planner,
    policy,
    profile,
    quota,
    runs,
    scheduler,
    schema,
    secret,
    settings,
    signing_key,
    simulate,
    tenant,
    top,
    up,
    verify,
    version,
    workers,
)
from cronicorn.cli import next as next_command
from cronicorn.cli import run as run_command
from cronicorn.cli.completion import COMPLETING
from cronicorn.cli.headings import CommandsUnderHeadings, WholeSentences
from cronicorn.cli.local import tell
from cronicorn.cli.streams import NO_ROOM, open_closed_streams, unwritten, written

app = typer.Typer(
    name="cronicorn",
    cls=CommandsUnderHeadings,
    help="Calls HTTP endpoints on a schedule, reads what they answer, and adapts when to call next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # Help is plain text: what draws boxes takes longer to import than all else together.
    context_settings={"help_option_names": ["-h", "--help"]},
)


_ELSEWHERE = {
    asked: told
    for names, told in (
        (
            "list ls",
            "`cronicorn job list` and `cronicorn endpoint list` do; `cronicorn runs` shows what ran.",
        ),
        ("trigger call test", "`cronicorn endpoint run` runs one now, `cronicorn endpoint test` only tries it."),
        ("pause resume hint", "`cronicorn endpoint pause`, `resume` and `hint` do, `cronicorn job pause` for a job."),
        (
            "login config context",
            "`cronicorn profile add` names a server to act on, `cronicorn profile use` chooses it.",
        ),
        ("incidents alerts", "`cronicorn alert incidents` shows what is wrong."),
        (
            "status ps health check",
            "`cronicorn doctor` tells whether all is well, `cronicorn workers` who works, `cronicorn top` all at once.",
        ),
        ("create add new edit update show get", "`cronicorn job` and `cronicorn endpoint` have it."),
        ("delete remove rm archive", "`cronicorn endpoint delete` and `cronicorn job archive` do."),
        (
            "disable suspend stop enable unpause",
            "`cronicorn endpoint pause` and `resume` do, `cronicorn job pause` too.",
        ),
        ("logs log history", "`cronicorn runs` shows what was called, `cronicorn tail` follows it."),
        ("drafts draft", "`cronicorn policy show JOB/ENDPOINT` shows a draft of its policy."),
        (
            "worker beat start serve",
            "`cronicorn up` runs the API and calls what is due; `cronicorn scheduler` only calls.",
        ),
    )
    for asked in names.split()
}
"""Where to find what people look for in vain among the commands."""
_SET_COMMAND = " secret set"
_SAME = {
    asked: meant.split()
    for names, meant in (
        ("get describe view cat", "show"),
        ("ls", "list"),
        ("add new make create", "create add set"),
        ("update change patch modify", "edit set"),
        ("rm remove delete del", "delete remove revoke archive"),
        ("disable suspend stop", "pause"),
        ("enable unpause unsuspend start", "resume"),
    )
    for asked in names.split()
}
"""What is done by a command of another name, in the groups that have one: the first of them."""


def _show_version(wanted: bool) -> None:
    if wanted:
        version.version()
        raise typer.Exit


app.command("up")(up.up)
app.command("scheduler")(scheduler.scheduler)
app.command("planner")(planner.planner)
app.command("api")(api.api)
app.command("demo")(demo.demo)
app.command("apply")(apply.apply)
app.command("diff")(apply.diff)
app.command("schema")(schema.schema)
app.command("doctor")(doctor.doctor)
app.add_typer(convert.app, name="convert")
app.command("explain")(explain.explain)
app.command("backtest")(backtest.backtest)
app.command("runs")(runs.runs)
app.command("tail")(runs.tail)
app.command("top")(top.top)
app.command("calendar")(calendar.calendar)
app.command("workers")(workers.workers)
app.command("verify")(verify.verify)
app.command("copy")(copy.copy)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("migrate")(migrate.migrate)
app.command("export")(export.export)
app.command("import")(export.import_file)
for noun, commands in (("job", job.app), ("endpoint", endpoint.app)):
    app.add_typer(commands, name=noun)
    app.add_typer(commands, name=f"{noun}s", hidden=True)
app.add_typer(run_command.app, name="run")
app.add_typer(profile.app, name="profile")
app.add_typer(completion.app, name="completion")
app.add_typer(tenant.app, name="tenant")
app.add_typer(key.app, name="key")
app.add_typer(member.app, name="member")
app.command("audit")(audit.audit)
app.add_typer(quota.app, name="quota")
app.add_typer(secret.app, name="secret")
app.add_typer(alert.app, name="alert")
app.add_typer(signing_key.app, name="signing-key")
app.add_typer(master_key.app, name="master-key")
app.add_typer(leases.app, name="leases")
app.add_typer(policy.app, name="policy")
app.add_typer(analyses.app, name="analyses")
app.command("plan")(plan.plan)
app.command("next")(next_command.next_instants)
app.command("simulate")(simulate.simulate)
app.command("settings")(settings.settings)
app.command("mcp")(mcp.mcp)
app.command("version")(version.version)
for group in app.registered_groups:
    group.cls = WholeSentences


@app.callback()
def cronicorn(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; errors a caller can act on become sentences on stderr and an exit code."""
    if COMPLETING in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
    open_closed_streams()
    try:
        code = app(prog_name="cronicorn", standalone_mode=False)  # Shells ask by this name, however it was started.
    except SystemExit as ended:
        code = ended.code
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM and error.filename is None:
            raise SystemExit(unwritten(error)) from None
        refusal = getattr(error, "format_message", None)  # Only usage errors have it.
        code = _exit_code(error) if refusal is None else 2
        if code is None:
            raise
        _tell_why(error, str(error) if refusal is None else refusal())
    raise SystemExit(written(code or 0))


def _tell_why(error: Exception, why: str) -> None:
    """Tell that *error* keeps a command from being done; who typed only a noun or nothing is shown its help."""
    if why.startswith("Usage:"):
        print(why)
        return
    context = getattr(error, "ctx", None)
    said = why.replace(": Value error, ", ": ")  # Only libraries tell of kinds of errors.
    if why.startswith("Got unexpected extra") and context is not None and context.command_path.endswith(_SET_COMMAND):
        said = "The text of a secret comes from stdin, or is asked for: what is typed stays in the shell's history."
    tell(" ".join(filter(None, (said, _elsewhere(error)))))
    if context is not None and why:
        print(f"`{context.command_path} --help` tells more.", file=sys.stderr)


def _elsewhere(error: Exception) -> str:
    """Where else to look, when *error* is that there is no such command; often nothing."""
    name = str(error).removeprefix("No such command ").partition("'")[2].partition("'")[0]
    if str(error).startswith(("No such option: --profile", "No such option '--profile'")):
        return "This command does not act on a server."
    if not str(error).startswith("No such command"):
        return ""
    context = getattr(error, "ctx", None)
    there = context.command.list_commands(context) if context is not None else []
    same = next((each for each in _SAME.get(name, ()) if each in there), None)
    return f"`{context.command_path} {same}` does." if context is not None and same else _ELSEWHERE.get(name, "")


def _exit_code(error: Exception) -> int | None:
    if isinstance(error, typer.Abort):
        return 1
    from cronicorn.cli.exit_codes import exit_code

    return exit_code(error)
