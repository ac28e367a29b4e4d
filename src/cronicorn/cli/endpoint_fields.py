"""What options say of an endpoint, as the document that the REST interface takes."""

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, NamedTuple

import typer

from cronicorn.cli.options import made_of_options, milliseconds, option

_File = Annotated[
    str | None,
    typer.Option("--file", "-f", metavar="FILE", help="Fields as YAML or JSON, as REST has them; - reads stdin."),
]
_Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Any field, such as overlap=skip or retries.retryCount=2; null clears it."
    ),
]
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9.]*)=(.*)", re.DOTALL)
_HEADER = re.compile(r"([^:\s]+):\s*(.*)", re.DOTALL)


def with_fields(command: Callable[..., None]) -> Callable[..., None]:
    """*command*, whose argument `document` is made of the options that say something of an endpoint."""
    own = [each.parameter(name) for name, each in _OPTIONS.items()]
    return made_of_options(command, "document", [*own, option("file", _File), option("sets", _Set)], _document)


def _document(file: str | None, sets: Sequence[str] | None, **typed: Any) -> dict[str, Any]:
    """The fields of a file, then those of options, then those that are set. Raises InvalidInputError, NotFoundError."""
    from cronicorn.cli.yaml_file import read_object

    document: dict[str, Any] = {} if file is None else read_object(file, "its fields, such as `url` and `baselineCron`")
    for name, value in typed.items():
        if value is None or value is False or value == []:
            continue
        document[name] = _OPTIONS[name].read(value, _OPTIONS[name].flag)
    for each in sets or ():
        _set(document, each)
    return document


@contextmanager
def told_of_options() -> Iterator[None]:
    """Tell what is wrong with a field of the option that gives it, each fault on its line."""
    from cronicorn.domain.errors import InvalidInputError

    try:
        yield
    except InvalidInputError as error:
        if not error.fields:
            raise
        lines = (f"{_told_of(each.pointer)}: {each.message}" for each in error.fields)
        raise InvalidInputError("\n".join(lines), fields=error.fields) from error


def _told_of(pointer: str) -> str:
    """What a person calls the field at *pointer*."""
    if pointer == "/retries/retryCount":
        return "--retries"
    known = _OPTIONS.get(pointer.removeprefix("/"))
    return known.flag if known is not None else pointer or "(all)"


def _headers(given: Sequence[str], _: str) -> dict[str, str]:
    from cronicorn.domain.errors import InvalidInputError

    found = [_HEADER.fullmatch(each) for each in given]
    if not all(found):
        raise InvalidInputError("--header takes a name and a value, such as --header 'Accept: application/json'.")
    return {each[1]: each[2] for each in found if each is not None}


def _body(text: str, _: str) -> Any:
    from pathlib import Path

    from cronicorn.domain.errors import InvalidInputError

    try:
        return json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except OSError as error:
        raise InvalidInputError(f"--body names {text[1:]!r}, which can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidInputError(f"--body is no JSON ({error}); a text needs its quotes, as in '\"text\"'.") from error


def _policy(path: str, _: str) -> object:
    from cronicorn.cli.yaml_file import read_object
    from cronicorn.control.policy_text import BEGINNING

    return read_object(path, BEGINNING)


def _set(document: dict[str, Any], text: str) -> None:
    """Put what *text* says into *document*: a path of fields, and a value in JSON or as it is."""
    from cronicorn.domain.errors import InvalidInputError

    found = _FIELD.fullmatch(text)
    if found is None:
        raise InvalidInputError(f"--set takes FIELD=VALUE, such as --set overlap=skip, not {text[:60]!r}.")
    *outer, last = found[1].split(".")
    inner = document
    for name in outer:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            raise InvalidInputError(f"--set {found[1]}: {name} has no fields of its own.")
    try:
        inner[last] = json.loads(found[2])
    except ValueError:
        inner[last] = found[2]


def _as_typed(value: Any, _: str) -> Any:
    return value


def _upper(text: str, _: str) -> str:
    return text.upper()


def _retries(count: int, _: str) -> dict[str, int]:
    return {"retryCount": count}


class _FieldOption(NamedTuple):
    """An option that gives a field."""

    flag: str
    metavar: str | None
    help: str
    kind: object = str | None
    read: Callable[[Any, str], Any] = _as_typed
    """The field's value, of what was typed and the flag. Raises InvalidInputError."""

    def parameter(self, name: str) -> inspect.Parameter:
        """The option, as an argument *name* of a command."""
        typed = typer.Option(None, self.flag, metavar=self.metavar, help=self.help)
        return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=typed, annotation=self.kind)


_OPTIONS: Mapping[str, _FieldOption] = {
    "url": _FieldOption("--url", "URL", "What is called."),
    "method": _FieldOption("--method", "METHOD", "GET, POST, …; GET else.", read=_upper),
    "baselineIntervalMs": _FieldOption("--every", "LENGTH", "Call it so often, such as 5m.", read=milliseconds),
    "baselineCron": _FieldOption("--cron", "CRON", "Call it by cron, such as '0 3 * * *'."),
    "onceAt": _FieldOption("--once-at", "INSTANT", "Call it once."),
    "dormant": _FieldOption("--dormant", None, "Call it only when somebody asks.", bool),
    "timezone": _FieldOption("--tz", "ZONE", "The IANA zone of --cron; UTC else."),
    "minIntervalMs": _FieldOption("--min", "LENGTH", "Never more often, whatever steers.", read=milliseconds),
    "maxIntervalMs": _FieldOption("--max", "LENGTH", "Never less often, whatever steers.", read=milliseconds),
    "timeoutMs": _FieldOption("--timeout", "LENGTH", "A call may take so long.", read=milliseconds),
    "headersJson": _FieldOption(
        "--header", "'NAME: VALUE'", "A header; write secrets as {{secret.NAME}}. May be repeated.", list[str] | None,
        _headers,
    ),
    "bodyJson": _FieldOption("--body", "JSON", "The body, as JSON; @FILE reads it from a file.", read=_body),
    "retries": _FieldOption("--retries", "NUMBER", "Try a call again so often.", int | None, _retries),
    "description": _FieldOption("--description", "TEXT", "What it is for, and when to look closer."),
    "policy": _FieldOption("--policy", "FILE", "Its rules, YAML or JSON.", read=_policy),
}  # fmt: skip
"""By the fields that they give."""
