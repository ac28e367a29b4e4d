"""Writing together in a file: what a process leaves that dies in the middle, and who waits for whom."""

import asyncio
import subprocess
import sys

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.fixtures import a_job
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import TENANT

DIES = """
import asyncio, os, sys
from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain.fixtures import a_job
from cronicorn.testing.clocks import VirtualClock

async def main():
    stores = await SqliteStores.open(sys.argv[1], VirtualClock())

    async def work(joined):
        await joined.jobs.add(a_job())
        assert await joined.jobs.list("t1")
        os._exit(9)

    await stores.together(work)

asyncio.run(main())
"""


async def test_a_process_that_dies_in_the_middle_leaves_nothing_and_no_lock(tmp_path):
    file = tmp_path / "store.db"
    stores = await SqliteStores.open(file, VirtualClock())

    ended = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", DIES, str(file)], check=False)
    found = await stores.jobs.list(TENANT)
    await stores.jobs.add(a_job())
    await stores.aclose()

    assert (ended.returncode, found) == (9, [])


async def test_others_of_the_same_process_write_before_or_after_it(tmp_path):
    stores = await SqliteStores.open(tmp_path / "store.db", VirtualClock())
    begun, order = asyncio.Event(), list[str]()

    async def work(joined):
        await joined.jobs.add(a_job(id="job1"))
        begun.set()
        assert await stores.jobs.list(TENANT) == []  # Others read what was there before.
        await joined.jobs.add(a_job(id="job2"))
        order.append("together")

    async def alone():
        await begun.wait()
        await stores.jobs.add(a_job(id="job3"))
        order.append("alone")

    await asyncio.gather(stores.together(work), alone())
    found = await stores.jobs.list(TENANT)
    await stores.aclose()

    assert order == ["together", "alone"]
    assert {job.id for job, _ in found} == {"job1", "job2", "job3"}


async def test_what_is_rehearsed_together_is_taken_back(tmp_path):
    stores = await SqliteStores.open(tmp_path / "store.db", VirtualClock())

    async def work(joined):
        await joined.jobs.add(a_job())
        return len(await joined.jobs.list(TENANT))

    seen = await stores.rehearsing().together(work)
    left = await stores.jobs.list(TENANT)
    await stores.aclose()

    assert (seen, left) == (1, [])
