"""taskiq on Redis: one worker, 100 tasks at once, on uvloop and aiohttp; results are kept in Redis."""

import asyncio

import aiohttp
import redis.asyncio
import uvloop
from taskiq.api import run_receiver_task
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

from benchmarks.peers.entrant import Order, done, ordered, ready

CALLS_MAX = 100
_LOOK_EVERY_S = 0.02


async def work(order: Order) -> None:
    results_url = order.store.removesuffix("/0") + "/1"
    broker = ListQueueBroker(order.store).with_result_backend(RedisAsyncResultBackend(results_url))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CALLS_MAX)) as client:

        @broker.task(task_name="call")
        async def call(url: str) -> str:
            async with client.get(url) as response:
                response.raise_for_status()
                return await response.text()

        await broker.startup()
        results = redis.asyncio.from_url(results_url)
        for url in order.urls:
            await call.kiq(url)
        ready()
        worker = asyncio.create_task(
            run_receiver_task(broker, max_async_tasks=CALLS_MAX, max_prefetch=CALLS_MAX, sync_workers=1)
        )
        while await results.dbsize() < order.slots:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(_LOOK_EVERY_S)
        done()
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


if __name__ == "__main__":
    uvloop.run(work(ordered()))
