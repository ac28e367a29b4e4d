"""Options and arguments that many commands have, and what the words in them mean."""

import inspect
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import wraps
from typing import Annotated, Any

import typer

from cronicorn.cli.completing import complete_endpoint

EndpointArgument = Annotated[
    str,
    typer.Argument(metavar="ENDPOINT", help="Its id, or its name as job/endpoint.", autocompletion=complete_endpoint),
]


def made_of_options(
    command: Callable[..., None], argument: str, options: Sequence[inspect.Parameter], make: Callable[..., object]
) -> Callable[..., None]:
    """*command*, whose *argument* is what *make* makes of *options*; they stand in its place in the help."""
    signature = inspect.signature(command)
    parameters: list[inspect.Parameter] = []
    for each in signature.parameters.values():
        parameters += options if each.name == argument else [each]

    @wraps(command)
    def with_options(**typed: Any) -> None:
        made = make(**{option.name: typed.pop(option.name) for option in options})
        command(**typed, **{argument: made})

    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return with_options


def option(name: str, kind: object) -> inspect.Parameter:
    """An option *name* of a *kind*, as typer takes it: None where it is not given."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def given(**options: object) -> dict[str, Any]:
    """*options* without those that were not given."""
    return {name: value for name, value in options.items() if value is not None}


def milliseconds(text: str | None, option: str) -> int | None:
    """The length *text*, which *option* gave, in milliseconds; None for none. Raises as `read_length` does."""
    return None if text is None else read_length(text, option) // timedelta(milliseconds=1)


def read_length(text: str, option: str, *, otherwise: str | None = None) -> timedelta:
    """The length *text*, such as 30s. Raises InvalidInputError, which names the *option* that gave it.

    A number alone is refused: whoever comes from a crontab means minutes, whoever knows the REST API milliseconds.
    *otherwise* is a word that the option takes, too.
    """
    from cronicorn.domain.durations import parse_duration
    from cronicorn.domain.errors import InvalidInputError

    try:
        found = parse_duration(text)
    except ValueError as error:
        wanted = error if otherwise is None else f"{error}, or {otherwise}"
        raise InvalidInputError(f"{option} must be {wanted}, not {text[:40]!r}.") from None
    number = text.strip()
    if found and not number[-1].isalpha():
        raise InvalidInputError(f"{option} needs a unit: {number}s, {number}m, {number}h or {number}d.")
    return found
