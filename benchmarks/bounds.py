"""Bounds of a drain: the same calls by the same client and equal rows in the same tables, without the product.

They plan nothing, hold no lease, check no fence and know no skip. What they write is as long, column by column, as what
the product left in a store of its own. Endpoints are at hand as values; making the call of each is part of the work.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import uvloop

from benchmarks.draining import Drain, fill, left_by_the_product
from benchmarks.planting import due_now
from benchmarks.stopwatch import Drained, Stopwatch
from benchmarks.world import curl, rows_of
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.domain.call import Outcome
from cronicorn.domain.cells import Cell
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fields import length_us
from cronicorn.domain.outgoing import call_for
from cronicorn.domain.ports import Dispatcher
from cronicorn.wiring.collector import collect_rarely
from cronicorn.wiring.database_url import parse_database_url

SQLITE_BATCH = 100
POSTGRES_BATCH = 500
_OF_THE_RUN = ("endpoint_number", "started_us", "finished_us", "duration_us", "body")
"""Columns of `runs` that differ from run to run in a bound; the rest is as the product left it once."""
_OF_THE_SCHEDULE = ("due_us", "slot", "attempt", "manual_slot", "state", "done_claim_id", "done_fence", "done")
"""What a settlement changes in `schedule`, besides ending the lease."""
_ENDED = ("claim_id", "worker_id", "mechanism", "claimed_us", "leased_slot", "leased_attempt", "leased_manual",
          "lease_until_us", "takeover_us")  # fmt: skip

Answer = tuple[int, Outcome]
"""The number of an endpoint, and how its call ended."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rows as the product leaves them."""

    run: Mapping[str, Cell]
    schedule: Mapping[str, Cell]

    @classmethod
    def of_product(cls, database: str, target: str) -> "Pattern":
        """What the product leaves in an empty *database*."""
        return cls(*left_by_the_product(Drain(database=database, target=target, slots=1)))

    @property
    def same(self) -> tuple[str, ...]:
        """Columns of a run that are the same in all."""
        return tuple(column for column in self.run if column not in {"number", *_OF_THE_RUN})

    @property
    def columns(self) -> tuple[str, ...]:
        """Of a run, in the order of `runs`."""
        return (*_OF_THE_RUN, *self.same)

    def runs(self, answers: Sequence[Answer]) -> list[tuple[Cell, ...]]:
        """The rows of *answers*."""
        constants = tuple(self.run[column] for column in self.same)
        now_us = time.time_ns() // 1_000
        rows = []
        for number, outcome in answers:
            assert outcome.status_code == 200  # A bound of failures would be no bound.
            duration_us, body = length_us(outcome.duration), outcome.body
            encoded = body.encode() if body is not None else None
            rows.append((number, now_us - duration_us, now_us, duration_us, encoded, *constants))
        return rows


def calls_only(order: Drain) -> Drained:
    """The calls, and nothing written."""
    collect_rarely()
    return uvloop.run(_calls_only(order))


def sqlite_bound(order: Drain, pattern: Pattern) -> Drained:
    """One INSERT and one UPDATE for each call, in transactions of 100."""
    uvloop.run(fill(order))
    return uvloop.run(_sqlite_bound(order, pattern))


def postgres_bound(order: Drain, pattern: Pattern) -> Drained:
    """Claims of 500 in one statement; 500 answers at once by COPY and one UPDATE."""
    uvloop.run(fill(order))
    return uvloop.run(_postgres_bound(order, pattern))


async def _calls_only(order: Drain) -> Drained:
    def forget(answers: list[Answer]) -> None:
        assert all(outcome.status_code == 200 for _, outcome in answers)
        answers.clear()

    endpoints = list(enumerate(due_now(order.slots, order.target), 1))
    async with curl(order.calls_max) as dispatcher:
        watch = Stopwatch()
        await _call_all(dispatcher, iter(endpoints), order.calls_max, forget)
        return watch.stopped(order.slots)


async def _sqlite_bound(order: Drain, pattern: Pattern) -> Drained:
    file = SqliteFile(path=parse_database_url(order.database).file)
    connection = file.connect()
    places = ", ".join("?" * len(pattern.columns))
    insert = f"INSERT INTO runs ({', '.join(pattern.columns)}) VALUES ({places})"
    settled = ", ".join(f"{column} = ?" for column in _OF_THE_SCHEDULE)
    update = f"UPDATE schedule SET {settled} WHERE endpoint_number = ?"
    constants = tuple(pattern.schedule[column] for column in _OF_THE_SCHEDULE)

    def write(answers: list[Answer]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, pattern.runs(answers))
        connection.executemany(update, [(*constants, number) for number, _ in answers])
        connection.execute("COMMIT")
        answers.clear()

    endpoints = list(enumerate(due_now(order.slots, order.target), 1))
    async with curl(order.calls_max) as dispatcher:
        watch = Stopwatch()
        await _call_all(dispatcher, iter(endpoints), order.calls_max, write)
        done = watch.stopped(order.slots)
    connection.close()
    await _check(order)
    return done


async def _call_all(
    dispatcher: Dispatcher,
    endpoints: Iterator[tuple[int, JobEndpoint]],
    calls_max: int,
    write: Callable[[list[Answer]], None],
) -> None:
    """Call each of *endpoints*; *write* empties a list of answers."""
    answers: list[Answer] = []

    async def worker() -> None:
        for number, endpoint in endpoints:
            answers.append((number, await dispatcher.dispatch(call_for(endpoint, 1))))
            if len(answers) >= SQLITE_BATCH:
                write(answers)

    await asyncio.gather(*(worker() for _ in range(calls_max)))
    write(answers)


async def _postgres_bound(order: Drain, pattern: Pattern) -> Drained:
    url = parse_database_url(order.database).connection
    claiming, settling = await asyncpg.connect(url), await asyncpg.connect(url)
    endpoints = list(due_now(order.slots, order.target))
    try:
        async with curl(order.calls_max) as dispatcher:
            work = _PostgresBound(
                endpoints=endpoints, dispatcher=dispatcher, pattern=pattern, claiming=claiming, settling=settling
            )
            watch = Stopwatch()
            await work.drain(order.calls_max)
            done = watch.stopped(order.slots)
    finally:
        await claiming.close()
        await settling.close()
    await _check(order)
    return done


_CLAIM = """
UPDATE cronicorn.schedule AS e
   SET fence = e.fence + 1, claim_id = 'c' || e.endpoint_number, worker_id = 'bound', mechanism = 'lease',
       claimed_us = $1, leased_slot = e.slot, leased_attempt = e.attempt, leased_manual = 0,
       lease_until_us = $1 + 30000000, takeover_us = $1 + 30000000
  FROM (SELECT shard, endpoint_id FROM cronicorn.schedule
         WHERE claim_id IS NULL AND due_us <= $1 ORDER BY shard, due_us, endpoint_number LIMIT $2
           FOR NO KEY UPDATE SKIP LOCKED) AS p
 WHERE e.shard = p.shard AND e.endpoint_id = p.endpoint_id RETURNING e.endpoint_number
"""


@dataclass(slots=True, kw_only=True)
class _PostgresBound:
    """Claims ahead of its calls, and settles behind them."""

    endpoints: Sequence[JobEndpoint]
    dispatcher: Dispatcher
    pattern: Pattern
    claiming: "asyncpg.Connection[asyncpg.Record]"
    settling: "asyncpg.Connection[asyncpg.Record]"
    queue: asyncio.Queue[int | None] = field(default_factory=lambda: asyncio.Queue(maxsize=POSTGRES_BATCH))
    answers: list[Answer] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    calling: bool = True

    async def drain(self, calls_max: int) -> None:
        settling = asyncio.create_task(self._settle_all())
        workers = [asyncio.create_task(self._work()) for _ in range(calls_max)]
        while numbers := await self.claiming.fetch(_CLAIM, time.time_ns() // 1_000, POSTGRES_BATCH):
            for row in numbers:
                await self.queue.put(row["endpoint_number"])
        for _ in workers:
            await self.queue.put(None)
        await asyncio.gather(*workers)
        self.calling = False
        self.enough.set()
        await settling

    async def _work(self) -> None:
        while (number := await self.queue.get()) is not None:
            outcome = await self.dispatcher.dispatch(call_for(self.endpoints[number - 1], 1))
            self.answers.append((number, outcome))
            if len(self.answers) >= POSTGRES_BATCH:
                self.enough.set()

    async def _settle_all(self) -> None:
        while self.calling or self.answers:
            if self.calling:
                await self.enough.wait()
                self.enough.clear()
            answers, self.answers = self.answers, []
            async with self.settling.transaction():
                await self._settle(answers)

    async def _settle(self, answers: Sequence[Answer]) -> None:
        await self.settling.copy_records_to_table(
            "runs", records=self.pattern.runs(answers), columns=list(self.pattern.columns), schema_name="cronicorn"
        )
        ids = [self.endpoints[number - 1].id for number, _ in answers]
        row = self.pattern.schedule
        same = [[row[column]] * len(ids) for column in _OF_THE_SCHEDULE]
        await self.settling.execute(_SETTLE, row["shard"], ids, *same)


_TYPES = ("bigint", "bigint", "bigint", "bigint", "text", "text", "bigint", "text")
_SETTLE = f"""
UPDATE cronicorn.schedule AS e
   SET {", ".join(f"{column} = d.{column}" for column in _OF_THE_SCHEDULE)},
       {", ".join(f"{column} = NULL" for column in _ENDED)}
  FROM unnest($2::text[], {", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_TYPES, 3))})
       AS d(endpoint_id, {", ".join(_OF_THE_SCHEDULE)})
 WHERE e.shard = $1 AND e.endpoint_id = d.endpoint_id
"""


async def _check(order: Drain) -> None:
    async with rows_of(order.database) as rows:
        assert await rows.successes() == order.slots
