"""`cronicorn runs`: what happened, and what happens."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cronicorn.cli.endpoint_names import NamedEndpoint
    from cronicorn.control.plane import ControlPlane
    from cronicorn.domain.principal import Principal
    from cronicorn.domain.run import Run

LIMIT_MAX = 1_000
_LOOK_EVERY_S = 0.5


def runs(
    endpoint: Annotated[
        str | None, typer.Argument(metavar="[ENDPOINT]", help="Its id, or its name as job/endpoint. All by default.")
    ] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new runs until interrupted.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LIMIT_MAX, help="How many past runs.")] = 20,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show runs, the newest last."""
    run(_runs(endpoint, database, tenant, follow=follow, limit=limit, as_json=as_json))


async def _runs(
    endpoint: str | None, database: str | None, tenant: str, *, follow: bool, limit: int, as_json: bool
) -> None:
    import asyncio

    from cronicorn.cli.local import opened

    async with opened(database) as local:
        principal = local.principal(tenant)
        seen: set[str] = set()
        while True:
            found = await _latest(local.control, principal, endpoint, LIMIT_MAX if seen else limit)
            new = [(named, each) for named, each in found if each.id not in seen]
            for named, each in new:
                _show(named, each, as_json=as_json)
            seen = {each.id for _, each in found}
            if not follow:
                return
            await asyncio.sleep(_LOOK_EVERY_S)


async def _latest(
    control: "ControlPlane", principal: "Principal", endpoint: str | None, limit: int
) -> "Sequence[tuple[NamedEndpoint, Run]]":
    """The newest *limit* runs, oldest first."""
    from cronicorn.cli.endpoint_names import all_endpoints, find_endpoint
    from cronicorn.domain.history import RunQuery

    if endpoint is not None:
        endpoints: Sequence[NamedEndpoint] = [await find_endpoint(control, principal, endpoint)]
    else:
        endpoints = await all_endpoints(control, principal)
    found = []
    for named in endpoints:
        page = await control.runs.list(principal, named.endpoint.id, RunQuery(limit=limit))
        found += [(named, each) for each in page.runs]
    return sorted(found, key=lambda pair: (pair[1].finished_at, pair[1].id))[-limit:]


def _show(named: "NamedEndpoint", each: "Run", *, as_json: bool) -> None:
    import json

    from rich.text import Text

    from cronicorn.cli.terminal import console

    facts = _as_json(named, each)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False), flush=True)
        return
    style = {"success": "green", "failed": "red"}.get(each.status.value, "yellow")
    code = each.outcome.status_code or each.outcome.kind.value
    line = Text.assemble(
        f"{facts['started_at']}  {named.name}  ",
        (f"{each.status.value:<8}", style),
        f" {code}  {facts['duration_ms']} ms  {each.source.value}  {each.outcome.error or ''}".rstrip(),
    )
    console().print(line, soft_wrap=True)


def _as_json(named: "NamedEndpoint", each: "Run") -> dict[str, object]:
    from cronicorn.cli.instants import written

    return {
        "id": each.id,
        "endpoint": named.name,
        "endpoint_id": each.endpoint_id,
        "slot": each.slot,
        "attempt": each.attempt,
        "status": each.status.value,
        "outcome": each.outcome.kind.value,
        "status_code": each.outcome.status_code,
        "source": each.source.value,
        "due_at": written(each.due_at),
        "started_at": written(each.started_at),
        "finished_at": written(each.finished_at),
        "duration_ms": round(each.outcome.duration.total_seconds() * 1_000, 3),
        "error": each.outcome.error,
    }
