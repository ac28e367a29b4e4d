"""A flash sale in the whole product: the answers of all endpoints of a tenant change their form at once.

Real `cronicorn up` processes on one PostgreSQL, each with an API, a scheduler and a planner in one event loop: where a
planner could hold up a run, if it could at all. Real servers are called and asked. Another tenant has endpoints, and
analyses that people ask for, beside it.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import httpx

from benchmarks.target import Target, target_server
from cronicorn.adapters.postgres.queries import PlainConnection
from cronicorn.control.document import EndpointDocument, JobDocument
from cronicorn.domain.analysis.fingerprint import fingerprint_of
from cronicorn.domain.analysis.novelty import LEARNT_SILENTLY, NOTHING_KNOWN, learnt
from cronicorn.domain.analysis.rows import look_row
from cronicorn.domain.analysis.watch import Look
from cronicorn.domain.analysis.watching import WatchMemory
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from cronicorn.domain.instant import EPOCH
from cronicorn.domain.quota.allowance import Allowance, Budget
from cronicorn.domain.quota.bounds import ANALYSIS_TOKENS_MAX
from cronicorn.domain.quota.decision import Mode
from cronicorn.domain.quota.soft import SoftBound
from cronicorn.wiring.local import LocalControl, local_control
from cronicorn.wiring.settings import Settings
from tests.servers.model import Answer, Asked, calls, fake_model
from tests.waiting import eventually, eventually_awaited
from tests.wiring.up_process import KEY, Service, service

LIMIT = 200_000
"""Of each tenant, in a day."""
ANALYSES_LIMIT = Allowance(limit=LIMIT).cap(Budget.ANALYSIS)
BOUND = SoftBound(limit=LIMIT, concurrency=4, call_tokens_max=9_000)
"""In the mode `soft`: just below what is refused."""
QUIET_ASKED = 4
"""So many analyses the other tenant asks for during the sale. They fit into its tokens, and its room, at once."""

LOUD, QUIET = "default", "quiet"
USUAL = {"status": "ok", "orders_per_minute": 42}
ON_SALE = {**USUAL, "sale": {"sold_out": True, "waiting": 7}}
_FINAL = ("submit_analysis", {"reasoning": "There is a sale.", "confidence": 0.5})
_BAD_RULE = {"id": "surge", "when": "nothing > 5", "until": "nothing < 2", "action": {"interval": "15s"}}
_REFUSED_DRAFT = ("write_policy", {"fields": [], "rules": [_BAD_RULE], "tests": [], "unsupported": []})
_ANSWER_TOKENS = 200
ALL_CALLED = {"mode": "all", "windowMs": 600_000, "maxRuns": 10}
"""An instant that is passed is called late, and not skipped."""
_SECOND_US = 1_000_000
_TRIES = 240
_PATIENCE_S = 120.0
_PAUSE_S = 0.25

_BEGUN = """
SELECT r.endpoint_number, r.due_us, r.started_us
  FROM cronicorn.runs AS r JOIN cronicorn.endpoints AS e ON e.number = r.endpoint_number
 WHERE e.tenant_id = $1 AND r.attempt = 1 AND r.due_us >= $2 AND r.due_us < $3
"""
_CALLED = """
SELECT count(DISTINCT endpoint_number) FROM cronicorn.runs WHERE started_us >= $1 AND finished_us < $2
"""
_LEARN = "UPDATE cronicorn.watches SET memory = $1"
_LOOK_NOW = """
UPDATE cronicorn.watches AS w SET look_us = 0 FROM cronicorn.endpoints AS e
 WHERE e.number = w.endpoint_number AND e.tenant_id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSale:
    """How many take part."""

    processes: int = 8
    endpoints: int = 1_000
    """Of the tenant with the sale."""
    quiet: int = 100
    """Of the other one."""
    described: int = 0
    """So many more of the first have a description to compile; nobody calls them."""
    interval_s: int = 30
    """Of every endpoint; their instants are spread over it evenly."""
    model_s: float = 0.5
    """How long the model takes."""


@dataclass(slots=True)
class Model:
    """What the model took, by tenant, as it counts itself. While the gate is closed it answers nobody."""

    answers_after_s: float
    gate: threading.Event = field(default_factory=threading.Event)
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    asked: int = 0
    compiles: int = 0
    analyses: dict[str, int] = field(default_factory=lambda: {LOUD: 0, QUIET: 0})
    tokens: dict[str, int] = field(default_factory=lambda: {LOUD: 0, QUIET: 0})
    counting: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> Answer:
        with self.counting:
            self.asked += 1
        time.sleep(self.answers_after_s)
        self.gate.wait()
        tenant = QUIET if QUIET in json.dumps(asked.body) else LOUD
        compiling = "write_policy" in asked.tools
        sent = len(json.dumps(asked.body, ensure_ascii=False)) // 4
        with self.counting:
            wanted = self.chance.randint(4_000, BOUND.call_tokens_max if compiling else ANALYSIS_TOKENS_MAX)
            took = min(wanted, sent + asked.body["max_tokens"])  # As providers keep to what they are told.
            self.tokens[tenant] += took
            self.compiles += compiling
            self.analyses[tenant] += not compiling
        usage = {"prompt_tokens": took - _ANSWER_TOKENS, "completion_tokens": _ANSWER_TOKENS, "total_tokens": took}
        return calls(_REFUSED_DRAFT if compiling else _FINAL, usage=usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The runs of a tenant that were due in a time."""

    late_s: Sequence[float]
    """From due to begun, of each."""
    not_called: int
    """Instants of the grid without a run."""


@dataclass(slots=True, kw_only=True)
class RunningSale:
    """The product at work, before and during the sale."""

    sale: ProductSale
    services: Sequence[Service]
    model: Model
    local: LocalControl
    database: PlainConnection
    targets: Mapping[str, Target]
    first_at: float
    """An instant of the grid of the first endpoints, in seconds since 1970."""
    described: list[str] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)

    async def begin(self) -> float:
        """Change the form of all answers, and have all of them looked at once each endpoint gave one. Answers when."""
        self.targets[LOUD].answer(json.dumps(ON_SALE).encode())
        await self.all_called(since=now())
        await self.database.execute(_LOOK_NOW, self.local.principal(LOUD).tenant_id)
        began_at = now()
        for endpoint_id in self.quiet[:QUIET_ASKED]:
            await self.local.control.analyses.request(self.local.principal(QUIET), endpoint_id)
        return began_at

    async def all_called(self, *, since: float) -> None:
        """Wait until each endpoint of both tenants was called after *since*, and that is recorded."""

        async def done() -> bool:
            called = await self.database.fetchval(_CALLED, _us(since), _us(now()))
            return bool(called >= self.sale.endpoints + self.sale.quiet)

        await eventually_awaited(done, within_s=3 * self.sale.interval_s + 30)

    async def compiled(self, number: int) -> None:
        """Have a description compiled through the API of a process, again for a while when it is denied."""
        path = f"/api/endpoints/{self.described[number]}/policy/drafts"
        with self.services[number % len(self.services)].client() as client:
            for _ in range(_TRIES):
                answer = await asyncio.to_thread(client.post, path, timeout=_PATIENCE_S)
                if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    answer.raise_for_status()
                    return
                await asyncio.sleep(_PAUSE_S)

    async def analysed(self) -> None:
        """Wait until the sale has spent what analyses may, and the other tenant has its own."""

        async def done() -> bool:
            used, _ = await self.standing(LOUD)
            spent = used > ANALYSES_LIMIT - ANALYSIS_TOKENS_MAX
            return spent and self.model.analyses[QUIET] == QUIET_ASKED

        await eventually_awaited(done, within_s=120)

    async def at_rest(self) -> None:
        """Wait until no call of the model is in progress."""

        async def done() -> bool:
            return not any([(await self.standing(tenant))[1] for tenant in (LOUD, QUIET)])

        await eventually_awaited(done, within_s=120)

    async def runs(self, tenant: str, since: float, until: float) -> Runs:
        """What became of the instants of the grid in that time."""
        span = _us(since), _us(until)
        rows = await self.database.fetch(_BEGUN, self.local.principal(tenant).tenant_id, *span)
        count = self.sale.quiet if tenant == QUIET else self.sale.endpoints
        grid = sum(_instants(self.sale, self.first_at, number, count, span) for number in range(count))
        found = {(row["endpoint_number"], row["due_us"]) for row in rows}
        late_s = [(row["started_us"] - row["due_us"]) / _SECOND_US for row in rows]
        return Runs(late_s=late_s, not_called=grid - len(found))

    async def standing(self, tenant: str) -> tuple[int, int]:
        """What the books have as used and as reserved."""
        view = (await self.local.control.quotas.show(self.local.principal(tenant))).view
        return view.used, view.reserved


@asynccontextmanager
async def holding(sale: ProductSale, mode: Mode, database: str, folder: Path) -> AsyncIterator[RunningSale]:
    """The product at work on the empty *database* with all endpoints, while the block lasts."""
    async with AsyncExitStack() as stack:
        model = Model(sale.model_s)
        model.gate.set()
        model_url = stack.enter_context(fake_model(model)).url
        stack.callback(model.gate.set)
        usual = json.dumps(USUAL).encode()
        targets = {tenant: stack.enter_context(target_server(usual)) for tenant in (LOUD, QUIET)}
        settings = _settings(mode, database, model_url)
        read = Settings.from_env(
            {"CRONICORN_API_KEY": KEY} | {f"CRONICORN_{name}": settings[name] for name in settings}
        )
        async with local_control(read) as local:
            await local.control.tenants.add(local.principal(LOUD), QUIET)
        services = [stack.enter_context(service(folder, f"up{number}", **settings)) for number in range(sale.processes)]
        eventually(lambda: all(each.events("process_started") for each in services), within_s=120)
        connection = await asyncpg.connect(database)
        stack.push_async_callback(connection.close)
        running = RunningSale(
            sale=sale, services=services, model=model, local=await stack.enter_async_context(local_control(read)),
            database=connection, targets=targets, first_at=float(int(now()) + 1),
        )  # fmt: skip
        await _add_endpoints(running)
        await connection.execute(_LEARN, _learnt())
        yield running


def _settings(mode: Mode, database: str, model_url: str) -> dict[str, str]:
    usual = {
        "DATABASE_URL": database,
        "EGRESS_ALLOW": "127.0.0.0/8",
        "AI_MODEL": "openai:fake-1",
        "AI_BASE_URL": model_url,
        "QUOTA_MODE": mode.value,
        "QUOTA_TIERS": f"free-tier:{LIMIT}",
    }
    return usual | ({"QUOTA_CALLS_MAX": str(BOUND.concurrency)} if mode is Mode.SOFT else {})


async def _add_endpoints(running: RunningSale) -> None:
    sale, control, local = running.sale, running.local.control, running.local
    jobs = {
        tenant: await control.jobs.create(local.principal(tenant), JobDocument(name=tenant)) for tenant in (LOUD, QUIET)
    }

    async def add(tenant: str, name: str, **more: object) -> str:
        document = {"name": name, "url": f"{running.targets[tenant].url}/{name.replace(' ', '/')}", **more}
        endpoint = EndpointDocument.model_validate(document)
        return (await control.endpoints.create(local.principal(tenant), jobs[tenant].id, endpoint)).endpoint.id

    for tenant, count in ((LOUD, sale.endpoints), (QUIET, sale.quiet)):
        for number in range(count):
            anchor_at = _at(running.first_at + _phase_s(sale, number, count)).isoformat()
            interval = {"baselineIntervalMs": sale.interval_s * 1_000, "anchorAt": anchor_at, "catchUp": ALL_CALLED}
            added = await add(tenant, f"{tenant} {number}", **interval, adapt="off", analysis=True)
            if tenant == QUIET:
                running.quiet.append(added)
    for number in range(sale.described):
        described = f"Hurry while there is trouble of kind {number}."
        running.described.append(await add(LOUD, f"described {number}", dormant=True, description=described))


def _phase_s(sale: ProductSale, number: int, count: int) -> float:
    """Whole milliseconds."""
    return sale.interval_s * 1_000 * number // count / 1_000


def _instants(sale: ProductSale, first_at: float, number: int, count: int, span_us: tuple[int, int]) -> int:
    """How many instants of one endpoint's grid there are from the beginning of *span_us* until before its end."""
    phase, interval = _us(first_at + _phase_s(sale, number, count)), sale.interval_s * _SECOND_US
    since, until = span_us
    return (until - 1 - phase) // interval - (since - 1 - phase) // interval


def now() -> float:
    """Seconds since 1970, by the clock of this machine, which is that of the database."""
    return time.time()


def _us(instant: float) -> int:
    return round(instant * _SECOND_US)


def _at(instant: float) -> datetime:
    return EPOCH + timedelta(microseconds=_us(instant))


def _learnt() -> str:
    """What a planner remembers of an endpoint that answered as usual for long."""
    known, usual = NOTHING_KNOWN, fingerprint_of(an_outcome(body=json.dumps(USUAL), body_is_json=True))
    for _ in range(LEARNT_SILENTLY):
        known, _new = learnt(known, usual)
    memory = look_row(Look(memory=WatchMemory(known=known), cursor=MIDNIGHT, look_at=MIDNIGHT))["memory"]
    assert isinstance(memory, str)
    return memory
