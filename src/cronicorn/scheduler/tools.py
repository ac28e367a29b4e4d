"""Typed functions that a model may call."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from cronicorn.domain.errors import FieldError, InvalidInputError, NotFoundError

Arguments = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A name, what it is for, the JSON types of its arguments, and the function behind it."""

    name: str
    description: str
    parameters: Mapping[str, type]
    run: Callable[[Arguments], Awaitable[object]]
    optional: frozenset[str] = frozenset()


def tool(
    description: str, *, optional: frozenset[str] = frozenset(), **parameters: type
) -> Callable[[Callable[[Arguments], Awaitable[object]]], Tool]:
    """Make a `Tool` of an async function of its arguments; the function's name becomes the tool's."""

    def made(function: Callable[[Arguments], Awaitable[object]]) -> Tool:
        return Tool(
            name=function.__name__, description=description, parameters=parameters, run=function, optional=optional
        )

    return made


async def call_tool(tools: Mapping[str, Tool], name: str, arguments: Arguments) -> object:
    """Check *arguments* against the tool's types and run it.

    Raises NotFoundError for an unknown tool and InvalidInputError naming every argument that does not fit.
    """
    found = tools.get(name)
    if found is None:
        raise NotFoundError(f"No tool is called {name!r}; there are {', '.join(sorted(tools)) or 'none'}.")
    wrong = (*_unfit(found, arguments), *_missing(found, arguments))
    if wrong:
        raise InvalidInputError(f"Tool {name} was called with wrong arguments.", fields=wrong)
    return await found.run(arguments)


def _unfit(found: Tool, arguments: Arguments) -> tuple[FieldError, ...]:
    unknown = [
        FieldError(pointer=f"/{key}", message=f"{found.name} takes no {key}; it takes {', '.join(found.parameters)}.")
        for key in arguments
        if key not in found.parameters
    ]
    wrong = [
        FieldError(pointer=f"/{key}", message=f"{key} must be {kind.__name__}, not {type(arguments[key]).__name__}.")
        for key, kind in found.parameters.items()
        if key in arguments and not _fits(arguments[key], kind)
    ]
    return (*unknown, *wrong)


def _missing(found: Tool, arguments: Arguments) -> tuple[FieldError, ...]:
    return tuple(
        FieldError(pointer=f"/{key}", message=f"{key} is missing.")
        for key in found.parameters
        if key not in arguments and key not in found.optional
    )


def _fits(value: object, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, kind) or (kind is float and isinstance(value, int))
