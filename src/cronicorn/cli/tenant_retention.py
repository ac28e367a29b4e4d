"""`cronicorn tenant retention`: how long the history of one tenant is kept."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.options import read_length
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_installation, reached
from cronicorn.cli.showing import ObjectOption, print_done

_AS_SETTINGS = "default"


@at_installation
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
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Show or set how long the history of a tenant is kept, such as 7d or 90d.

    Examples: cronicorn tenant retention acme · cronicorn tenant retention acme --runs 7d --failures 90d
    """
    given = {
        field: _milliseconds(option, text)
        for field, option, text in (("runsMs", "--runs", runs), ("failuresMs", "--failures", failures))
        if text is not None
    }
    run(_retention(place, name, given, as_json=as_json))


async def _retention(place: Place, name: str, given: Mapping[str, int | None], *, as_json: bool) -> None:
    from cronicorn.cli.finding import find_tenant

    async with reached(place, to_read=not given) as there:
        tenant = await find_tenant(there, name)
        path = f"/tenants/{tenant['id']}/retention"
        kept, version = await there.version(path)
        if given:
            before = {field: kept[field] for field in ("runsMs", "failuresMs")}
            kept = await there.put(path, {**before, **given}, unchanged=version)
    shown = {"runs": _shown(kept["runsMs"]), "failures": _shown(kept["failuresMs"])}
    runs, failures = (each or "as the settings say" for each in shown.values())
    told = f"Tenant {tenant['name']!r}: runs are kept {runs}, failures {failures}."
    print_done({"id": tenant["id"], **shown}, told, as_json=as_json)


def _milliseconds(option: str, text: str) -> int | None:
    from cronicorn.domain.durations import show_duration
    from cronicorn.domain.errors import InvalidInputError
    from cronicorn.domain.provision.provision import KEPT_LEAST, KEPT_MOST

    if text == _AS_SETTINGS:
        return None
    kept = read_length(text, option, otherwise=_AS_SETTINGS)
    if not KEPT_LEAST <= kept <= KEPT_MOST:
        raise InvalidInputError(f"{option} must be from {show_duration(KEPT_LEAST)} to {show_duration(KEPT_MOST)}.")
    return kept // timedelta(milliseconds=1)


def _shown(length_ms: int | None) -> str | None:
    from cronicorn.domain.durations import show_duration

    return show_duration(timedelta(milliseconds=length_ms)) if length_ms is not None else None
