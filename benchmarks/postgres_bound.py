"""The bound of a drain on PostgreSQL; see `bounds`."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import asyncpg
import uvloop

from benchmarks.bounds import ENDED, SETTLED, Answer, Pattern, check
from benchmarks.draining import Drain, fill
from benchmarks.planting import due_now
from benchmarks.stopwatch import Drained, Stopwatch, last_of
from benchmarks.world import curl, rows_of
from cronicorn.adapters.postgres.queries import PlainConnection
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.outgoing import call_for
from cronicorn.domain.ports import Dispatcher
from cronicorn.wiring.database_url import parse_database_url

POSTGRES_BATCH = 500


def postgres_bound(order: Drain, pattern: Pattern) -> Drained:
    """Claims of 500 in one statement; 500 answers at once by COPY and one UPDATE."""
    uvloop.run(fill(order))
    return uvloop.run(_postgres_bound(order, pattern))


async def _postgres_bound(order: Drain, pattern: Pattern) -> Drained:
    url = parse_database_url(order.database).connection
    claiming, settling = await asyncpg.connect(url), await asyncpg.connect(url)
    measured, endpoints = [], list(due_now(order.slots, order.target))
    try:
        async with rows_of(order.database) as rows, curl(order.calls_max) as dispatcher:
            for more in reversed(range(order.rounds)):
                begun_us = time.time_ns() // 1_000
                work = _PostgresBound(
                    endpoints=endpoints, dispatcher=dispatcher, pattern=pattern.before(more, begun_us),
                    begun_us=begun_us, claiming=claiming, settling=settling,
                )  # fmt: skip
                watch = await Stopwatch.begun(rows)
                await work.drain(order.calls_max)
                measured.append(await watch.stopped(order.slots))
    finally:
        await claiming.close()
        await settling.close()
    await check(order, pattern)
    return last_of(measured)


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
    begun_us: int
    """What was due then is claimed."""
    claiming: PlainConnection
    settling: PlainConnection
    queue: asyncio.Queue[int | None] = field(default_factory=lambda: asyncio.Queue(maxsize=POSTGRES_BATCH))
    answers: list[Answer] = field(default_factory=list)
    enough: asyncio.Event = field(default_factory=asyncio.Event)
    calling: bool = True

    async def drain(self, calls_max: int) -> None:
        settling = asyncio.create_task(self._settle_all())
        workers = [asyncio.create_task(self._work()) for _ in range(calls_max)]
        while numbers := await self.claiming.fetch(_CLAIM, self.begun_us, POSTGRES_BATCH):
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
        same = [[row[column]] * len(ids) for column in SETTLED]
        await self.settling.execute(_SETTLE, row["shard"], ids, *same)


_TYPES = ("bigint", "bigint", "bigint", "bigint", "text", "text", "bigint", "text")
_SETTLE = f"""
UPDATE cronicorn.schedule AS e
   SET {", ".join(f"{column} = d.{column}" for column in SETTLED)},
       {", ".join(f"{column} = NULL" for column in ENDED)}
  FROM unnest($2::text[], {", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_TYPES, 3))})
       AS d(endpoint_id, {", ".join(SETTLED)})
 WHERE e.shard = $1 AND e.endpoint_id = d.endpoint_id
"""
