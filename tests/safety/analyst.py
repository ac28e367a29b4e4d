"""A planner with a fake model on real HTTP, over stores in memory whose clock moves when told."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from cronicorn.adapters.ai.connecting import connected
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.adapters.memory.watches import MemoryWatchStore
from cronicorn.control.policies import Policies
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.compilation.ports import DraftMaker
from cronicorn.domain.endpoint import AnalysisSwitch, JobEndpoint
from cronicorn.domain.fixtures import a_run, an_outcome
from cronicorn.domain.hint import Author, Hint
from cronicorn.domain.quota.allowance import Allowance, Tiers
from cronicorn.domain.run import Run
from cronicorn.scheduler.ai import AIClient
from cronicorn.scheduler.analysing import AnalysisBounds
from cronicorn.scheduler.compiling import Compiler
from cronicorn.scheduler.drafting import Drafting, Records
from cronicorn.scheduler.planner import ModelPlanner, PlannerPorts, PlannerSettings
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import CRON, TENANT, claim, deciding, endpoint_of, plant
from tests.servers.model import Answer, FakeModel, calls, fake_model

MINUTE = timedelta(minutes=1)
ON = AnalysisSwitch(enabled=True, cooldown=timedelta(minutes=5))
LIMIT = 100_000
LOOK = calls(("get_latest_response", {}))


def submits(*staged: tuple[str, object], reasoning: str = "Looked.") -> Answer:
    """An answer that stages and ends."""
    return calls(*staged, ("submit_analysis", {"reasoning": reasoning, "confidence": 0.9}))


@dataclass(slots=True)
class Analyst:
    """What a test drives and looks at."""

    clock: VirtualClock
    stores: MemoryStores
    watches: MemoryWatchStore
    quota: MemoryQuota
    model: FakeModel
    client: AIClient
    bounds: AnalysisBounds = field(default_factory=AnalysisBounds)
    ids: Any = field(default_factory=count)

    def planner(self, *, parallel: int = 8, drafts: DraftMaker | None = None) -> ModelPlanner:
        """A planner; several share the stores."""
        ports = PlannerPorts(
            watches=self.watches,
            endpoints=self.stores.endpoints,
            history=self.stores.runs,
            quota=self.quota,
            client=self.client,
            drafts=drafts or self.drafts(),
        )
        settings = PlannerSettings(model="fake-1", bounds=self.bounds, parallel=parallel)
        return ModelPlanner(ports, settings, self.clock, CRON, lambda kind: f"{kind}_{next(self.ids)}")

    def drafts(self) -> DraftMaker:
        """Compiles descriptions with the same model, inside the same quota."""
        stores = self.stores
        policies = Policies(stores.endpoints, stores.runs, CRON)
        records = Records(endpoints=stores.endpoints, runs=stores.runs, drafts=stores.drafts, backtester=policies)
        compiler = Compiler(self.client, self.quota, "fake-1")
        return Drafting(records, compiler, CRON, lambda kind: f"{kind}_{next(self.ids)}", lambda: None)

    async def watch(self, *ids: str, **changes: object) -> None:
        """Add endpoints whose analysis is on, and begin to watch them."""
        await plant(self.stores, *ids, **{"analysis": ON, **changes})
        await self.watches.claim_due(claim_id="first", limit=1_000, ttl=timedelta(microseconds=1))
        self.clock.advance(timedelta(seconds=1))

    async def answer(self, body: object, times: int = 1, **changes: object) -> list[Run]:
        """Let what is due run, *times* over, with *body* as the answer."""
        text = body if isinstance(body, str) else json.dumps(body)
        values: dict[str, Any] = {"body": text, "body_is_json": True, **changes}
        outcome = an_outcome(**values)
        runs = []
        for _ in range(times):
            self.clock.advance(MINUTE)
            for lease in await claim(self.stores, limit=1_000):
                run = a_run(lease, outcome)
                await self.stores.job_store.settle(lease, run, deciding(lease, run))
                runs.append(run)
        return runs

    async def asked(self, endpoint_id: str = "ep1") -> None:
        """Somebody asks for an analysis, and a planner looks."""
        await self.watches.request(TENANT, endpoint_id, "alice")
        await self.planner().look_once()

    async def analyses(self, endpoint_id: str = "ep1") -> tuple[Analysis, ...]:
        return (await self.watches.list(TENANT, endpoint_id, limit=100)).analyses

    async def endpoint(self, endpoint_id: str = "ep1") -> JobEndpoint:
        return await endpoint_of(self.stores, endpoint_id)

    async def hints(self, endpoint_id: str = "ep1") -> list[Hint]:
        """The model's hints."""
        return [hint for hint in (await self.endpoint(endpoint_id)).state.hints if hint.author is Author.MODEL]

    async def used(self) -> tuple[int, int]:
        """Tokens used and reserved."""
        view = await self.quota.remaining(TENANT)
        return view.used, view.reserved

    @property
    def seen(self) -> str:
        """All that was ever sent to the model."""
        return json.dumps([each.body["messages"] for each in self.model.asked], ensure_ascii=False)


@asynccontextmanager
async def an_analyst(*script: Any, limit: int = LIMIT) -> AsyncIterator[Analyst]:
    """An analyst whose model answers *script*."""
    clock = VirtualClock()
    database = MemoryDatabase(clock)
    quota = MemoryQuota(database, Tiers(allowances={"all": Allowance(limit=limit)}, default="all"))
    with fake_model(*script) as model:
        async with connected("openai:fake-1", base_url=model.url, api_key="sk-test") as client:
            yield Analyst(clock, MemoryStores.over(database), MemoryWatchStore(database), quota, model, client)
