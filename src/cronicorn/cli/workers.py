"""`cronicorn workers`: who holds what."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, run

if TYPE_CHECKING:
    from cronicorn.domain.fleet import Fleet, Holder

_ENDPOINTS_SHOWN = 3


def workers(
    *,
    database: DatabaseOption = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="NAME", help="Only what is held of this tenant.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list with one object for each worker.")] = False,
) -> None:
    """List the workers that hold leases, and what they hold.

    An idle worker holds none and is not listed.

    EXPIRED counts leases whose worker was not heard of in time: their slots are due again.
    """
    run(_workers(database, tenant, as_json=as_json))


async def _workers(database: str | None, tenant: str | None, *, as_json: bool) -> None:
    import json
    import sys

    from cronicorn.cli.local import store_settings
    from cronicorn.wiring.archives import whole_store

    fleet = await whole_store(store_settings(database)).fleet.leases()
    if tenant is not None:
        fleet = fleet.of_tenant(tenant)
    if as_json:
        print(json.dumps([_as_json(holder) for holder in fleet.holders()], ensure_ascii=False, indent=2))
    elif fleet.slots:
        _print(fleet)
    else:
        print("Nobody holds a lease. Idle workers hold none; GET /api/workers tells who is there.", file=sys.stderr)


def _print(fleet: "Fleet") -> None:
    from cronicorn.cli.columns import columns
    from cronicorn.domain.wording import distance, length

    rows = [
        (
            holder.worker_id,
            holder.mechanism,
            str(len(holder.slots)),
            str(holder.expired),
            length(holder.age_max),
            distance(holder.first_expiry_at, holder.now),
            _named([slot.endpoint for slot in holder.slots]),
        )
        for holder in fleet.holders()
    ]
    print("\n".join(columns(("WORKER", "MECHANISM", "HELD", "EXPIRED", "OLDEST", "FIRST ENDS", "ENDPOINTS"), rows)))


def _named(endpoints: Sequence[str]) -> str:
    more = len(endpoints) - _ENDPOINTS_SHOWN
    return ", ".join(endpoints[:_ENDPOINTS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _as_json(holder: "Holder") -> dict[str, object]:
    from cronicorn.cli.instants import written

    return {
        "worker": holder.worker_id,
        "mechanism": holder.mechanism,
        "held": len(holder.slots),
        "expired": holder.expired,
        "oldest_age_s": holder.age_max.total_seconds(),
        "first_ends_at": written(holder.first_expiry_at),
        "leases": [
            {
                "tenant": slot.tenant,
                "endpoint": slot.endpoint,
                "endpoint_id": slot.endpoint_id,
                "mechanism": slot.mechanism,
                "slot": slot.slot,
                "attempt": slot.attempt,
                "manual": slot.manual,
                "claimed_at": written(slot.claimed_at),
                "ends_at": written(slot.expires_at),
            }
            for slot in holder.slots
        ],
    }
