"""`cronicorn audit`: who did what."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run
from cronicorn.cli.roles import JsonOption

if TYPE_CHECKING:
    from cronicorn.domain.access.audit_entry import AuditEntry, AuditQuery


def audit(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many entries, the newest ones.")] = 50,
    actor: Annotated[str | None, typer.Option(metavar="ID", help="Only what this member or key did.")] = None,
    action: Annotated[str | None, typer.Option(metavar="ACTION", help="Only this, such as job.create.")] = None,
    thing: Annotated[str | None, typer.Option("--object", metavar="ID", help="Only what was done to this.")] = None,
    tenant: TenantOption = "default",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who did what, newest first."""
    from cronicorn.domain.access.audit_entry import AuditQuery

    query = AuditQuery(limit=limit, actor_id=actor, action=action, object_id=thing)
    run(_audit(tenant, database, query, as_json=as_json))


async def _audit(tenant: str, database: str | None, query: "AuditQuery", *, as_json: bool) -> None:
    import json

    from cronicorn.cli.columns import columns
    from cronicorn.cli.local import opened_to_read

    async with opened_to_read(database) as local:
        entries = await local.control.audit.list(local.principal(tenant), query)
    rows = [_shown(entry) for entry in entries]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    names = ("at", "actor_kind", "actor", "actor_id", "action", "object_id", "changed")
    heads = [name.replace("_", " ").upper() for name in names]
    for line in columns(heads, [[_cell(row[name]) for name in names] for row in rows]):
        print(line)


def _shown(entry: "AuditEntry") -> dict[str, object]:
    from cronicorn.cli.instants import written

    return {
        "at": written(entry.at),
        "actor_kind": entry.actor_kind.value,
        "actor_id": entry.actor_id,
        "actor": entry.actor,
        "action": entry.action,
        "object_kind": entry.object_kind,
        "object_id": entry.object_id,
        "changed": sorted({*(entry.before or {}), *(entry.after or {})}),
        "before": entry.before,
        "after": entry.after,
        "request_id": entry.request_id,
    }


def _cell(value: object) -> str:
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value or "")
