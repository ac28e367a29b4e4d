"""`cronicorn alert rules`: when something is noticed, and when it is over."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.durations import milliseconds
from cronicorn.cli.local import DatabaseOption, TenantOption, run

if TYPE_CHECKING:
    from cronicorn.domain.alert.alerting import Alerting

app = typer.Typer(help="Say when something is noticed, and when it is over.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, in the fields of the REST interface.")]
_COLUMNS = ("for", "failures", "share", "successes", "late after", "pause after", "near percent")
_SHARE = re.compile(r"([0-9]{1,9})/([0-9]{1,9})", re.ASCII)
_NONE = "none"


@app.command("show")
def show(*, tenant: TenantOption = "default", database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Show the rules that hold, whether somebody said so or not, and the exceptions from them."""
    run(_show(tenant, database, as_json=as_json))


@app.command("set")
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
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the rules that options name and leave the others; or, with a file, all of them.

    What a file leaves out is as usual. It has the fields of PUT /api/alert-rules, as `rules show --json` prints them.
    """
    given = {
        "failures": failures,
        "share": _share(share),
        "successes": successes,
        "lateAfterMs": milliseconds(late_after, "--late-after"),
        "pauseAfter": _number_or_none(pause_after),
        "nearPercent": near_percent,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    run(_set(tenant, database, file, changes, as_json=as_json))


async def _show(tenant: str, database: str | None, *, as_json: bool) -> None:
    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        _print(await local.control.alerts.show(local.principal(tenant)), as_json=as_json)


async def _set(
    tenant: str, database: str | None, file: Path | None, changes: dict[str, object], *, as_json: bool
) -> None:
    from cronicorn.cli.local import opened
    from cronicorn.control.alert_documents import AllRulesDocument
    from cronicorn.control.findings import Findings
    from cronicorn.control.misfits import whole_document
    from cronicorn.domain.errors import InvalidInputError

    if (file is None) == (not changes):
        raise InvalidInputError("Say what to change: give either --file or the options of single rules.")
    async with opened(database) as local:
        principal = local.principal(tenant)
        if file is None:
            before = _document(await local.control.alerts.show(principal))
            given: object = {name: None if value == _NONE else value for name, value in (before | changes).items()}
        else:
            given = _read(file)
        findings = Findings()
        document = whole_document(AllRulesDocument, given, findings)
        _print(await local.control.alerts.change_rules(principal, document), as_json=as_json)


def _read(file: Path) -> object:
    from cronicorn.cli.yaml_file import read_yaml_file
    from cronicorn.domain.errors import InvalidInputError

    found = read_yaml_file(str(file)).value
    if found is None:
        raise InvalidInputError(f"{file} is empty: it needs rules, such as `failures: 5`.")
    return found


def _document(alerting: "Alerting") -> dict[str, Any]:
    """The rules of *alerting* in the fields that they are set by."""
    from cronicorn.api.wire_alerts import all_rules_answer

    return all_rules_answer(alerting).model_dump(mode="json", by_alias=True)


def _print(alerting: "Alerting", *, as_json: bool) -> None:
    import json

    from cronicorn.cli.columns import columns

    document = _document(alerting)
    if as_json:
        print(json.dumps(document, indent=2))
        return
    exceptions = [
        (", ".join((*each["jobIds"], *each["endpointIds"])), each["rules"]) for each in document["exceptions"]
    ]
    rows = [_row(what_for, rules) for what_for, rules in [("everything", document), *exceptions]]
    for line in columns([name.upper() for name in _COLUMNS], rows):
        print(line)


def _row(what_for: str, rules: dict[str, Any]) -> list[str]:
    from datetime import timedelta

    from cronicorn.domain.durations import show_duration

    share = rules.get("share")
    return [
        what_for,
        str(rules["failures"]),
        f"{share['failures']}/{share['runs']}" if share else _NONE,
        str(rules["successes"]),
        show_duration(timedelta(milliseconds=rules["lateAfterMs"])),
        str(rules.get("pauseAfter") or _NONE),
        str(rules["nearPercent"]),
    ]


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
