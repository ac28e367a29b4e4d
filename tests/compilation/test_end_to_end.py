"""From a description to rules that watch for nothing: the product on a real file, and a model that is a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from cronicorn.adapters.handlers.handler_dispatcher import HandlerDispatcher
from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.quota import SqliteQuota
from cronicorn.domain.call import Call
from cronicorn.domain.compilation.draft import CompileReason, Draft, DraftStatus
from cronicorn.domain.compilation.ports import DraftMaker
from cronicorn.domain.hint import Author, HintKind
from cronicorn.domain.history import RunQuery
from cronicorn.domain.permission import EVERYTHING, Operation
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.allowance import Allowance, Tiers
from cronicorn.wiring.drafting import drafting
from cronicorn.wiring.engine import Engine, engine
from cronicorn.wiring.model import model_client
from cronicorn.wiring.rest import rest_app
from cronicorn.wiring.settings import Settings
from tests.compilation.workshop import DESCRIPTION, SURGE, writes
from tests.servers.model import Answer, FakeModel, fake_model
from tests.waiting import eventually_awaited

PLANNER = Principal(tenant_id="", actor="planner", permissions=EVERYTHING, operation=Operation.DRAFT_MAKE)
URL = "http://shop.internal/errors"
AFTER_DRIFT = {**SURGE, "fields": [{"name": "err", "path": "$.errors_percent", "type": "number"}]}


@dataclass(slots=True)
class Shop:
    """The product, a client of its REST door, and what the endpoint answers."""

    parts: Engine
    client: httpx.AsyncClient
    model: FakeModel
    maker: DraftMaker
    body: dict[str, Any]
    endpoint_id: str = ""
    principal: Principal = PLANNER

    async def described(self) -> None:
        """Make an endpoint that has a description and no policy."""
        job = (await self.client.post("/api/jobs", json={"name": "shop"})).json()
        document = {
            "name": "errors", "url": URL, "description": DESCRIPTION, "baselineIntervalMs": 3_600_000,
            "minIntervalMs": 5_000, "adapt": "off",
        }  # fmt: skip
        made = await self.client.post(f"/api/jobs/{job['id']}/endpoints", json=document)
        self.endpoint_id = made.json()["id"]
        [tenant] = await self.parts.stores.keys.tenants()
        self.principal = replace(PLANNER, tenant_id=tenant.id)

    async def answers(self, body: dict[str, Any], times: int) -> None:
        """Have it called so many *times*, each time answering *body*."""
        self.body = body
        for _ in range(times):
            run_id = (await self.client.post(f"/api/endpoints/{self.endpoint_id}/run")).json()["runId"]
            await self._ended(run_id)

    async def _ended(self, run_id: str) -> None:
        async def recorded() -> bool:
            page = await self.parts.control.runs.list(self.principal, self.endpoint_id, RunQuery())
            return run_id in {run.id for run in page.runs}

        await eventually_awaited(recorded)

    async def asks(self, path: str = "") -> dict[str, Any]:
        """What a POST below the endpoint's drafts answers."""
        answer = await self.client.post(f"/api/endpoints/{self.endpoint_id}/policy/drafts{path}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def rules_ask_for(self) -> list[int]:
        """The intervals that rules ask for now, in seconds."""
        view = await self.parts.control.endpoints.get(self.principal, self.endpoint_id)
        steady = (hint for hint in view.endpoint.state.hints if hint.kind is HintKind.INTERVAL)
        return [hint.interval.seconds for hint in steady if hint.author is Author.RULE and hint.interval is not None]

    async def kept_up(self) -> Draft | None:
        """What the planner does for an endpoint now and then."""
        reason = await self.maker.consider(self.principal, self.endpoint_id)
        if reason is None or reason.only_suggested:
            return None
        return await self.maker.make(self.principal, self.endpoint_id, reason)


@asynccontextmanager
async def a_shop(folder: Path, *script: Answer) -> AsyncIterator[Shop]:
    """The product on a file in *folder*."""
    with fake_model(*script) as model:
        environ = {
            "DATABASE_URL": f"sqlite:{folder / 'store.db'}", "AI_MODEL": "openai:fake-1", "AI_BASE_URL": model.url,
            "AI_API_KEY": "sk-test", "API_KEY": "a-key-that-is-long-enough-for-this",
        }  # fmt: skip
        settings = Settings.from_env({f"CRONICORN_{name}": value for name, value in environ.items()})
        async with AsyncExitStack() as stack:
            shop: Shop

            async def answer(_call: Call) -> object:
                return shop.body

            parts = await stack.enter_async_context(engine(settings, HandlerDispatcher({URL: answer})))
            await parts.control.tenants.bootstrap(settings.api_key)
            assert parts.scheduler is not None
            asked = await stack.enter_async_context(model_client(settings))
            make_drafts = drafting(settings, parts.stores, parts.tokens.quota, asked, parts.cron)
            assert make_drafts is not None
            transport = httpx.ASGITransport(app=rest_app(parts))
            headers = {"x-api-key": environ["API_KEY"]}
            client = httpx.AsyncClient(transport=transport, base_url="http://x", headers=headers, trust_env=False)
            maker = make_drafts(parts.control.policies, lambda: None)
            shop = Shop(parts, await stack.enter_async_context(client), model, maker, {})
            working = asyncio.create_task(parts.scheduler.run())
            try:
                yield shop
            finally:
                parts.scheduler.stop()
                await working


async def test_a_description_is_compiled_once_and_compiled_again_once_when_the_answers_change(tmp_path):
    async with a_shop(tmp_path, writes(SURGE), writes(AFTER_DRIFT)) as shop:
        await shop.described()
        await shop.answers({"error_rate_pct": 1.0}, 6)

        draft = await shop.asks()
        assert (draft["status"], draft["rounds"]) == ("draft", 1)
        assert draft["inWords"][1] == "  when   err is above 5"
        assert await shop.rules_ask_for() == []
        assert (await shop.asks(f"/{draft['id']}/activate"))["status"] == "active"

        await shop.answers({"error_rate_pct": 8.5}, 1)
        assert await shop.rules_ask_for() == [15]
        await shop.answers({"error_rate_pct": 1.0}, 20)
        assert await shop.rules_ask_for() == []
        assert await shop.kept_up() is None
        assert len(shop.model.asked) == 1

        await shop.answers({"errors_percent": 8.5}, 3)
        second = await shop.kept_up()
        assert second is not None
        assert (second.reason, second.status) == (CompileReason.DRIFT, DraftStatus.DRAFT)
        for _ in range(5):
            await shop.answers({"errors_percent": 8.5}, 1)
            assert await shop.kept_up() is None
        assert len(shop.model.asked) == 2

        await shop.asks(f"/{second.id}/activate")
        await shop.answers({"errors_percent": 8.5}, 1)
        assert await shop.rules_ask_for() == [15]
        assert await shop.kept_up() is None

    assert len(shop.model.asked) == 2


async def test_an_exhausted_budget_leaves_rules_at_work_and_is_said(tmp_path):
    async with a_shop(tmp_path, writes(SURGE)) as shop:
        await shop.described()
        await shop.answers({"error_rate_pct": 1.0}, 6)
        draft = await shop.asks()
        await shop.asks(f"/{draft['id']}/activate")
        assert isinstance(shop.parts.stores.database, SqliteDatabase)
        books = SqliteQuota(shop.parts.stores.database, Tiers(allowances={"free-tier": Allowance(limit=10_000)}))
        await books.record_usage(shop.principal.tenant_id, 9_999)
        path = f"/api/jobs/{(await _endpoint(shop))['jobId']}/endpoints/{shop.endpoint_id}"
        await shop.client.patch(path, json={"description": "Something else."})

        refused = await shop.client.post(f"/api/endpoints/{shop.endpoint_id}/policy/drafts")
        await shop.answers({"error_rate_pct": 8.5}, 1)

        assert refused.status_code == 429
        assert "tokens" in refused.json()["detail"]
        assert await shop.rules_ask_for() == [15]
        assert len(shop.model.asked) == 1


async def _endpoint(shop: Shop) -> dict[str, Any]:
    found: dict[str, Any] = (await shop.client.get(f"/api/endpoints/{shop.endpoint_id}")).json()
    return found
