"""The job store of a scheduler: one mechanism, or several with a share of the tenants each, all measured."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from cronicorn.adapters.metrics.observed_job_store import ObservedJobStore
from cronicorn.adapters.metrics.prometheus import Metrics
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.mechanism import Mechanism, Share, shares_of
from cronicorn.domain.ports import ClaimService, Clock, JobStore
from cronicorn.wiring.extras import require_client
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.stores import Stores


@asynccontextmanager
async def observed_job_store(
    settings: Settings, stores: Stores, clock: Clock, metrics: Metrics
) -> AsyncIterator[JobStore]:
    """The store that CRONICORN_LEASE_MECHANISM asks for, over *stores*, for as long as the block lasts.

    Raises InvalidInputError for a mechanism that the store can't serve, UnavailableError when a part is missing.
    """
    async with AsyncExitStack() as stack:
        parts: list[tuple[Mechanism, JobStore]] = []
        for mechanism, share in shares_of(settings.lease_mechanism):
            inner = await _job_store(settings, stores, mechanism, share, stack)
            parts.append((mechanism, ObservedJobStore(inner, metrics, clock, mechanism)))
        if len(parts) == 1:
            yield parts[0][1]
            return
        from cronicorn.scheduler.mixed import MixedJobStore

        yield MixedJobStore(parts)


async def _job_store(
    settings: Settings, stores: Stores, mechanism: Mechanism, share: Share, stack: AsyncExitStack
) -> JobStore:
    match settings.database_url.backend:
        case "sqlite":
            return _on_sqlite(settings, stores, mechanism, share)
        case "postgresql":
            return await _on_postgres(settings, stores, mechanism, share, stack)
        case _:
            return stores.job_store


def _on_sqlite(settings: Settings, stores: Stores, mechanism: Mechanism, share: Share) -> JobStore:
    from cronicorn.adapters.sqlite.database import SqliteDatabase
    from cronicorn.adapters.sqlite.job_store import SqliteJobStore
    from cronicorn.adapters.sqlite.legacy import SqliteLegacyJobStore
    from cronicorn.adapters.sqlite.optimistic import SqliteOptimisticJobStore

    database = stores.database
    assert isinstance(database, SqliteDatabase)
    match mechanism:
        case Mechanism.LEASE:
            return SqliteJobStore(database, share=share)
        case Mechanism.LEGACY:
            return SqliteLegacyJobStore(database, share=share, lock=settings.legacy_lock)
        case Mechanism.OPTIMISTIC:
            return SqliteOptimisticJobStore(database, share=share)
        case Mechanism.REDIS | Mechanism.ETCD:
            raise InvalidInputError(f"The mechanism {mechanism} needs PostgreSQL; on SQLite choose lease.")


async def _on_postgres(
    settings: Settings, stores: Stores, mechanism: Mechanism, share: Share, stack: AsyncExitStack
) -> JobStore:
    from cronicorn.adapters.postgres.caps import Caps
    from cronicorn.adapters.postgres.database import PostgresDatabase
    from cronicorn.adapters.postgres.external import ExternalJobStore, installation_of
    from cronicorn.adapters.postgres.job_store import PostgresJobStore
    from cronicorn.adapters.postgres.legacy import PostgresLegacyJobStore
    from cronicorn.adapters.postgres.optimistic import PostgresOptimisticJobStore

    database = stores.database
    assert isinstance(database, PostgresDatabase)
    caps = Caps(per_tenant=settings.tenant_calls_max, per_host=settings.host_calls_max)
    store: PostgresJobStore
    match mechanism:
        case Mechanism.LEASE:
            store = PostgresJobStore(database, share=share, caps=caps)
        case Mechanism.LEGACY:
            store = PostgresLegacyJobStore(database, share=share, caps=caps, lock=settings.legacy_lock)
        case Mechanism.OPTIMISTIC:
            store = PostgresOptimisticJobStore(database, share=share)
        case Mechanism.REDIS | Mechanism.ETCD:
            service = _claim_service(settings, mechanism, await installation_of(database))
            store = ExternalJobStore(database, service, mechanism, share=share)
    stack.push_async_callback(store.aclose)
    if mechanism.cancellable:
        await store.connect()
    return store


def _claim_service(settings: Settings, mechanism: Mechanism, installation: str) -> ClaimService:
    require_client(mechanism)
    if mechanism is Mechanism.REDIS:
        from cronicorn.adapters.redis.claim_service import RedisClaimService

        assert settings.redis_url is not None
        return RedisClaimService.open(settings.redis_url.text, prefix=installation)
    from cronicorn.adapters.etcd.claim_service import EtcdClaimService

    assert settings.etcd_url is not None
    return EtcdClaimService.open(settings.etcd_url.text, prefix=installation)
