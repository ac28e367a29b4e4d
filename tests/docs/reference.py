"""The tables of the reference, made from the code. `python -m tests.docs.reference` writes them into the pages."""

import ast
import inspect
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from importlib import import_module
from pathlib import Path

from cronicorn.adapters.metrics.catalog import METRICS
from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.plan import Source
from cronicorn.domain.slot import SlotState
from cronicorn.wiring.settings import SETTINGS
from tests.architecture.source import PACKAGE
from tests.docs.markdown import REFERENCE, marked, with_marked


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


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
    rows = [(f"`{each.name}`", each.kind, " ".join(f"`{label}`" for label in each.labels), each.help) for each in METRICS]
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


TABLES: dict[str, Callable[[], str]] = {
    "settings": settings,
    "metrics": metrics,
    "sources": sources,
    "states": states,
    "outcomes": outcomes,
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
