"""One thread writes, what waits is committed together, and nobody suffers for another's mistake."""

import asyncio
import sqlite3
import threading
from datetime import timedelta
from functools import partial

import pytest

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.adapters.sqlite.turn import Turn
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import MINUTE, claim, plant
from tests.adapters.sqlite.empty_database import copy_to
from tests.waiting import eventually, eventually_async


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def database(tmp_path, clock):
    database = await SqliteDatabase.open(copy_to(tmp_path / "cronicorn.db"), clock)
    yield database
    await database.aclose()


class Gate:
    """Work that keeps the writer until it is opened."""

    def __init__(self):
        self.entered = threading.Event()
        self.open = threading.Event()

    def work(self, transaction):
        self.entered.set()
        assert self.open.wait(10)
        return "passed"


def _adding(name):
    def work(transaction):
        transaction.connection.execute("INSERT INTO tenants (id, name, created_us) VALUES (?, ?, 0)", (name, name))
        return name

    return work


async def _names(database):
    rows = await database.read(
        lambda transaction: transaction.connection.execute("SELECT id FROM tenants ORDER BY id").fetchall()
    )
    return [name for (name,) in rows]


async def _handed_over():
    """Let what was asked for be asked, and at the end of that turn be handed to the thread."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def _held_up(database, *works):
    """Let *works* wait behind a closed gate, so that they are done together."""
    gate = Gate()
    first = asyncio.create_task(database.write(gate.work))
    await eventually_async(gate.entered.is_set)
    waiting = [asyncio.create_task(database.write(work)) for work in works]
    await _handed_over()
    gate.open.set()
    await first
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_what_waits_together_is_committed_together(database):
    statements: list[str] = []
    await database.write(lambda transaction: transaction.connection.set_trace_callback(statements.append))
    statements.clear()

    answers = await _held_up(database, *(_adding(f"tenant{number:02}") for number in range(50)))

    assert answers == [f"tenant{number:02}" for number in range(50)]
    assert statements.count("COMMIT") == 1
    await database.write(lambda transaction: transaction.connection.set_trace_callback(None))


async def test_work_that_fails_leaves_no_trace_and_touches_no_other(database):
    def failing(transaction):
        _adding("half")(transaction)
        raise ZeroDivisionError("a bug")

    answers = await _held_up(database, _adding("a"), failing, _adding("b"))

    assert [type(answer) for answer in answers] == [str, ZeroDivisionError, str]
    assert await _names(database) == ["a", "b"]


async def test_work_that_breaks_the_whole_transaction_is_found_out_and_the_rest_done_again(database):
    def breaking(transaction):
        transaction.connection.execute("INSERT OR ROLLBACK INTO tenants (id, name, created_us) VALUES ('a', 'a', 0)")

    answers = await _held_up(database, _adding("a"), _adding("b"), breaking, _adding("c"))

    assert [type(answer) for answer in answers] == [str, str, sqlite3.IntegrityError, str]
    assert await _names(database) == ["a", "b", "c"]


async def test_a_caller_hears_of_its_result_only_after_the_commit(database):
    await database.write(_adding("a"))
    connection = database.file.connect(writes=False)

    found = connection.execute("SELECT id FROM tenants").fetchall()

    connection.close()
    assert found == [("a",)]


async def test_the_time_is_read_after_the_wait(database, clock):
    gate = Gate()
    first = asyncio.create_task(database.write(gate.work))
    await eventually_async(gate.entered.is_set)
    second = asyncio.create_task(database.write(lambda transaction: transaction.now))
    await _handed_over()
    clock.advance(MINUTE)
    gate.open.set()
    await first

    assert await second == MIDNIGHT + MINUTE


async def test_work_whose_caller_left_before_it_began_is_not_done(database):
    gate = Gate()
    first = asyncio.create_task(database.write(gate.work))
    await eventually_async(gate.entered.is_set)
    leaving = asyncio.create_task(database.write(_adding("a")))
    await _handed_over()
    leaving.cancel()
    await asyncio.sleep(0)
    gate.open.set()
    await first

    assert await _names(database) == []


async def test_work_whose_caller_left_too_late_is_undone(database):
    gate, undone = Gate(), []
    leaving = asyncio.create_task(database.write(gate.work, undo=lambda transaction, result: undone.append(result)))
    await eventually_async(gate.entered.is_set)
    leaving.cancel()
    await asyncio.sleep(0)
    gate.open.set()

    await eventually_async(lambda: undone == ["passed"])


async def test_a_claim_whose_caller_left_is_abandoned(tmp_path, clock):
    stores = await SqliteStores.open(copy_to(tmp_path / "claims.db"), clock)
    await plant(stores)
    clock.advance(MINUTE)
    gate = Gate()

    def claim_slowly(transaction):
        leases = stores.job_store._claim(transaction, "w1", 1, timedelta(hours=1), None)
        gate.work(transaction)
        return leases

    leaving = asyncio.create_task(stores.database.write(claim_slowly, undo=stores.job_store._abandon))
    await eventually_async(gate.entered.is_set)
    leaving.cancel()
    await asyncio.sleep(0)
    gate.open.set()
    await stores.health.ping()
    await stores.health.ping()

    assert len(await claim(stores)) == 1
    await stores.aclose()


async def test_closing_finishes_what_waits_and_may_be_repeated(database):
    gate = Gate()
    first = asyncio.create_task(database.write(gate.work))
    await eventually_async(gate.entered.is_set)
    second = asyncio.create_task(database.write(_adding("a")))
    closing = asyncio.create_task(database.aclose())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gate.open.set()
    await closing
    await database.aclose()

    assert [await first, await second] == ["passed", "a"]
    with pytest.raises(UnavailableError):
        await database.write(_adding("b"))


async def test_the_heartbeat_gets_its_turn_while_the_writer_is_busy(database):
    order = []

    def slow(transaction):
        order.append("write")

    def renewing(transaction):
        order.append("renew")

    async def keep_writing():
        while "renew" not in order:
            await asyncio.gather(*(database.write(slow) for _ in range(20)))

    await asyncio.wait_for(asyncio.gather(keep_writing(), asyncio.to_thread(database.write_here, renewing)), timeout=10)

    assert "renew" in order


def _has_asked(turn, ticket):
    return turn._next_ticket == ticket + 1


def test_turns_are_taken_in_the_order_in_which_they_were_asked_for():
    turn, order = Turn(), []

    def take(number):
        with turn:
            order.append(number)

    with turn:
        threads = []
        for number in range(5):
            thread = threading.Thread(target=take, args=(number,))
            thread.start()
            threads.append(thread)
            eventually(partial(_has_asked, turn, number + 1))
    for thread in threads:
        thread.join()

    assert order == list(range(5))
