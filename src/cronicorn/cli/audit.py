"""`cronicorn audit`: who did what."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.roles import JsonOption
from cronicorn.cli.showing import print_table, snaked

_COLUMNS = {
    "AT": "at", "ACTOR KIND": "actor_kind", "ACTOR": "actor", "ACTOR ID": "actor_id", "ACTION": "action",
    "OBJECT ID": "object_id", "CHANGED": "changed",
}  # fmt: skip


@at_place
def audit(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many entries, the newest ones.")] = 50,
    actor: Annotated[str | None, typer.Option(metavar="ID", help="Only what this member or key did.")] = None,
    action: Annotated[str | None, typer.Option(metavar="ACTION", help="Only this, such as job.create.")] = None,
    thing: Annotated[str | None, typer.Option("--object", metavar="ID", help="Only what was done to this.")] = None,
    as_json: JsonOption = False,
    place: Place,
) -> None:
    """Show who did what, newest first.

    Example: cronicorn audit --action job.create --limit 5
    """
    query: dict[str, object] = {"limit": limit, "actorId": actor, "action": action, "objectId": thing}
    run(_audit(place, query, as_json=as_json))


async def _audit(place: Place, query: dict[str, object], *, as_json: bool) -> None:
    async with reached(place, to_read=True) as there:
        entries = (await there.get("/audit", **query))["entries"]
    print_table([_shown(entry) for entry in entries], _COLUMNS, as_json=as_json)


def _shown(entry: Mapping[str, Any]) -> dict[str, object]:
    names = ("at", "actor_kind", "actor_id", "actor", "action", "object_kind", "object_id")
    changed = sorted({*entry.get("before", ()), *entry.get("after", ())})
    return {**snaked(entry, *names), "changed": changed, **snaked(entry, "before", "after", "request_id")}
