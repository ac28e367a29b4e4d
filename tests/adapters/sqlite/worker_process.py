"""A worker in a process of its own: claims and settles until its input ends, and says on its output what it does.

Every now and then it keeps what it claimed and waits for its end; a steady one never does.
"""

import asyncio
import random
import sys
from datetime import timedelta

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.admission import admit
from cronicorn.domain.errors import LeaseLostError
from cronicorn.domain.fixtures import a_run
from cronicorn.domain.lease import Lease
from cronicorn.testing.contracts.stores import CRON, deciding

HELD_ONE_IN = 8
POLL_S = 0.02
CLOCK = SystemClock()


def _say(what: str, lease: Lease) -> None:
    at = CLOCK.now().timestamp()
    sys.stdout.write(f"{what} {lease.endpoint.id} {lease.slot} {lease.attempt} {lease.fence} {at}\n")
    sys.stdout.flush()


async def _work(path: str, worker_id: str, ttl: timedelta, chance: random.Random, *, steady: bool) -> None:
    stores = await SqliteStores.open(path, CLOCK, busy_timeout=timedelta(seconds=30))
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while not ended.done():
        leases = await stores.job_store.claim_due(worker_id=worker_id, limit=chance.randint(1, 5), ttl=ttl)
        for lease in leases:
            _say("claimed", lease)
        if leases and not steady and chance.randrange(HELD_ONE_IN) == 0:
            _say("waiting", leases[0])
            await ended
        await asyncio.gather(*(_settle(stores, lease) for lease in leases))
        await asyncio.sleep(0 if leases else POLL_S)
    await stores.aclose()


async def _settle(stores: SqliteStores, lease: Lease) -> None:
    admission = admit(lease.endpoint, lease.claimed_at, CRON, taken_over=lease.taken_over)
    run = a_run(lease, nominal_at=admission.nominal_at) if admission.run else None
    try:
        await stores.job_store.settle(lease, run, deciding(lease, run))
    except LeaseLostError:
        _say("lost", lease)
    else:
        _say("settled" if run is not None else "missed", lease)


if __name__ == "__main__":
    _, path_, worker_, ttl_, seed_, manner = sys.argv
    ttl_of_claims = timedelta(seconds=float(ttl_))
    asyncio.run(_work(path_, worker_, ttl_of_claims, random.Random(int(seed_)), steady=manner == "steady"))
