"""`cronicorn alert rules`: when something is noticed, and when it is over."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.options import given, milliseconds
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import JsonOption, print_table

app = typer.Typer(help="Say when something is noticed, and when it is over.", no_args_is_help=True)

_COLUMNS = {
    "FOR": "for", "FAILURES": "failures", "SHARE": "share", "SUCCESSES": "successes", "LATE AFTER": "lateAfterMs",
    "PAUSE AFTER": "pauseAfter", "NEAR PERCENT": "nearPercent",
}  # fmt: skip
_SHARE = re.compile(r"([0-9]{1,9})/([0-9]{1,9})", re.ASCII)
_NONE = "none"


@app.command("show")
@at_place
def show(*, as_json: JsonOption = False, place: Place) -> None:
    """Show the rules that hold, whether somebody said so or not, and the exceptions from them.

    Example: cronicorn alert rules show --json
    """
    run(_show(place, as_json=as_json))


@app.command("set")
@at_place
def change(
    *,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE.yaml", help="All rules, with their exceptions.")
    ] = None,
    failures: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Failing after so many failures in a row.")
    ] = None,
    share: Annotated[
        str | None, typer.Option(metavar="FAILURES/RUNS", help="Failing after so many of the last runs; or none.")
    ] = None,
    successes: Annotated[int | None, typer.Option(metavar="NUMBER", help="Over after so many in a row.")] = None,
    late_after: Annotated[str | None, typer.Option(metavar="DURATION", help="Late after so long.")] = None,
    pause_after: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Paused after so many failures in a row; or none.")
    ] = None,
    near_percent: Annotated[int | None, typer.Option(metavar="NUMBER", help="A quota is near from here on.")] = None,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Change the rules that options name and leave the others; or, with a file, all of them.

    What a file leaves out is as usual. It has the fields of PUT /api/alert-rules, as `rules show --json` prints them.

    Example: cronicorn alert rules set --failures 5 --late-after 2m
    """
    changes = given(
        failures=failures, share=_share(share), successes=successes,
        lateAfterMs=milliseconds(late_after, "--late-after"), pauseAfter=_number_or_none(pause_after),
        nearPercent=near_percent,
    )  # fmt: skip
    run(_set(place, file, changes, as_json=as_json))


async def _show(place: Place, *, as_json: bool) -> None:
    async with reached(place, to_read=True) as there:
        _print(await there.get("/alert-rules"), as_json=as_json)


async def _set(place: Place, file: Path | None, changes: dict[str, object], *, as_json: bool) -> None:
    from cronicorn.cli.yaml_file import read_object
    from cronicorn.domain.errors import InvalidInputError

    if (file is None) == (not changes):
        raise InvalidInputError("Say what to change: give either --file or the options of single rules.")
    async with reached(place) as there:
        if file is None:
            before = await there.get("/alert-rules")
            rules = {name: None if value == _NONE else value for name, value in (before | changes).items()}
        else:
            rules = read_object(str(file), "rules, such as `failures: 5`")
        _print(await there.put("/alert-rules", rules), as_json=as_json)


def _print(document: dict[str, Any], *, as_json: bool) -> None:
    exceptions = [
        (", ".join((*each["jobIds"], *each["endpointIds"])), each["rules"]) for each in document["exceptions"]
    ]
    rows = [_row(what_for, rules) for what_for, rules in [("everything", document), *exceptions]]
    print_table(rows, _COLUMNS, as_json=as_json, whole=document)


def _row(what_for: str, rules: dict[str, Any]) -> dict[str, Any]:
    """*rules* as people read them."""
    from datetime import timedelta

    from cronicorn.domain.durations import show_duration

    share = rules.get("share")
    return {
        **rules,
        "for": what_for,
        "share": f"{share['failures']}/{share['runs']}" if share else _NONE,
        "lateAfterMs": show_duration(timedelta(milliseconds=rules["lateAfterMs"])),
        "pauseAfter": rules.get("pauseAfter") or _NONE,
    }


def _share(text: str | None) -> object:
    from cronicorn.domain.errors import InvalidInputError

    if text is None or text == _NONE:
        return text
    match = _SHARE.fullmatch(text)
    if match is None:
        raise InvalidInputError(f"--share must be failures and runs, such as 10/50, or none, not {text!r}.")
    return {"failures": int(match[1]), "runs": int(match[2])}


def _number_or_none(text: str | None) -> object:
    from cronicorn.domain.errors import InvalidInputError

    if text is None or text == _NONE:
        return text
    if not text.isdecimal() or not text.isascii() or len(text) > 9:  # noqa: PLR2004 - more than any limit
        raise InvalidInputError(f"--pause-after must be a whole number or none, not {text!r}.")
    return int(text)
