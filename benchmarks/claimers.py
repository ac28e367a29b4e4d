"""A worker without calls: it claims, settles all it got, and claims again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fixtures import a_run
from cronicorn.domain.instant import MICROSECOND
from cronicorn.domain.lease import Lease
from cronicorn.domain.ports import JobStore
from cronicorn.domain.settlement import Settlement, Stored
from tests.adapters.postgres.crowd import plant_crowd

TTL = timedelta(seconds=30)
WARM_UP_S = 1.0
_TENANTS = 10


@dataclass(slots=True)
class Pace:
    """What a claimer did."""

    claims: list[tuple[float, float, int]] = field(default_factory=list)
    """In seconds since it was warm, when each claim was made; how long it took; how many rows it gave."""

    @property
    def rows(self) -> int:
        """Claimed, and but for the last claim settled."""
        return sum(rows for _, _, rows in self.claims)


async def a_crowd(url: str, rows: int) -> None:
    """Plant *rows* endpoints that are due in the empty PostgreSQL at *url*, of ten tenants."""
    stores = await PostgresStores.open(url)
    await plant_crowd(stores.database, {f"t{number}": rows // _TENANTS for number in range(_TENANTS)})
    await stores.aclose()


async def claim_and_settle(store: JobStore, worker_id: str, *, batch: int, seconds: float) -> Pace:
    """Claim *batch* and settle it, again and again; what is settled is due again at once, behind all others."""

    async def turn() -> tuple[float, int]:
        asked = time.monotonic()
        leases = await store.claim_due(worker_id=worker_id, limit=batch, ttl=TTL)
        took = time.monotonic() - asked
        await asyncio.gather(*(_settle(store, lease) for lease in leases))
        return took, len(leases)

    return await paced(turn, seconds)


async def paced(turn: Callable[[], Awaitable[tuple[float, int]]], seconds: float) -> Pace:
    """Take one *turn* after another, which answers how long its claim took and how many rows were settled."""
    pace, warm_at = Pace(), time.monotonic() + WARM_UP_S
    while time.monotonic() < warm_at:
        await turn()
    while (now := time.monotonic() - warm_at) < seconds:
        pace.claims.append((now, *await turn()))
    return pace


def rate(paces: Sequence[Pace], seconds: float) -> float:
    """Rows a second of all together."""
    return sum(pace.rows for pace in paces) / seconds


async def _settle(store: JobStore, lease: Lease) -> None:
    await store.settle(lease, a_run(lease), _due_at_once)


def _due_at_once(endpoint: JobEndpoint, _: Stored) -> Settlement:
    state = endpoint.state
    assert state.plan is not None
    plan = state.plan._replace(next_run_at=datetime.now(UTC) + MICROSECOND, nominal_at=None)
    issued = state.slots_issued + 1
    return Settlement(state=replace(state, plan=plan, slot=issued, slots_issued=issued))
