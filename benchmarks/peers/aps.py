"""APScheduler 3: one interval job for each URL, all due at once, in PostgreSQL, called by coroutines on uvloop.

It keeps no record of runs, only when each job runs next.
"""

import asyncio
from datetime import UTC, datetime

import aiohttp
import uvloop
from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from benchmarks.peers.entrant import Order, done, ordered, ready

CALLS_MAX = 100


class Sessions:
    """Jobs are stored by the name of their function, so what it needs is found here."""

    client: aiohttp.ClientSession


async def call(url: str) -> str:
    async with Sessions.client.get(url) as response:
        response.raise_for_status()
        return await response.text()


async def work(order: Order) -> None:
    left, all_done = order.slots, asyncio.Event()

    def executed(_event: object) -> None:
        nonlocal left
        left -= 1
        if not left:
            all_done.set()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CALLS_MAX)) as Sessions.client:
        store = SQLAlchemyJobStore(url=order.store.replace("postgresql://", "postgresql+psycopg://"))
        scheduler = AsyncIOScheduler(jobstores={"default": store}, timezone=UTC)
        scheduler.add_listener(executed, EVENT_JOB_EXECUTED)
        scheduler.start(paused=True)
        for url in order.urls:
            scheduler.add_job(
                call, "interval", days=1, args=[url], next_run_time=datetime.now(UTC),
                misfire_grace_time=None, coalesce=True,
            )  # fmt: skip
        ready()
        scheduler.resume()
        await all_done.wait()
        done()
        scheduler.shutdown(wait=False)


if __name__ == "__main__":
    uvloop.run(work(ordered()))
