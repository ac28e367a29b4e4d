"""What comes in while a statement is on its way goes with the next one."""

import asyncio
from datetime import timedelta

import pytest

from cronicorn.adapters.postgres.batches import IN_FLIGHT_MAX, SIZE_MAX, Batches
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.domain.fixtures import a_run
from cronicorn.testing.contracts.stores import deciding
from tests.adapters.postgres.crowd import plant_crowd


class Statements:
    """Remembers what was written together; a statement ends when it is told to."""

    def __init__(self):
        self.written = []
        self.ends = asyncio.Event()
        self.batches = Batches(self.write, key=lambda item: item[0])

    async def write(self, items):
        self.written.append(list(items))
        await self.ends.wait()
        return [ValueError("poison") if item[1] == "poison" else item[1] for item in items]

    async def add_all(self, items):
        tasks = [asyncio.create_task(self.batches.add(item)) for item in items]
        for _ in range(5):
            await asyncio.sleep(0)
        return tasks


async def test_a_lone_item_waits_for_nobody():
    statements = Statements()

    (task,) = await statements.add_all([("a", 1)])
    statements.ends.set()

    assert await task == 1
    assert statements.written == [[("a", 1)]]


async def test_what_comes_in_meanwhile_goes_together_and_each_hears_its_own_result():
    statements = Statements()
    tasks = await statements.add_all([(str(number), number) for number in range(3 * SIZE_MAX)])
    assert len(statements.written) == IN_FLIGHT_MAX

    late = await statements.add_all([("late", "late")])
    statements.ends.set()

    assert await asyncio.gather(*tasks) == list(range(3 * SIZE_MAX))
    assert await asyncio.gather(*late) == ["late"]
    assert max(map(len, statements.written)) == SIZE_MAX
    assert len(statements.written) <= 5


async def test_two_items_with_the_same_key_never_go_together():
    statements = Statements()
    tasks = await statements.add_all([("x", 0), ("y", 1), *(("same", number) for number in range(2, 5)), ("z", 5)])
    statements.ends.set()

    assert await asyncio.gather(*tasks) == list(range(6))
    for batch in statements.written:
        assert len({key for key, _ in batch}) == len(batch)


async def test_an_item_that_fails_fails_alone():
    statements = Statements()
    tasks = await statements.add_all([("a", 1), ("b", "poison"), ("c", 3)])
    statements.ends.set()

    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert [answers[0], answers[2]] == [1, 3]
    assert isinstance(answers[1], ValueError)


async def test_a_caller_that_left_keeps_nobody_from_being_written():
    statements = Statements()
    busy = [task for number in range(IN_FLIGHT_MAX) for task in await statements.add_all([(number, 0)])]
    tasks = await statements.add_all([("a", 1), ("b", 2)])
    tasks[0].cancel()
    statements.ends.set()

    assert await tasks[1] == 2
    await asyncio.gather(*busy)
    assert ("a", 1) not in [item for batch in statements.written for item in batch]


async def test_what_breaks_a_statement_is_told_to_all_who_waited_for_it():
    async def broken(_):
        raise ZeroDivisionError

    batches = Batches(broken, key=lambda item: item)

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await batches.add("a")


async def test_what_is_settled_at_once_takes_few_statements(postgres_url):
    stores = await PostgresStores.open(postgres_url)
    await plant_crowd(stores.database, {"t1": 500})
    leases = await stores.job_store.claim_due(worker_id="w1", limit=500, ttl=timedelta(minutes=1))
    settler, sizes = stores.job_store._settler, list[int]()
    write = settler._write_together

    async def counted(batch):
        sizes.append(len(batch))
        return await write(batch)

    settler._write_together = counted  # type: ignore[method-assign]
    await asyncio.gather(*(settler.settle(lease, run := a_run(lease), deciding(lease, run)) for lease in leases))
    await stores.aclose()

    assert sum(sizes) == 500
    assert len(sizes) <= 5


async def test_whoever_adds_again_as_soon_as_both_writers_end_is_not_forgotten():
    go = asyncio.Event()

    async def write(items):
        await go.wait()
        return items

    batches = Batches(write, key=lambda item: item)

    async def twice(item):
        return [await batches.add(item), await batches.add(-item)]

    first = asyncio.create_task(twice(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(batches.add(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    go.set()

    async with asyncio.timeout(5):
        assert [*await asyncio.gather(first, second)] == [[1, -1], 2]
