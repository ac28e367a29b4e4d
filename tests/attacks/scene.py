"""A database, a model on real HTTP and planners in processes of their own, which tests kill and freeze."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from pydantic_ai.providers import openai, openai_compatible

from cronicorn.adapters.ai import openai_model
from cronicorn.adapters.postgres.archive import PostgresArchive
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.stores import PostgresStores
from cronicorn.control.verification import Verifier
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.archive import Table
from cronicorn.domain.cells import Row, number_in
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.hint import Author, Hint
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.tenant import ApiKey, Tenant
from cronicorn.domain.verification import Findings
from cronicorn.scheduler.planner import PlannerSettings
from cronicorn.testing.contracts.archives import contents
from cronicorn.testing.contracts.stores import CRON, MINUTE, TENANT, endpoint_of
from tests.attacks import planner_process
from tests.attacks.file_clock import FileClock
from tests.attacks.planner_process import KEY
from tests.servers.model import USAGE, Asked, FakeModel

CLAIM_TTL = PlannerSettings(model="fake-1").claim_ttl
CALL_TOKENS = USAGE["total_tokens"]
"""What the model bills for each answer."""

SERVER = get_context("forkserver")
SERVER.set_forkserver_preload(
    [planner_process.__name__, openai.__name__, openai_compatible.__name__, openai_model.__name__]
)
"""Imports what planners need once for all of them, also the library of their model, which a planner imports late."""


@dataclass(slots=True)
class Scene:
    """What a test drives and looks at."""

    url: str
    stores: PostgresStores
    clock: FileClock
    model: FakeModel
    folder: Path
    planners: list[ForkServerProcess] = field(default_factory=list)
    orders: list[dict[str, str]] = field(default_factory=list)
    """What each of them was told."""

    def planner(self, way: str, **more: str) -> ForkServerProcess:
        """A planner; see `planner_process`."""
        places = {"url": self.url, "model": self.model.url, "clock": str(self.folder / "clock")}
        order = {**places, "way": way, **more}
        process = SERVER.Process(target=planner_process.run, args=(order, str(self._log(len(self.planners)))))
        process.start()
        self.planners.append(process)
        self.orders.append(order)
        return process

    def told(self, planner: ForkServerProcess) -> list[str]:
        """What a planner has logged."""
        log = self._log(self.planners.index(planner))
        return log.read_text().splitlines() if log.exists() else []

    def _log(self, number: int) -> Path:
        return self.folder / f"log{number}"

    def replace(self, victim: ForkServerProcess) -> None:
        """Kill *victim*, and start another in its place."""
        victim.kill()
        victim.join()
        self.planner(**self.orders[self.planners.index(victim)])

    async def asked_for(self, endpoint_id: str) -> None:
        """Somebody asks for an analysis, unless it is switched off."""
        with suppress(ConflictError):
            await self.stores.watches.request(TENANT, endpoint_id, "alice")

    def end(self) -> None:
        """Kill what still runs."""
        for planner in self.planners:
            planner.kill()
            planner.join()

    def drain(self) -> None:
        """Once all claims and grants have run out, look at all that is due."""
        self.clock.advance(CLAIM_TTL + MINUTE)
        healthy = self.planner(planner_process.DRAIN)
        healthy.join(60)
        assert healthy.exitcode == 0, self.told(healthy)

    async def analyses(self, endpoint_id: str) -> tuple[Analysis, ...]:
        return (await self.stores.watches.list(TENANT, endpoint_id, limit=100)).analyses

    async def hints(self, endpoint_id: str) -> list[Hint]:
        """The model's hints."""
        endpoint = await endpoint_of(self.stores, endpoint_id)
        return [hint for hint in endpoint.state.hints if hint.author is Author.MODEL]

    async def books(self) -> list[tuple[int, int]]:
        """Tokens used and reserved, by window, once what has expired is charged."""
        archive = PostgresArchive(self.url, PostgresOptions(), self.clock)
        rows = (await contents(archive, [Table.QUOTA_BOOKS]))[Table.QUOTA_BOOKS]
        return [tokens_in(row) for row in rows]

    async def verified(self) -> Findings:
        """What a verification says, no worker running."""
        verifier = Verifier(
            clock=self.clock, cron=CRON, retention=timedelta(days=30), wait_max=timedelta(days=1), stopped=True
        )
        return await verifier.verify(PostgresArchive(self.url, PostgresOptions(), self.clock))

    async def prepare(self) -> None:
        """The tenant."""
        key = ApiKey(hash="h", id="k1", tenant_id=TENANT, prefix="ck_", created_at=MIDNIGHT)
        await self.stores.keys.add_tenant(Tenant(id=TENANT, name="first", created_at=MIDNIGHT), key)


def tokens_in(book: Row) -> tuple[int, int]:
    """Tokens used and reserved in a row of `quota_books`."""
    used, reserved = (sum(number_in(book[f"{budget}_{what}"]) for budget in Budget) for what in ("used", "reserved"))
    return used, reserved


def sender(asked: Asked) -> int:
    """The number of the process that asked."""
    return int(asked.headers["authorization"].removeprefix(f"Bearer {KEY}"))


def number_of(planner: ForkServerProcess) -> int:
    """The number of its process."""
    assert planner.pid is not None
    return planner.pid


def signalled(planner: ForkServerProcess, how: signal.Signals) -> None:
    """Send *how*."""
    os.kill(number_of(planner), how)


def died(planner: ForkServerProcess) -> bool:
    """Whether *planner* ends by kill -9, for which is waited."""
    planner.join(60)
    return planner.exitcode == -signal.SIGKILL


def faults(findings: Findings) -> dict[str, list[str]]:
    """What a verification found."""
    return {check.value: tally.examples for check, tally in findings.tallies.items() if tally.found}
