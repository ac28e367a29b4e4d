"""The stores that workers and editors open, by backend and mechanism; and guards known to be too weak."""

from dataclasses import replace

from cronicorn.adapters.sqlite import job_store as sqlite
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.mechanism import Mechanism
from cronicorn.testing.contracts.stores import Stores
from tests.chaos.plan import Plan

RUNS = (("sqlite", Mechanism.LEASE),)
"""What is put to the test."""

_RIGHT = sqlite.LeaseStatements()
_HELD = "s.claim_id = :claim_id AND s.fence = :fence AS held"
SQLITE_MUTANTS = {
    "settle by id alone": replace(_RIGHT, find=_RIGHT.find.replace(_HELD, "1 AS held")),
    "settle whatever is leased": replace(_RIGHT, find=_RIGHT.find.replace(_HELD, "s.claim_id IS NOT NULL AS held")),
    "take over without looking at expiry": replace(
        _RIGHT, claim=_RIGHT.claim.replace("takeover_us <= :now_us AND due_us", "due_us")
    ),
}


def mutants(backend: str) -> list[str]:
    """The names of the weak guards of a backend."""
    return list(SQLITE_MUTANTS) if backend == "sqlite" else []


async def open_stores(plan: Plan, url: str) -> Stores:
    """All stores as *plan* has them."""
    assert plan.backend == "sqlite"
    stores = await SqliteStores.open(url, SystemClock())
    if plan.mutant is not None:
        weak = sqlite.SqliteJobStore(stores.database, SQLITE_MUTANTS[plan.mutant])
        return replace(stores, job_store=weak)
    return stores
