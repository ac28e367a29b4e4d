"""A scheduler inside an application: its own store file, its own functions as endpoints.

    python examples/embedded.py jobs.db

`JOBS` is applied at every start: what is there already stays as it is. `http://app.internal/...` names functions of
this program; an endpoint with any other URL would be called over HTTP.
"""

import asyncio
import sys

from cronicorn.domain import Call
from cronicorn.wiring.embedded import embedded

JOBS = {
    "jobs": [
        {
            "name": "upkeep",
            "endpoints": [
                {"name": "clean-up", "url": "http://app.internal/clean-up", "baselineIntervalMs": 1_000},
                {"name": "report", "url": "http://app.internal/report", "baselineCron": "0 7 * * mon-fri"},
            ],
        }
    ]
}
RUNS = 2


async def main(store: str) -> None:
    """Run until the clean-up has run RUNS times and the report, asked for, once."""
    cleaned, reported = asyncio.Semaphore(0), asyncio.Event()

    async def clean_up(call: Call) -> object:
        cleaned.release()
        return {"removed": 3, "key": call.headers["Idempotency-Key"]}

    async def report(_call: Call) -> object:
        reported.set()
        return None

    handlers = {"http://app.internal/clean-up": clean_up, "http://app.internal/report": report}
    async with embedded(store, handlers) as cronicorn:
        control, me = cronicorn.control, cronicorn.principal
        await control.files.apply(me, JOBS)
        [(job, _)] = await control.jobs.list(me)
        endpoints = {view.endpoint.name: view.endpoint.id for view in await control.endpoints.list(me, job.id)}
        await control.requests.run_now(me, endpoints["report"])
        for _ in range(RUNS):
            await cleaned.acquire()
        await reported.wait()
        explanation = await control.schedules.explain(me, endpoints["report"])
        print(f"The report comes next at {explanation.current.plan.next_run_at}.")
    print(f"The clean-up ran {RUNS} times; the rest is in {store}.")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "jobs.db"))
