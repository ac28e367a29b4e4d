"""Procrastinate: one worker, 100 jobs at once, on uvloop and aiohttp. Finished jobs are kept with their status."""

import aiohttp
import uvloop
from procrastinate import App, PsycopgConnector

from benchmarks.peers.entrant import Order, done, ordered, ready

CALLS_MAX = 100


async def work(order: Order) -> None:
    app = App(connector=PsycopgConnector(conninfo=order.store, min_size=20, max_size=20))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CALLS_MAX)) as client, app.open_async():

        @app.task(name="call")
        async def call(url: str) -> None:
            async with client.get(url) as response:
                response.raise_for_status()
                await response.text()

        await app.schema_manager.apply_schema_async()
        await call.batch_defer_async(*({"url": url} for url in order.urls))
        await app.connector.execute_query_async("ANALYZE procrastinate_jobs")
        ready()
        await app.run_worker_async(concurrency=CALLS_MAX, wait=False, install_signal_handlers=False)
        done()


if __name__ == "__main__":
    uvloop.run(work(ordered()))
