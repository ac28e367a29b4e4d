"""The events that the code logs: every constant given to a logger, with its level and where it happens."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.architecture.source import PACKAGE, Module, modules_of

_LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}


@dataclass(frozen=True, slots=True)
class LogCall:
    """One call of a logger."""

    event: str | None
    """None when what is logged is not a constant."""
    level: str
    place: str


def log_calls() -> list[LogCall]:
    """Every call of a module's `log` in the package."""
    return [call for module in modules_of(PACKAGE) for call in _calls_in(module)]


def _calls_in(module: Module) -> Iterator[LogCall]:
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=attr)) if attr in _LEVELS:
                event = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
                place = f"{module.name}:{node.lineno}"
                yield LogCall(event if isinstance(event, str) else None, _LEVELS[attr], place)
            case _:
                pass
