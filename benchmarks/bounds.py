"""Bounds of a drain: the same calls by the same client and equal rows in the same tables, without the product.

They claim what is due, but plan nothing, check no fence and know no skip. What they write is as long, column by column,
as what the product left in a store of its own. Endpoints are at hand as values; making the call of each is part of the
work.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import uvloop

from benchmarks.draining import Drain, fill, left_by_the_product
from benchmarks.planting import due_now
from benchmarks.stopwatch import Drained, Stopwatch, last_of
from benchmarks.world import curl, rows_of
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.domain.call import Outcome
from cronicorn.domain.cells import Cell, number_in
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fields import length_us
from cronicorn.domain.outgoing import call_for
from cronicorn.domain.ports import Dispatcher
from cronicorn.wiring.collector import collect_rarely
from cronicorn.wiring.database_url import parse_database_url

SQLITE_BATCH = 100
_OF_THE_RUN = ("endpoint_number", "started_us", "finished_us", "duration_us", "body")
"""Columns of `runs` that differ from run to run in a bound; the rest is as the product left it once."""
SETTLED = ("due_us", "slot", "attempt", "manual_slot", "state", "done_claim_id", "done_fence", "done")
"""What a settlement changes in `schedule`, besides ending the lease."""
ENDED = ("claim_id", "worker_id", "mechanism", "claimed_us", "leased_slot", "leased_attempt", "leased_manual",
         "lease_until_us", "takeover_us")  # fmt: skip
"""What ending the lease makes null there."""
_CLAIM = """
UPDATE schedule
   SET fence = fence + 1, claim_id = 'c' || endpoint_number, worker_id = 'bound', mechanism = 'lease',
       claimed_us = :now_us, leased_slot = slot, leased_attempt = attempt, leased_manual = 0,
       lease_until_us = :now_us + 30000000, takeover_us = :now_us + 30000000
 WHERE endpoint_number IN (SELECT endpoint_number FROM schedule WHERE claim_id IS NULL AND due_us <= :now_us
                            ORDER BY due_us, endpoint_number LIMIT :limit)
RETURNING endpoint_number, state, (SELECT document FROM endpoints WHERE number = endpoint_number)
"""

Answer = tuple[int, Outcome]
"""The number of an endpoint, and how its call ended."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rows as the product leaves them."""

    run: Mapping[str, Cell]
    schedule: Mapping[str, Cell]

    @classmethod
    def of_product(cls, database: str, target: str, rounds: int = 1) -> "Pattern":
        """What the product leaves in an empty *database* when an endpoint has come due so often."""
        return cls(*left_by_the_product(Drain(database=database, target=target, slots=1, rounds=rounds)))

    def before(self, rounds: int, begun_us: int) -> "Pattern":
        """The same so many *rounds* earlier, in one that began then: of an earlier slot, and due again after that."""
        run = {**self.run, "slot": number_in(self.run["slot"]) - rounds}
        return Pattern(run, {**self.schedule, "due_us": begun_us + 1})

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
    collect_rarely(order.calls_max)
    return uvloop.run(_calls_only(order))


def sqlite_bound(order: Drain, pattern: Pattern) -> Drained:
    """Claims of 100 in one statement; one INSERT and one UPDATE for each call, in transactions of 100."""
    uvloop.run(fill(order))
    return uvloop.run(_sqlite_bound(order, pattern))


async def _calls_only(order: Drain) -> Drained:
    def forget(answers: list[Answer]) -> None:
        assert all(outcome.status_code == 200 for _, outcome in answers)
        answers.clear()

    endpoints = list(enumerate(due_now(order.slots, order.target), 1))
    measured = []
    async with curl(order.calls_max) as dispatcher:
        for _ in range(order.rounds):
            watch = await Stopwatch.begun()
            await _call_all(dispatcher, iter(endpoints), order.calls_max, forget)
            measured.append(await watch.stopped(order.slots))
    return last_of(measured)


async def _sqlite_bound(order: Drain, pattern: Pattern) -> Drained:
    file = SqliteFile(path=parse_database_url(order.database).file)
    connection = file.connect()
    places = ", ".join("?" * len(pattern.columns))
    insert = f"INSERT INTO runs ({', '.join(pattern.columns)}) VALUES ({places})"
    settled = ", ".join([*(f"{column} = ?" for column in SETTLED), *(f"{column} = NULL" for column in ENDED)])
    update = f"UPDATE schedule SET {settled} WHERE endpoint_number = ?"

    def writing(left: Pattern) -> Callable[[list[Answer]], None]:
        constants = tuple(left.schedule[column] for column in SETTLED)

        def write(answers: list[Answer]) -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(insert, left.runs(answers))
            connection.executemany(update, [(*constants, number) for number, _ in answers])
            connection.execute("COMMIT")
            answers.clear()

        return write

    def claimed(begun_us: int) -> Iterator[tuple[int, JobEndpoint]]:
        while rows := connection.execute(_CLAIM, {"now_us": begun_us, "limit": SQLITE_BATCH}).fetchall():
            for number, _, _ in rows:
                yield number, endpoints[number - 1]

    measured, endpoints = [], list(due_now(order.slots, order.target))
    async with rows_of(order.database) as rows, curl(order.calls_max) as dispatcher:
        for more in reversed(range(order.rounds)):
            begun_us = time.time_ns() // 1_000
            write = writing(pattern.before(more, begun_us))
            watch = await Stopwatch.begun(rows)
            await _call_all(dispatcher, claimed(begun_us), order.calls_max, write)
            measured.append(await watch.stopped(order.slots))
    connection.close()
    await check(order, pattern)
    return last_of(measured)


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


async def check(order: Drain, pattern: Pattern) -> None:
    """What was written is as much, and as wide, as what the product writes."""
    async with rows_of(order.database) as rows:
        assert await rows.successes() == order.slots * order.rounds
        assert _shape(await rows.run()) == _shape(pattern.run)
        assert _shape(await rows.schedule()) == _shape(pattern.schedule)


def _shape(row: Mapping[str, Cell]) -> dict[str, int | bool]:
    """How long each text is, and what is null; but for the endpoint's own id."""
    cells = ((column, cell) for column, cell in row.items() if column != "endpoint_id")
    return {column: len(cell) if isinstance(cell, str | bytes) else cell is None for column, cell in cells}
