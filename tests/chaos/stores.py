"""The stores that workers and editors open, by backend and mechanism; and guards known to be too weak."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from cronicorn.adapters.postgres import lease_statements as postgres_statements
from cronicorn.adapters.postgres.external import ExternalJobStore, installation_of
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.legacy import PostgresLegacyJobStore
from cronicorn.adapters.postgres.optimistic import PostgresOptimisticJobStore
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.sqlite import job_store as sqlite
from cronicorn.adapters.sqlite.legacy import SqliteLegacyJobStore
from cronicorn.adapters.sqlite.optimistic import SqliteOptimisticJobStore
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.mechanism import Mechanism
from cronicorn.domain.ports import ClaimService
from tests.chaos.plan import OWNER_ONLY, Plan

MECHANISMS: Mapping[str, tuple[Mechanism, ...]] = {
    "postgres": tuple(Mechanism),
    "sqlite": (Mechanism.LEASE, Mechanism.LEGACY, Mechanism.OPTIMISTIC),
}
"""What each backend offers, the default one first."""

Stores = PostgresStores | SqliteStores


async def open_stores(plan: Plan, url: str, service: str | None = None) -> Stores:
    """All stores as *plan* has them; *service* is the URL of the lock service. Raises UnavailableError."""
    if plan.backend == "sqlite":
        stores = await SqliteStores.open(url, SystemClock())
        return replace(stores, job_store=_on_sqlite(plan, stores))
    opened = await PostgresStores.open(url)
    await opened.job_store.aclose()
    return replace(opened, job_store=await _on_postgres(plan, opened, service))


def _on_sqlite(plan: Plan, stores: SqliteStores) -> sqlite.SqliteJobStore:
    match plan.mechanism:
        case Mechanism.LEGACY:
            return SqliteLegacyJobStore(stores.database, lock=timedelta(seconds=plan.ttl_s))
        case Mechanism.OPTIMISTIC:
            return SqliteOptimisticJobStore(stores.database)
        case _:
            weak = _SQLITE_MUTANTS[plan.mutant] if plan.mutant else None
            return sqlite.SqliteJobStore(stores.database, weak)


async def _on_postgres(plan: Plan, stores: PostgresStores, service: str | None) -> PostgresJobStore:
    match plan.mechanism:
        case Mechanism.LEASE:
            weak = _POSTGRES_MUTANTS[plan.mutant] if plan.mutant else None
            return PostgresJobStore(stores.database, statements=weak)
        case Mechanism.LEGACY:
            return PostgresLegacyJobStore(stores.database, lock=timedelta(seconds=plan.ttl_s))
        case Mechanism.OPTIMISTIC:
            return PostgresOptimisticJobStore(stores.database)
        case Mechanism.REDIS | Mechanism.ETCD:
            assert service is not None
            claims = _claim_service(plan.mechanism, service, await installation_of(stores.database))
            return ExternalJobStore(stores.database, claims, plan.mechanism)


def _claim_service(mechanism: Mechanism, url: str, installation: str) -> ClaimService:
    """Imports what is needed, and the other not: each worker that starts would wait for it."""
    timeout = timedelta(seconds=0.5)
    if mechanism is Mechanism.REDIS:
        from cronicorn.adapters.redis.claim_service import RedisClaimService

        return RedisClaimService.open(url, prefix=installation, timeout=timeout)
    from cronicorn.adapters.etcd.claim_service import EtcdClaimService

    return EtcdClaimService.open(url, prefix=installation, timeout=timeout)


_SQLITE = sqlite.LeaseStatements()
_SQLITE_HELD = "s.claim_id = :claim_id AND s.fence = :fence AS held"
_POSTGRES = postgres_statements.LeaseStatements()
_POSTGRES_MINE = "e.claim_id = d.claim_id AND e.fence = d.fence"
_POSTGRES_HELD = "e.claim_id IS NOT DISTINCT FROM $3 AND e.fence = $4 AS held"


def _sqlite_settling(held: str) -> sqlite.LeaseStatements:
    return replace(_SQLITE, find=_changed(_SQLITE.find, _SQLITE_HELD, f"{held} AS held"))


def _postgres_settling(mine: str) -> postgres_statements.LeaseStatements:
    return replace(
        _POSTGRES,
        settle=_changed(_POSTGRES.settle, _POSTGRES_MINE, mine),
        find=_changed(_POSTGRES.find, _POSTGRES_HELD, f"{mine} AS held"),
    )


def _changed(statement: str, text: str, other: str) -> str:
    assert text in statement, text
    return statement.replace(text, other)


_SQLITE_MUTANTS: Mapping[str, sqlite.LeaseStatements] = {
    "settles by id alone": _sqlite_settling("1"),
    "settles whatever is leased": _sqlite_settling("s.claim_id IS NOT NULL"),
    OWNER_ONLY: _sqlite_settling("s.worker_id = 'machine'"),
    "takes over what lives": replace(
        _SQLITE, claim=_changed(_SQLITE.claim, "takeover_us <= :now_us AND due_us", "due_us")
    ),
}
_POSTGRES_MUTANTS: Mapping[str, postgres_statements.LeaseStatements] = {
    "settles by id alone": _postgres_settling("true"),
    "settles whatever is leased": _postgres_settling("e.claim_id IS NOT NULL"),
    OWNER_ONLY: _postgres_settling("e.worker_id = 'machine'"),
    "takes over what lives": replace(
        _POSTGRES,
        claim=_changed(_POSTGRES.claim, "AND s.takeover_us <= ", "AND 0 < "),
        claim_in_turn=_changed(_POSTGRES.claim_in_turn, "AND s.takeover_us <= ", "AND 0 < "),
    ),
}
MUTANTS = tuple(_POSTGRES_MUTANTS)
"""Guards known to be too weak, by name. The same on each backend."""
assert set(MUTANTS) == set(_SQLITE_MUTANTS)
