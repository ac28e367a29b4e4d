"""`cronicorn verify`: whether a store is as it must be."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, run, tell
from cronicorn.cli.showing import ObjectOption, print_done

if TYPE_CHECKING:
    from cronicorn.domain.verification import Check, Findings

BROKEN, NOT_CHECKED = 1, 2


def verify(
    *,
    database: DatabaseOption = None,
    stopped: Annotated[
        bool, typer.Option("--stopped", help="No worker runs: slots that wait and expired leases break nothing.")
    ] = False,
    as_json: ObjectOption = False,
) -> None:
    """Check a store against what must hold, on one snapshot, while workers go on.

    Exits with 0 when nothing is broken, with 1 when something is, and with 2 when it could not be checked.

    Example: cronicorn verify --database sqlite:cronicorn.db
    """
    run(_verify(database, stopped=stopped, as_json=as_json))


async def _verify(database: str | None, *, stopped: bool, as_json: bool) -> None:
    import traceback

    from cronicorn.cli.local import store_settings
    from cronicorn.cli.terminal import working
    from cronicorn.domain.errors import CronicornError
    from cronicorn.wiring.verification import verified

    try:
        with working("Verifying"):
            findings = await verified(store_settings(database), stopped=stopped)
        document, told = _as_json(findings), "\n".join(_lines(findings))
    except CronicornError as error:
        tell(str(error))
        raise SystemExit(NOT_CHECKED) from error
    except Exception as error:  # A bug here says nothing of the store.
        traceback.print_exc()
        raise SystemExit(NOT_CHECKED) from error
    print_done(document, told, as_json=as_json)
    if not findings.sound:
        raise SystemExit(BROKEN)


def _lines(findings: "Findings") -> list[str]:
    from cronicorn.cli.columns import columns
    from cronicorn.domain.verification import MEANING

    rows = [
        (_verdict(findings, check), check.value, str(tally.checked), str(tally.found), MEANING[check])
        for check, tally in findings.tallies.items()
    ]
    heading, *lines = columns(("", "CHECK", "CHECKED", "FOUND", "WHAT MUST BE"), rows)
    told = [heading]
    for line, tally in zip(lines, findings.tallies.values(), strict=True):
        told += [line, *(f"        {example}" for example in tally.examples)]
        if tally.found > len(tally.examples):
            told.append(f"        and {tally.found - len(tally.examples)} more")
    return told


def _verdict(findings: "Findings", check: "Check") -> str:
    if not findings.tallies[check].found:
        return "ok"
    return "noted" if check in findings.harmless else "BROKEN"


def _as_json(findings: "Findings") -> dict[str, object]:
    from cronicorn.domain.verification import MEANING

    return {
        "sound": findings.sound,
        "checks": [
            {
                "check": check.value,
                "meaning": MEANING[check],
                "verdict": _verdict(findings, check).lower(),
                "checked": tally.checked,
                "found": tally.found,
                "examples": tally.examples,
            }
            for check, tally in findings.tallies.items()
        ],
    }
