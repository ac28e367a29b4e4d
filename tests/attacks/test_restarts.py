"""A database that restarts, and planners that hang, freeze and die, beside a scheduler: no run is lost, none waits."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.control.document import EndpointDocument, JobDocument
from cronicorn.domain.archive import Table
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.principal import Principal
from cronicorn.testing.contracts.archives import contents
from cronicorn.wiring.engine import Engine, engine
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.verification import verified
from tests.attacks import planner_process
from tests.attacks.planner_process import LIMIT, LOOP
from tests.attacks.scene import CALL_TOKENS, SERVER, faults, number_of, sender, signalled, tokens_in
from tests.safety.analyst import submits
from tests.servers.model import Answer, Asked, fake_model
from tests.servers.postgres import StopMode, restartable_server
from tests.waiting import eventually_async, eventually_awaited
from tests.wiring.target import Target, target

FLEET = 6
SHORT = {"LEASE_TTL": "6s", "RENEW_INTERVAL": "1s", "LEASE_MARGIN": "1s", "POLL_INTERVAL": "200ms"}
ENDPOINT = {"baselineIntervalMs": 1_000, "analysis": True}


@asynccontextmanager
async def working(url: str, shop: Target) -> AsyncIterator[tuple[Engine, Principal, list[str]]]:
    """A scheduler at work on endpoints that *shop* answers; who owns them, and their ids."""
    given = {"DATABASE_URL": url, "EGRESS_ALLOW": "127.0.0.0/8", **SHORT}
    settings = Settings.from_env({f"CRONICORN_{name}": value for name, value in given.items()})
    async with engine(settings) as parts:
        await parts.control.tenants.bootstrap("a-key-for-tests-only")
        (tenant,) = await parts.stores.keys.tenants()
        owner = Principal(tenant_id=tenant.id, actor="test", permissions=EVERYTHING)
        job = await parts.control.jobs.create(owner, JobDocument(name="shop"))
        documents = [
            EndpointDocument.model_validate({"name": f"ep{number}", "url": f"{shop.url}/{number}", **ENDPOINT})
            for number in range(FLEET)
        ]
        views = [await parts.control.endpoints.create(owner, job.id, document) for document in documents]
        assert parts.scheduler is not None
        scheduling = asyncio.create_task(parts.scheduler.run())
        yield parts, owner, [view.endpoint.id for view in views]
        scheduling.cancel()
        await asyncio.gather(scheduling, return_exceptions=True)


async def test_a_database_that_restarts_among_planners_loses_no_run_and_no_token(tmp_path: Path) -> None:
    hangs, ends = threading.Event(), threading.Event()
    hanging: list[int] = []

    def answer(asked: Asked) -> Answer:
        if not hangs.is_set():
            hanging.append(sender(asked))
            hangs.set()
            ends.wait(60)
        return submits(("propose_interval", {"interval_s": 2, "reason": "why"}))

    with restartable_server() as server, target() as shop, fake_model(answer) as model:
        async with working(server.url(), shop) as (parts, owner, ids):
            cut_short, later = ids[: FLEET // 2], ids[FLEET // 2 :]
            order = {"url": server.url(), "model": model.url, "way": LOOP}
            planners = [
                SERVER.Process(target=planner_process.run, args=(order, str(tmp_path / f"log{number}")))
                for number in range(3)
            ]
            for planner in planners:
                planner.start()
            try:
                await _ask_for(parts, owner, ids)
                await eventually_async(hangs.is_set, within_s=60)
                signalled(planners[0], signal.SIGSTOP)
                await _runs_go_on(shop)
                signalled(planners[0], signal.SIGCONT)
                await _analysed(parts, owner, ids, FLEET - 1)
                for how in (StopMode.FAST, StopMode.IMMEDIATE):
                    await _ask_for(parts, owner, cut_short)
                    await asyncio.to_thread(server.stop, how)
                    await asyncio.to_thread(server.start)
                    await _runs_go_on(shop)
                    heard, made = len(model.asked), await _made(parts, owner, later)
                    await _ask_for(parts, owner, later)
                    await _analysed(parts, owner, later, sum(made) + len(later) - 1)
                    assert len(model.asked) > heard
                killed = next(number for number in range(3) if number_of(planners[number]) not in hanging)
                planners[killed].kill()
                ends.set()
                await _runs_go_on(shop)
                await eventually_awaited(lambda: _all_made(parts, owner, ids), within_s=150)
                said = [(tmp_path / f"log{number}").read_text() for number in range(3) if number != killed]
            finally:
                ends.set()
                for planner in planners:
                    planner.kill()
                    planner.join()
            found = faults(await verified(parts.settings, stopped=False))
            rows = await contents(PostgresArchive(server.url(), PostgresOptions()), [Table.QUOTA_BOOKS])

        asked = len(model.asked) * CALL_TOKENS
        assert found == {}
        assert asked <= sum(sum(tokens_in(book)) for book in rows[Table.QUOTA_BOOKS]) <= LIMIT
        assert all("Traceback" not in each for each in said), said


async def _ask_for(parts: Engine, owner: Principal, ids: list[str]) -> None:
    for endpoint_id in ids:
        await parts.control.analyses.request(owner, endpoint_id)


async def _made(parts: Engine, owner: Principal, ids: list[str]) -> list[int]:
    """How many analyses of each endpoint the model has ended."""
    pages = [await parts.stores.watches.list(owner.tenant_id, each, limit=100) for each in ids]
    return [sum(each.error is None and each.denied is None for each in page.analyses) for page in pages]


async def _all_made(parts: Engine, owner: Principal, ids: list[str]) -> bool:
    return all(await _made(parts, owner, ids))


async def _analysed(parts: Engine, owner: Principal, ids: list[str], total: int) -> None:
    """Wait until there are so many analyses of *ids* together: one endpoint may be the one whose model hangs."""

    async def enough() -> bool:
        return sum(await _made(parts, owner, ids)) >= total

    await eventually_awaited(enough, within_s=60)


async def _runs_go_on(shop: Target) -> None:
    """Wait until all endpoints together were called as often again as they have slots in two seconds."""
    begun = len(shop.keys)
    await eventually_async(lambda: len(shop.keys) >= begun + 2 * FLEET, within_s=60)
