"""A compiler with a fake model behind the real adapter, over stores in memory with recorded answers."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cronicorn.adapters.ai.connecting import connected
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.adapters.memory.stores import MemoryStores
from cronicorn.control.drafts import PolicyDrafts
from cronicorn.control.policies import Policies
from cronicorn.domain.call import Outcome
from cronicorn.domain.compilation.draft import CompileReason
from cronicorn.domain.editing import edited
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.permission import EVERYTHING, Operation
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.allowance import Allowance, Budget, Tiers
from cronicorn.domain.quota.decision import QuotaView
from cronicorn.domain.signals.signal import Adapt, Signals
from cronicorn.scheduler.compiling import Compiler
from cronicorn.scheduler.drafting import Drafting, Records
from cronicorn.testing.clocks import VirtualClock
from cronicorn.testing.contracts.stores import CRON, TENANT, endpoint_of, plant, run_once
from tests.servers.model import Answer, Asked, FakeModel, calls, fake_model

ANN = Principal(tenant_id=TENANT, actor="ann", permissions=EVERYTHING, operation=Operation.DRAFT_MAKE)
DESCRIPTION = "Check every 15 s while the error rate is above 5 percent, until it is below 2."
SURGE: dict[str, Any] = {
    "fields": [{"name": "err", "path": "$.error_rate_pct", "type": "number"}],
    "rules": [{"id": "surge", "when": "err > 5", "until": "err < 2", "action": {"interval": "15s"}}],
    "tests": [
        {"given": {"err": 8}, "expect": {"interval": "15s"}},
        {"given": {"err": 1}, "expect": {"interval": "baseline"}},
    ],
    "unsupported": [],
}
STEADY = {"error_rate_pct": 1.5, "status": "ok"}
HIGH = {"error_rate_pct": 8.5, "status": "degraded"}
NOTHING: dict[str, Any] = {"fields": [], "rules": [], "tests": [], "unsupported": ["Nothing can be said."]}


def writes(arguments: Mapping[str, Any], **more: Any) -> Answer:
    """A model that hands in a draft."""
    return calls(("write_policy", arguments), **more)


def answering(body: object, **headers: str) -> Outcome:
    """A JSON answer."""
    return an_outcome(body=json.dumps(body), body_is_json=True, headers=tuple(headers.items()))


@dataclass(slots=True)
class Workshop:
    """What a test needs."""

    model: FakeModel
    stores: MemoryStores
    clock: VirtualClock
    quota: MemoryQuota
    drafting: Drafting
    drafts: PolicyDrafts
    allowances: dict[str, Allowance]

    def allow(self, limit: int) -> None:
        """Give every tenant so many tokens from now on."""
        self.allowances["free-tier"] = Allowance(limit=limit)

    async def endpoint(self, **changes: object) -> JobEndpoint:
        """A described endpoint that runs each minute, 5 s apart at least, whatever its answers say by themselves."""
        usual = {
            "description": DESCRIPTION,
            "interval_min": timedelta(seconds=5),
            "signals": Signals(adapt=Adapt.OFF),
        }
        await plant(self.stores, "ep1", **(usual | changes))
        return await endpoint_of(self.stores)

    async def described(self, description: str) -> None:
        """Change its description, as a person does."""
        await self.stores.endpoints.change(
            TENANT,
            "ep1",
            lambda endpoint, _, stored: edited(endpoint, replace(endpoint, description=description), stored, CRON),
        )

    async def answered(self, *bodies: object, times: int = 1) -> None:
        """Let the endpoint run and be answered *bodies* one after another, so many *times* over."""
        for _ in range(times):
            for body in bodies:
                outcome = body if isinstance(body, Outcome) else answering(body)
                await run_once(self.stores, self.clock, outcome=outcome)

    async def seen_a_surge(self) -> None:
        """Let it run for an hour and a half, with ten minutes of errors in it."""
        await self.answered(STEADY, times=50)
        await self.answered(HIGH, times=10)
        await self.answered(STEADY, times=30)

    async def made(self, reason: CompileReason = CompileReason.ASKED) -> Any:
        return await self.drafting.make(ANN, "ep1", reason)

    async def spent(self) -> QuotaView:
        return await self.quota.remaining(TENANT)

    def heard(self) -> str:
        """All that the model was ever told, as it came over the wire."""
        return "\n".join(json.dumps(asked.body, ensure_ascii=False) for asked in self.model.asked)


@asynccontextmanager
async def a_workshop(*script: Answer | Callable[[Asked], Answer], limit: int = 100_000) -> AsyncIterator[Workshop]:
    """A workshop whose model answers *script*."""
    clock = VirtualClock()
    database = MemoryDatabase(clock)
    stores = MemoryStores.over(database)
    allowances = {"free-tier": Allowance(limit=limit)}
    quota = MemoryQuota(database, Tiers(allowances=allowances))
    policies = Policies(stores.endpoints, stores.runs, CRON)
    records = Records(endpoints=stores.endpoints, runs=stores.runs, drafts=stores.drafts, backtester=policies)
    numbers = iter(range(1, 1_000))
    with fake_model(*script) as model:
        async with connected("openai:fake-1", base_url=model.url, api_key="sk-test") as client:
            compiler = Compiler(client, quota, "openai:fake-1")
            drafting = Drafting(records, compiler, CRON, lambda kind: f"{kind}{next(numbers)}", _nobody)
            drafts = PolicyDrafts(stores.drafts, stores.endpoints, CRON, drafting, _nobody)
            yield Workshop(model, stores, clock, quota, drafting, drafts, allowances)


def compile_part(view: QuotaView) -> int:
    """What compiling has used."""
    return view.budgets[Budget.COMPILE].used


def _nobody() -> None:
    """Nobody is woken."""


def lines(findings: Iterable[Any]) -> list[str]:
    """Which validator says how badly what is wrong where."""
    return [f"{each.check} {each.severity.value} {each.pointer}" for each in findings]
