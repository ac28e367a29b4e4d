"""How commands show what they were answered: JSON for programs, columns for people, questions before what is lost."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from cronicorn.cli.columns import columns

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, in the fields of the REST interface.")]
ObjectOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check everything as for real, and change nothing.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant.")]


def print_json(document: object) -> None:
    """Print *document* for a program."""
    print(json.dumps(document, ensure_ascii=False, indent=2))


def deed(name: str, done: str, *, dry_run: bool) -> str:
    """That *name* was *done*, or could be."""
    return f"{name}: nothing speaks against it." if dry_run else f"{name} {done}."


def print_done(document: object, told: str, *, as_json: bool) -> None:
    """Print what a command did: *document* for a program, the sentence *told* for a person."""
    if as_json:
        print_json(document)
    else:
        print(told)


def print_table(
    rows: Sequence[Mapping[str, Any]],
    fields: Mapping[str, str],
    *,
    as_json: bool,
    empty: str | None = None,
    whole: object = None,
) -> None:
    """Print *rows* in columns: *fields* names the headings and which field stands under each.

    Where there are none it says *empty* on stderr, or prints the headings. As JSON it is *whole*, or the rows.
    """
    if as_json:
        print_json(rows if whole is None else whole)
    elif rows or empty is None:
        cells = [[cell(row.get(name)) for name in fields.values()] for row in rows]
        print("\n".join(columns(list(fields), cells)))
    else:
        print(empty, file=sys.stderr)


def print_fields(document: Mapping[str, Any]) -> None:
    """Print each field of *document* on a line, with what is inside of it as JSON."""
    width = max(map(len, document), default=0)
    for name, value in document.items():
        print(f"{name:<{width}}  {cell(value)}".rstrip())


def snaked(document: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The fields of *document* that are called *names*, in the snake_case that commands of long standing print."""
    return {name: document.get(_camel(name)) for name in names}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def cell(value: object) -> str:
    """*value* as it stands among others on a line."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case str():
            return "".join(each if each.isprintable() else "�" for each in value)
        case [*items] if all(isinstance(each, str) for each in items):
            return ", ".join(map(cell, items))
        case _:
            return json.dumps(value, ensure_ascii=False)


def harmless(text: str) -> str:
    """*text*, whoever wrote it, without what a terminal would obey; its lines stay."""
    return "\n".join(map(cell, text.splitlines()))


def tell_warnings(document: Mapping[str, Any]) -> None:
    """Tell on stderr what of *document* may not do what was meant."""
    for each in document.get("warnings", ()):
        print(harmless(f"Warning: {each['pointer']}: {each['detail']}"), file=sys.stderr)


def confirm(what: str, *, yes: bool) -> None:
    """Ask whether *what* is meant, unless it was said. Raises InvalidInputError where nobody can be asked."""
    from cronicorn.domain.errors import InvalidInputError

    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInputError(f"{what} Say that it is meant with --yes.")
    typer.confirm(f"{what} Go on?", abort=True, err=True)
