"""`cronicorn workers`: who works, and who holds what."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place, chosen_profile
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import cell, print_json, snaked

if TYPE_CHECKING:
    from cronicorn.domain.fleet import Fleet, Holder

_ENDPOINTS_SHOWN = 3
_HEADINGS = ("WORKER", "ALIVE", "VERSION", "SEEN", "MECHANISM", "HELD", "EXPIRED", "OLDEST", "FIRST ENDS", "ENDPOINTS")


@at_place
def workers(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list with one object for each worker.")] = False,
    place: Place,
) -> None:
    """List the workers, whether they live and which version they are, and the leases that they hold.

    Of a store it is what they hold of all tenants, or only of that of --tenant; of a server what they hold of yours.
    EXPIRED counts leases whose worker was not heard of in time: their slots are due again.

    Example: cronicorn workers --json
    """
    run(_workers(place, as_json=as_json))


async def _workers(place: Place, *, as_json: bool) -> None:
    import sys

    if chosen_profile(place) is None:
        found = await _of_store(place)
        rows = _rows(found, _of_fleet(await _fleet(place)))
        if place.tenant is not None:
            rows = [row for row in rows if row["leases"]]
    else:
        async with reached(place, to_read=True) as there:
            found = await there.get("/workers")
        rows = _rows(found, _of_wire(found))
    if as_json:
        print_json(rows)
    elif rows:
        _print(rows, found["now"])
    elif place.tenant is not None:
        print("Nobody holds a lease of this tenant.", file=sys.stderr)
    else:
        print("No worker is known: `cronicorn up` and `cronicorn scheduler` are workers.", file=sys.stderr)


async def _of_store(place: Place) -> Mapping[str, Any]:
    """The workers of a store, whoever its tenants are."""
    from cronicorn.api.wire_workers import workers_answer
    from cronicorn.cli.local import opened_to_read
    from cronicorn.wiring.local import person_at_machine

    async with opened_to_read(place.database) as local:
        listed = await local.control.workers.list(person_at_machine(""))
    return workers_answer(listed).model_dump(mode="json", by_alias=True)


async def _fleet(place: Place) -> "Fleet":
    from cronicorn.cli.local import store_settings
    from cronicorn.wiring.archives import whole_store

    fleet = await whole_store(store_settings(place.database)).fleet.leases()
    return fleet if place.tenant is None else fleet.of_tenant(place.tenant)


def _rows(found: Mapping[str, Any], held: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each worker and mechanism, and one for each worker that holds nothing."""
    known = {each["name"]: each for each in found["workers"]}
    rows = [{**_presence(each["worker"], known), **each} for each in held]
    busy = {row["worker"] for row in rows}
    idle: dict[str, Any] = {
        "mechanism": None,
        "held": 0,
        "expired": 0,
        "oldest_age_s": None,
        "first_ends_at": None,
        "leases": [],
    }
    rows += [{**_presence(name, known), **idle} for name in known if name not in busy]
    return sorted(rows, key=lambda row: (row["worker"], row["mechanism"] or ""))


def _presence(name: str, known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What a worker says of itself; one that never did is alive as long as a lease of it is."""
    return {"worker": name, **snaked(known.get(name, {}), "alive", "version", "since", "seen_at")}


def _of_wire(found: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """What each worker holds of the tenant that asks."""
    from datetime import datetime

    now = datetime.fromisoformat(found["now"])
    names = ("endpoint", "endpoint_id", "mechanism", "slot", "attempt", "manual", "claimed_at", "ends_at")
    for worker in found["workers"]:
        for mechanism in sorted({each["mechanism"] for each in worker["leases"]}):
            leases = [each for each in worker["leases"] if each["mechanism"] == mechanism]
            oldest = min(datetime.fromisoformat(each["claimedAt"]) for each in leases)
            yield {
                "worker": worker["name"],
                "mechanism": mechanism,
                "held": len(leases),
                "expired": sum(each["expired"] for each in leases),
                "oldest_age_s": (now - oldest).total_seconds(),
                "first_ends_at": min(each["endsAt"] for each in leases),
                "leases": [{"tenant": None, **snaked(each, *names)} for each in leases],
            }


def _of_fleet(fleet: "Fleet") -> Iterable[dict[str, Any]]:
    return (_as_json(holder) for holder in fleet.holders())


def _print(rows: Sequence[Mapping[str, Any]], now: str) -> None:
    from datetime import datetime

    from cronicorn.cli.columns import columns

    print("\n".join(columns(_HEADINGS, [_cells(row, datetime.fromisoformat(now)) for row in rows])))


def _cells(row: Mapping[str, Any], now: Any) -> Sequence[str]:
    from datetime import datetime, timedelta

    from cronicorn.domain.wording import distance, length

    seen, ends = (row[name] and datetime.fromisoformat(row[name]) for name in ("seen_at", "first_ends_at"))
    age = row["oldest_age_s"]
    return (
        cell(row["worker"]), cell(row["alive"]), cell(row["version"]), distance(seen, now) if seen else "",
        cell(row["mechanism"]), str(row["held"]), str(row["expired"]),
        "" if age is None else length(timedelta(seconds=age)), distance(ends, now) if ends else "",
        _named([each["endpoint"] for each in row["leases"]]),
    )  # fmt: skip


def _named(endpoints: Sequence[str]) -> str:
    more = len(endpoints) - _ENDPOINTS_SHOWN
    return ", ".join(map(cell, endpoints[:_ENDPOINTS_SHOWN])) + (f" and {more} more" if more > 0 else "")


def _as_json(holder: "Holder") -> dict[str, Any]:
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
