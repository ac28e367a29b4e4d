"""Which endpoint is meant, and what options say of one, as the document that the REST interface takes."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from cronicorn.cli.completing import complete_endpoint

EndpointArgument = Annotated[
    str,
    typer.Argument(metavar="ENDPOINT", help="Its id, or its name as job/endpoint.", autocompletion=complete_endpoint),
]
FileOption = Annotated[
    str | None,
    typer.Option("--file", "-f", metavar="FILE", help="Fields as YAML or JSON, as REST has them; - reads stdin."),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Any field, such as overlap=skip or retries.retryCount=2; null clears it."
    ),
]
UrlOption = Annotated[str | None, typer.Option("--url", metavar="URL", help="What is called.")]
MethodOption = Annotated[str | None, typer.Option("--method", metavar="METHOD", help="GET, POST, …; GET else.")]
EveryOption = Annotated[str | None, typer.Option("--every", metavar="LENGTH", help="Call it so often, such as 5m.")]
CronOption = Annotated[str | None, typer.Option("--cron", metavar="CRON", help="Call it by cron, such as '0 3 * * *'.")]
OnceOption = Annotated[str | None, typer.Option("--once-at", metavar="INSTANT", help="Call it once.")]
DormantOption = Annotated[bool, typer.Option("--dormant", help="Call it only when somebody asks.")]
ZoneOption = Annotated[str | None, typer.Option("--tz", metavar="ZONE", help="The IANA zone of --cron; UTC else.")]
MinOption = Annotated[str | None, typer.Option("--min", metavar="LENGTH", help="Never more often, whatever steers.")]
MaxOption = Annotated[str | None, typer.Option("--max", metavar="LENGTH", help="Never less often, whatever steers.")]
TimeoutOption = Annotated[str | None, typer.Option("--timeout", metavar="LENGTH", help="A call may take so long.")]
HeaderOption = Annotated[
    list[str] | None,
    typer.Option(
        "--header", metavar="'NAME: VALUE'", help="A header; write secrets as {{secret.NAME}}. May be repeated."
    ),
]
BodyOption = Annotated[
    str | None, typer.Option("--body", metavar="JSON", help="The body, as JSON; @FILE reads it from a file.")
]
RetriesOption = Annotated[int | None, typer.Option("--retries", metavar="NUMBER", help="Try a call again so often.")]
DescriptionOption = Annotated[
    str | None, typer.Option("--description", metavar="TEXT", help="What it is for, and when to look closer.")
]
PolicyOption = Annotated[str | None, typer.Option("--policy", metavar="FILE", help="Its rules, YAML or JSON.")]

_OPTION_OF = {
    "/baselineIntervalMs": "--every",
    "/baselineCron": "--cron",
    "/onceAt": "--once-at",
    "/timezone": "--tz",
    "/minIntervalMs": "--min",
    "/maxIntervalMs": "--max",
    "/timeoutMs": "--timeout",
    "/retries/retryCount": "--retries",
    "/url": "--url",
    "/method": "--method",
    "/headersJson": "--header",
    "/bodyJson": "--body",
    "/description": "--description",
}
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9.]*)=(.*)", re.DOTALL)
_HEADER = re.compile(r"([^:\s]+):\s*(.*)", re.DOTALL)


def endpoint_document(file: str | None, sets: Sequence[str] | None, **options: Any) -> dict[str, Any]:
    """The fields of a file, then those of options, then those that are set. Raises InvalidInputError, NotFoundError."""
    document = {} if file is None else _read_mapping(file)
    document |= {name: value for name, value in _of_options(options) if value is not None}
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
        lines = (f"{_OPTION_OF.get(each.pointer, each.pointer) or '(all)'}: {each.message}" for each in error.fields)
        raise InvalidInputError("\n".join(lines), fields=error.fields) from error


def _of_options(options: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        if value is not None and name in _READERS:
            yield name, _READERS[name](value)
        else:
            yield name, value


def _length(option: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        from cronicorn.cli.durations import milliseconds

        read = milliseconds(text, option)
        assert read is not None
        return read

    return read


def _headers(given: Sequence[str]) -> dict[str, str] | None:
    from cronicorn.domain.errors import InvalidInputError

    found = [_HEADER.fullmatch(each) for each in given]
    if not all(found):
        raise InvalidInputError("--header takes a name and a value, such as --header 'Accept: application/json'.")
    return {each[1]: each[2] for each in found if each is not None} or None


def _body(text: str) -> Any:
    from pathlib import Path

    from cronicorn.domain.errors import InvalidInputError

    try:
        return json.loads(Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text)
    except OSError as error:
        raise InvalidInputError(f"--body names {text[1:]!r}, which can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise InvalidInputError(f"--body is no JSON ({error}); a text needs its quotes, as in '\"text\"'.") from error


def _policy(path: str) -> object:
    from cronicorn.cli.yaml_file import read_yaml_file

    return read_yaml_file(path).value


def _read_mapping(path: str) -> dict[str, Any]:
    from cronicorn.cli.yaml_file import read_yaml_file
    from cronicorn.domain.errors import InvalidInputError

    file = read_yaml_file(path)
    if not isinstance(file.value, dict):
        raise InvalidInputError(f"{file.name} must hold the fields of one endpoint, such as url and baselineCron.")
    document: dict[str, Any] = json.loads(json.dumps(file.value, default=str))
    return document


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


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "baselineIntervalMs": _length("--every"),
    "minIntervalMs": _length("--min"),
    "maxIntervalMs": _length("--max"),
    "timeoutMs": _length("--timeout"),
    "headersJson": _headers,
    "bodyJson": _body,
    "policy": _policy,
    "method": str.upper,
    "retries": lambda count: {"retryCount": count},
}
