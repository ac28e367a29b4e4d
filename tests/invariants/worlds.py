"""All stores and mechanisms that an invariant is tried on, and how a worker of each opens its database.

A test of an invariant is marked `@kept(Invariant.X)` and takes a `world`, whose leases a clock judges that stands still
until it is moved, or a `live` one, where real time passes. It runs once for each kind whose mechanism keeps the
invariant by `KEPT`. A new store is one more line in `KINDS`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pytest

from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.postgres.caps import Caps
from cronicorn.adapters.postgres.database import PostgresDatabase
from cronicorn.adapters.postgres.external import ExternalJobStore
from cronicorn.adapters.postgres.job_store import PostgresJobStore
from cronicorn.adapters.postgres.legacy import PostgresLegacyJobStore
from cronicorn.adapters.postgres.optimistic import PostgresOptimisticJobStore
from cronicorn.adapters.postgres.options import Feature, Isolation, PostgresOptions
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.adapters.sqlite.legacy import SqliteLegacyJobStore
from cronicorn.adapters.sqlite.optimistic import SqliteOptimisticJobStore
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.system_clock import SystemClock
from cronicorn.domain.mechanism import KEPT, Invariant, Mechanism
from cronicorn.domain.ports import Clock
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import Stores
from tests.invariants.places import MemoryPlace, Place, PostgresPlace, SqlitePlace

SYSTEM = SystemClock()
FIRST_COME = frozenset({Invariant.I16, Invariant.I17})
"""What a single process or file does not promise: it hands out the longest due first, whosever it is, with no caps."""


SHORTEST = timedelta(seconds=1)
"""The least that a legacy lock lasts here; it lasts as long as a lease when that is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A store with a mechanism."""

    name: str
    mechanism: Mechanism = Mechanism.LEASE
    place: type[Place]
    open: Callable[[Any, Clock], Awaitable[Stores]]
    """Open the stores of one worker, given the place and the clock that judges."""
    without: frozenset[Invariant] = frozenset()
    """What the mechanism keeps elsewhere, and not on this store."""

    def promises(self, invariant: Invariant) -> bool:
        return invariant in KEPT[self.mechanism] - self.without

    @property
    def rounding(self) -> timedelta:
        """What a lease lasts longer than asked for: etcd counts whole seconds, and adds what its elections take."""
        return timedelta(seconds=1.5) if self.mechanism is Mechanism.ETCD else timedelta(0)

    @property
    def exclusive(self) -> bool:
        """Whether a claim keeps the others away."""
        return self.mechanism is not Mechanism.OPTIMISTIC


async def _memory(place: MemoryPlace, clock: Clock) -> Stores:
    return MemoryStores.over(place.database)


async def _sqlite(place: SqlitePlace, clock: Clock) -> Stores:
    return await SqliteStores.open(place.path, clock, readers=1)


async def _sqlite_legacy(place: SqlitePlace, clock: Clock) -> Stores:
    stores = await SqliteStores.open(place.path, clock, readers=1)
    return replace(stores, job_store=SqliteLegacyJobStore(stores.database, lock=SHORTEST))


async def _sqlite_optimistic(place: SqlitePlace, clock: Clock) -> Stores:
    stores = await SqliteStores.open(place.path, clock, readers=1)
    return replace(stores, job_store=SqliteOptimisticJobStore(stores.database))


def _postgres(
    options: PostgresOptions | None = None, make: Callable[[PostgresDatabase], PostgresJobStore] = PostgresJobStore
) -> Callable[[PostgresPlace, Clock], Awaitable[Stores]]:
    """Open with *options* and the job store that *make* makes."""

    async def opened(place: PostgresPlace, clock: Clock) -> Stores:
        judge = None if clock is SYSTEM else clock
        database = await PostgresDatabase.open(place.url, options or PostgresOptions(), judge)
        return replace(PostgresStores.over(database), job_store=make(database))

    return opened


def _beside_postgres(mechanism: Mechanism) -> Callable[[PostgresPlace, Clock], Awaitable[Stores]]:
    """Open with claims in a real server, or, where a clock judges that stands still, in a service that follows it."""

    async def opened(place: PostgresPlace, clock: Clock) -> Stores:
        service = place.claim_service(mechanism, clock)
        return await _postgres(make=lambda database: ExternalJobStore(database, service, mechanism))(place, clock)

    return opened


UNCAPPED = frozenset({Invariant.I17})
ONLY_CAPPED = frozenset(Invariant) - {Invariant.I17, Invariant.I18}
CAPS = Caps(per_tenant=4, per_host=6)

KINDS = (
    Kind(name="memory", place=MemoryPlace, open=_memory, without=FIRST_COME | {Invariant.I21}),
    Kind(name="sqlite lease", place=SqlitePlace, open=_sqlite, without=FIRST_COME),
    Kind(name="sqlite legacy", mechanism=Mechanism.LEGACY, place=SqlitePlace, open=_sqlite_legacy, without=FIRST_COME),
    Kind(name="sqlite optimistic", mechanism=Mechanism.OPTIMISTIC, place=SqlitePlace, open=_sqlite_optimistic),
    Kind(name="postgres lease", place=PostgresPlace, open=_postgres(), without=UNCAPPED),
    Kind(
        name="postgres lease without features",
        place=PostgresPlace,
        open=_postgres(PostgresOptions(without=frozenset(Feature))),
        without=UNCAPPED,
    ),
    Kind(
        name="postgres lease serializable",
        place=PostgresPlace,
        open=_postgres(PostgresOptions(isolation=Isolation.SERIALIZABLE)),
        without=UNCAPPED,
    ),
    Kind(
        name="postgres legacy",
        mechanism=Mechanism.LEGACY,
        place=PostgresPlace,
        open=_postgres(make=lambda database: PostgresLegacyJobStore(database, lock=SHORTEST)),
        without=UNCAPPED,
    ),
    Kind(
        name="postgres optimistic",
        mechanism=Mechanism.OPTIMISTIC,
        place=PostgresPlace,
        open=_postgres(make=PostgresOptimisticJobStore),
    ),
    Kind(
        name="postgres redis",
        mechanism=Mechanism.REDIS,
        place=PostgresPlace,
        open=_beside_postgres(Mechanism.REDIS),
    ),
    Kind(
        name="postgres etcd",
        mechanism=Mechanism.ETCD,
        place=PostgresPlace,
        open=_beside_postgres(Mechanism.ETCD),
    ),
    Kind(
        name="postgres lease within caps",
        place=PostgresPlace,
        open=_postgres(make=lambda database: PostgresJobStore(database, caps=CAPS)),
        without=ONLY_CAPPED,
    ),
    Kind(
        name="postgres legacy within caps",
        mechanism=Mechanism.LEGACY,
        place=PostgresPlace,
        open=_postgres(make=lambda database: PostgresLegacyJobStore(database, caps=CAPS, lock=SHORTEST)),
        without=ONLY_CAPPED,
    ),
)


@dataclass(slots=True)
class World:
    """One database of a kind, the clock that judges its leases, and the workers on it."""

    kind: Kind
    place: Place
    clock: Clock
    opened: list[Stores] = field(default_factory=list)

    @classmethod
    async def create(cls, kind: Kind, folder: Path, clock: Clock) -> Self:
        world = cls(kind, await kind.place.create(folder, clock), clock)
        await world.another()
        return world

    @property
    def stores(self) -> Stores:
        """The stores of the first worker."""
        return self.opened[0]

    async def another(self, kind: Kind | None = None) -> Stores:
        """The stores of one more worker, as another process has them; of another *kind* on the same database maybe."""
        self.opened.append(await (kind or self.kind).open(self.place, self.clock))
        return self.opened[-1]

    async def rewind(self, *, keep: bool) -> None:
        """End all workers; *keep* the state of the database or put back the one that was kept; and begin again."""
        await self.end()
        await (self.place.keep() if keep else self.place.put_back())
        await self.another()

    async def end(self) -> None:
        """End all workers."""
        while self.opened:
            await self.opened.pop().aclose()

    def advance(self, by: timedelta) -> None:
        """Let *by* pass."""
        assert isinstance(self.clock, VirtualClock)
        self.clock.advance(by)

    def jump(self, by: timedelta) -> None:
        """Set the clock *by* so much; no time passes."""
        assert isinstance(self.clock, VirtualClock)
        self.clock.jump(self.clock.now() + by)


def kept(invariant: Invariant, *, live: bool = False, only: Callable[[Kind], bool] = lambda kind: True):
    """Run a test of *invariant* on every kind that promises it, in a `world` or a *live* one."""
    kinds = [pytest.param(kind, id=kind.name) for kind in KINDS if kind.promises(invariant) and only(kind)]
    return pytest.mark.parametrize("live" if live else "world", kinds, indirect=True)


def on(*names: str, live: bool = False):
    """Run a test on the kinds named, in a `world` or a *live* one."""
    kinds = [pytest.param(kind, id=kind.name) for kind in KINDS if kind.name in names]
    assert len(kinds) == len(names), names
    return pytest.mark.parametrize("live" if live else "world", kinds, indirect=True)
