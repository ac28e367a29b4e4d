"""`cronicorn tenant retention`: how long the history of one tenant is kept."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, run
from cronicorn.cli.options import length
from cronicorn.cli.showing import ObjectOption, print_done

if TYPE_CHECKING:
    from cronicorn.domain.provision.provision import Provision

_AS_SETTINGS = "default"


def tenant_retention(
    name: Annotated[str, typer.Argument(help="The tenant's name or id.")],
    *,
    runs: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Of runs that did not fail, and skips; `default`: as the settings say."),
    ] = None,
    failures: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Of runs that failed; `default`: as the settings say.")
    ] = None,
    database: DatabaseOption = None,
    as_json: ObjectOption = False,
) -> None:
    """Show or set how long the history of a tenant is kept, such as 7d or 90d.

    Examples: cronicorn tenant retention acme · cronicorn tenant retention acme --runs 7d --failures 90d
    """
    run(_retention(name, runs, failures, database, as_json=as_json))


async def _retention(name: str, runs: str | None, failures: str | None, database: str | None, *, as_json: bool) -> None:
    from dataclasses import replace

    from cronicorn.cli.local import opened, opened_to_read

    given = {
        field: _kept(text, option)
        for field, option, text in (("runs_kept", "--runs", runs), ("failures_kept", "--failures", failures))
        if text is not None
    }
    async with opened(database) if given else opened_to_read(database) as local:
        principal, provisions = local.principal(name), local.control.provisions
        if given:
            provision = await provisions.change(principal, lambda before: replace(before, **given))  # type: ignore[arg-type]
        else:
            provision = await provisions.show(principal)
    shown = _shown(provision)
    runs_kept, failures_kept = (shown[kind] or "as the settings say" for kind in ("runs", "failures"))
    told = f"Tenant {name!r}: runs are kept {runs_kept}, failures {failures_kept}."
    print_done({"id": principal.tenant_id, **shown}, told, as_json=as_json)


def _kept(text: str, option: str) -> timedelta | None:
    from cronicorn.domain.durations import show_duration
    from cronicorn.domain.errors import InvalidInputError
    from cronicorn.domain.provision.provision import KEPT_LEAST, KEPT_MOST

    if text == _AS_SETTINGS:
        return None
    kept = length(text, option, otherwise=_AS_SETTINGS)
    if not KEPT_LEAST <= kept <= KEPT_MOST:
        raise InvalidInputError(f"{option} must be from {show_duration(KEPT_LEAST)} to {show_duration(KEPT_MOST)}.")
    return kept


def _shown(provision: "Provision") -> dict[str, str | None]:
    from cronicorn.domain.durations import show_duration

    lengths = {"runs": provision.runs_kept, "failures": provision.failures_kept}
    return {kind: show_duration(kept) if kept is not None else None for kind, kept in lengths.items()}
