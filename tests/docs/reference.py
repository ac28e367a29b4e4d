"""The tables of the reference, made from the code. `python -m tests.docs.reference` writes them into the pages."""

import ast
import inspect
from collections.abc import Callable, Iterable
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from typer.main import get_command

from cronicorn.adapters.metrics.catalog import METRICS
from cronicorn.api.problems import CODES
from cronicorn.cli.exit_codes import EXIT_CODES
from cronicorn.cli.main import app
from cronicorn.control.plane import ControlPlane
from cronicorn.control.statuses import STATUSES
from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.errors import CronicornError
from cronicorn.domain.permission import NEEDED
from cronicorn.domain.plan import Source
from cronicorn.domain.slot import SlotState
from cronicorn.mcp.asking import ToolDesk, admitted
from cronicorn.mcp.server import tool_functions
from cronicorn.mcp.toolsets import TOOLS
from cronicorn.scheduler.asking import TokensDeniedError
from cronicorn.wiring.settings_table import SETTINGS
from tests.architecture.source import PACKAGE
from tests.docs import access_reference
from tests.docs.markdown import REFERENCE, marked, table, with_marked
from tests.docs.rest_reference import bodies, routes

_ALIASES = {
    "Decide": "Makes a settlement of the endpoint as stored now: `decide` with its facts bound.",
    "EndpointEdit": "Makes a change of the endpoint as stored now, knowing its job.",
}
"""Names of types that are no classes, and so have no docstring."""


def settings() -> str:
    rows = [
        (f"`{each.name}`", each.unit, f"`{each.default}`" if each.default else "", f"`{each.example}`", each.meaning)
        for each in SETTINGS
    ]
    return table(("setting", "unit", "default", "example", "meaning"), rows)


def metrics() -> str:
    rows = [
        (f"`{each.name}`", each.kind, " ".join(f"`{label}`" for label in each.labels), each.help) for each in METRICS
    ]
    return table(("metric", "kind", "labels", "meaning"), rows)


def members(kind: type[StrEnum], file: Path, column: str, said: dict[StrEnum, str]) -> str:
    """The values of an enumeration with their docstrings; *said* fills in where the name says it all."""
    told = documented(file, kind.__name__)
    rows = [(f"`{each.value}`", told.get(each.name) or said[each]) for each in kind]
    return table((column, "meaning"), rows)


def documented(file: Path, name: str) -> dict[str, str]:
    """The texts that follow the members of the class *name* in *file*."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    texts: dict[str, str] = {}
    for node, following in zip(found.body, found.body[1:], strict=False):
        match node, following:
            case ast.Assign(targets=[ast.Name(id=member)]), ast.Expr(value=ast.Constant(value=str(text))):
                texts[member] = " ".join(text.split())
            case _:
                pass
    return texts


def sources() -> str:
    return members(Source, PACKAGE / "domain" / "plan.py", "source", {
        Source.PAUSED: "The end of a pause.",
        Source.CLAMPED_MIN: "The minimum moved it later.",
        Source.CLAMPED_MAX: "The maximum moved it earlier.",
        Source.AI_INTERVAL: "An interval hint, whoever wrote it.",
        Source.AI_ONESHOT: "A one-shot hint, whoever wrote it.",
        Source.BASELINE_CRON: "The next instant of the cron expression.",
        Source.BASELINE_INTERVAL: "The next instant of the interval, backoff included.",
        Source.BASELINE_ONCE: "The one instant of the endpoint.",
        Source.DEFERRED: "A defer hint, such as that of a Retry-After, held it back until here.",
        Source.RETRY: "Another attempt at a slot that failed.",
    })  # fmt: skip


def states() -> str:
    return members(SlotState, PACKAGE / "domain" / "slot.py", "state", {
        SlotState.RAN: "It ran: there are run rows.",
        SlotState.SKIPPED_PAUSED: "The endpoint was paused or archived, or its job was.",
    })  # fmt: skip


def outcomes() -> str:
    return members(OutcomeKind, PACKAGE / "domain" / "call.py", "outcome", {
        OutcomeKind.TIMED_OUT: "The call did not end within its limit.",
        OutcomeKind.TLS_FAILED: "No trusted encrypted connection could be made.",
    })  # fmt: skip


def public_names(package: str) -> str:
    module = import_module(package)
    things = {name: getattr(module, name) for name in module.__all__}
    rows = [(f"`{name}`", _kind(thing), _ALIASES.get(name) or _summary(thing)) for name, thing in things.items()]
    return table(("name", "kind", "what it is"), rows)


def _kind(thing: object) -> str:
    if not inspect.isclass(thing):
        return "function" if inspect.isfunction(thing) else "type"
    if getattr(thing, "_is_protocol", False):
        return "port"
    if issubclass(thing, Exception):
        return "error"
    return "enumeration" if issubclass(thing, StrEnum) else "class"


def _summary(thing: object) -> str:
    """The first paragraph of a docstring."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n", maxsplit=1)[0].split())


def errors() -> str:
    """Every error that a caller can act on: its code, its HTTP status and the exit code of a command."""
    rows = [
        (
            f"`{kind.code}`",
            f"`{kind.__name__}`",
            _mapped(kind, STATUSES.items()),
            _mapped(kind, EXIT_CODES),
            _summary(kind),
        )
        for kind in kinds_of(CronicornError)
        if not kind.__name__.startswith("_")  # Others' own, there or not as modules were imported.
    ]
    assert any(TokensDeniedError.__name__ in row[1] for row in rows), "the modules that define errors are imported"
    return table(("code", "error", "HTTP status", "exit code", "meaning"), rows)


def kinds_of(kind: type[CronicornError]) -> list[type[CronicornError]]:
    """The errors below *kind*, each before those below it."""
    return [each for child in kind.__subclasses__() for each in (child, *kinds_of(child))]


def _mapped(kind: type[CronicornError], table_of: Iterable[tuple[type[CronicornError], int]]) -> str:
    return next((str(int(number)) for parent, number in table_of if issubclass(kind, parent)), "")


def refusals() -> str:
    """What only HTTP can refuse."""
    ours = {kind.code for kind in kinds_of(CronicornError)}
    rows = [(f"`{code}`", str(status.value), status.phrase) for status, code in CODES.items() if code not in ours]
    return table(("code", "HTTP status", "meaning"), rows)


def commands() -> str:
    """Each command with its arguments and options."""
    return "\n".join(_command_text(path, each) for path, each in commands_in("cronicorn", get_command(app)))


def commands_in(path: str, command: Any) -> Iterable[tuple[str, Any]]:
    """Every command below *command*, which is called *path*, with its whole name."""
    children = getattr(command, "commands", None)
    if children is None:
        return [(path, command)]
    shown = [(name, child) for name, child in sorted(children.items()) if not child.hidden]
    return [found for name, child in shown for found in commands_in(f"{path} {name}", child)]


def _command_text(path: str, command: Any) -> str:
    told = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    rows = [_parameter_row(each) for each in command.params if each.name != "help"]
    options = table(("argument or option", "default", "meaning"), rows) if rows else ""
    return f"### `{path}`\n\n{told}\n" + (f"\n{options}" if options else "")


def _parameter_row(each: Any) -> tuple[str, str, str]:
    names = [each.metavar or each.name.upper()] if each.param_type_name == "argument" else each.opts
    unset = each.default is None or each.default is False or callable(each.default)
    return " ".join(f"`{name}`" for name in names), "" if unset else f"`{each.default}`", each.help or ""


def tools() -> str:
    """Each tool for agents, with what it says of itself."""
    functions = tool_functions(ToolDesk(cast("ControlPlane", None), admitted))
    rows = []
    for row in TOOLS:
        marks = [word for word, holds in (("writes", row.writes), ("destroys", row.destructive)) if holds] or ["reads"]
        told = " ".join((inspect.getdoc(functions[row.name]) or "").split())
        rows.append((f"`{row.name}`", f"`{row.toolset.value}`", ", ".join(marks), f"`{NEEDED[row.needs]}`", told))
    return table(("tool", "toolset", "it", "permission", "what it does"), rows)


_PERMISSIONS = PACKAGE / "domain" / "permission.py"

TABLES: dict[str, Callable[[], str]] = {
    "settings": settings,
    "metrics": metrics,
    "sources": sources,
    "states": states,
    "outcomes": outcomes,
    "commands": commands,
    "routes": routes,
    "bodies": bodies,
    "errors": errors,
    "refusals": refusals,
    "tools": tools,
    "roles": lambda: access_reference.roles(documented(_PERMISSIONS, "Role")),
    "permissions": lambda: access_reference.permissions(documented(_PERMISSIONS, "Permission")),
    "domain": lambda: public_names("cronicorn.domain"),
    "scheduler": lambda: public_names("cronicorn.scheduler"),
}


def generated(text: str) -> str:
    """The page *text* with its tables made anew."""
    return with_marked(text, {name: TABLES[name]() for name in marked(text)})


def main() -> None:
    for page in REFERENCE.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(generated(text), encoding="utf-8")


if __name__ == "__main__":
    main()
