"""The pages of a world in memory, as browsers without scripts meet them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from cronicorn.api.cookies import Cookies
from cronicorn.api.gate import RequestFrame
from cronicorn.control.accounts import SignInDocument
from cronicorn.control.alert_documents import AlertRouteDocument, AllRulesDocument, MaintenanceDocument
from cronicorn.control.document import EndpointPatch, IntervalHintDocument, SecretDocument
from cronicorn.control.identity import random_id
from cronicorn.control.members import MemberDocument
from cronicorn.domain.alert.alerting import IncidentKind
from cronicorn.domain.alert.incident import Incident
from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.watch import Look
from cronicorn.domain.analysis.watching import Occasion, Why
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.instant import MINUTE
from cronicorn.domain.permission import EVERYTHING, Role
from cronicorn.domain.principal import Principal
from cronicorn.web.app import create_web_app
from cronicorn.web.assets import Assets
from cronicorn.web.live import Streams
from tests.control.world import LOCAL, World, a_world

COOKIE = "cronicorn-session"
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')


def pages_of(world: World, streams: Streams | None = None) -> FastAPI:
    """The pages of *world*."""
    app = create_web_app(world.control, sessions=Cookies(), clock=world.clock, streams=streams or Streams())
    app.add_middleware(RequestFrame, new_id=random_id)
    return app


@dataclass(slots=True)
class Site:
    """A tenant's pages, and somebody signed in as its owner."""

    world: World
    tenant_id: str
    app: FastAPI
    client: httpx.AsyncClient
    password: str = ""

    @property
    def owner(self) -> Principal:
        """Whoever does in the world what the test is not about."""
        return Principal(tenant_id=self.tenant_id, actor="alice", permissions=EVERYTHING)

    async def token(self, role: Role = Role.OWNER, login: str = "") -> str:
        """What the browser of a new member in *role* shows."""
        local = replace(LOCAL, tenant_id=self.tenant_id)
        login = login or f"{role.value}-{len(self.world.stores.database.members)}"
        made = await self.world.control.members.add(local, MemberDocument(login=login, role=role))
        document = SignInDocument(login=login, password=made.password)
        return (await self.world.control.accounts.sign_in(document, "127.0.0.1")).token

    @asynccontextmanager
    async def browsing(self, role: Role) -> AsyncIterator["Site"]:
        """The same pages for a new member in *role*."""
        async with a_browser(self.app, await self.token(role)) as client:
            yield replace(self, client=client)

    async def text(self, path: str, status: int = 200) -> str:
        """The page at *path*."""
        answer = await self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(self, page: str, action: str, **fields: str) -> httpx.Response:
        """What comes of the form on *page* that goes to *action*; who looks must be shown it."""
        text = await self.text(page)
        assert f'action="{action}"' in text
        found = _CSRF.search(text)
        assert found is not None
        return await self.client.post(action, data={"csrf": found[1], **fields})


def scripts_of(page: str) -> list[str]:
    """The scripts that *page* may load, by their names: a form that checks what is typed has one of its own."""
    return ["live.js", "checks.js"] if " data-checks" in page else ["live.js"]


def beside(page: str) -> int:
    """Bytes that a browser loads beside *page*."""
    return sum(Assets().size(name) for name in ("app.css", "icon.svg", *scripts_of(page)))


def a_browser(app: FastAPI, token: str | None = None) -> httpx.AsyncClient:
    """A browser that is signed in if it shows a *token*."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://cronicorn", trust_env=False,
        cookies={COOKIE: token} if token is not None else None,
    )  # fmt: skip


@asynccontextmanager
async def a_site() -> AsyncIterator[Site]:
    """A tenant with nothing yet, beside another one."""
    world = a_world()
    await world.control.tenants.add(LOCAL, "acme")
    await world.control.tenants.add(LOCAL, "rival")
    tenant, _ = world.stores.database.tenants.values()
    app = pages_of(world)
    site = Site(world, tenant.id, app, a_browser(app))
    async with a_browser(app, await site.token()) as client:
        yield replace(site, client=client)


async def filled(
    site: Site, runs: int = 30, body: str = '{"stock": 3, "status": "busy"}', **fields: Any
) -> JobEndpoint:
    """An endpoint with *runs*, some of them failed, hints of a person, and an open incident."""
    world = site.world
    job = await world.job(site.owner, "shop <b>")
    endpoint = await world.endpoint(
        site.owner, **({"jobId": job, "minIntervalMs": 15_000, "maxIntervalMs": 900_000} | fields)
    )
    for number in range(runs):
        at = await world.next_run_at(endpoint)
        assert at is not None
        world.clock.instant = max(at, world.clock.instant)
        status = 503 if number % 7 == 3 else 200
        await world.run_due(an_outcome(status, body=body, body_is_json=body.startswith("{")))
        if number % 12 == 6:
            await world.control.hints.write_interval(site.owner, endpoint.id, a_hint(20_000, "A sale <i>is</i> on."))
    world.clock.move(seconds=1)
    await site.world.stores.incidents.write(
        Incident(
            id="incident_1", tenant_id=site.tenant_id, kind=IncidentKind.FAILING, subject=endpoint.id,
            opened_at=world.clock.now() - timedelta(minutes=5), summary="It failed <4> times in a row.",
        )
    )  # fmt: skip
    return await world.now_stored(endpoint)


def a_hint(interval_ms: int, reason: str) -> IntervalHintDocument:
    """A hint for three minutes."""
    return IntervalHintDocument.model_validate({"intervalMs": interval_ms, "ttlMinutes": 3, "reason": reason})


async def analysed(site: Site, **changes: object) -> Analysis:
    """An analysis of the one endpoint that is watched."""
    (watch,) = await site.world.stores.watches.claim_due(claim_id="c", limit=1, ttl=MINUTE)
    now, endpoint = watch.claimed_at, watch.endpoint
    made = Analysis(
        id=f"session_{now:%H%M%S}", tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, at=now,
        why=Why(occasion=Occasion.NOVELTY, detail="a new word"),
    )  # fmt: skip
    made = replace(made, **changes)  # type: ignore[arg-type]
    await site.world.stores.watches.settle(
        watch, Look(memory=watch.memory, cursor=now, look_at=now + MINUTE, analysis=made)
    )
    site.world.clock.move(minutes=1)
    return made


async def settled_in(site: Site, endpoint: JobEndpoint) -> None:
    """Have a secret, signing keys, a route, an exception from the rules and a maintenance window, too."""
    control, asker, of_one = site.world.control, site.owner, {"endpointIds": [endpoint.id]}
    await control.secrets.set(asker, "shop-token", SecretDocument(value="as long as it takes"))
    await control.signing_keys.create(asker)
    await control.signing_keys.rotate(asker)
    route = {"name": "on call", "channel": "webhook", "target": "https://hooks.example.com/shop", **of_one}
    await control.alerts.create_route(asker, AlertRouteDocument.model_validate(route))
    rules = AllRulesDocument.model_validate({"exceptions": [{**of_one, "rules": {"failures": 1}}]})
    await control.alerts.change_rules(asker, rules)
    window = {"name": "weekly", "durationMs": 7_200_000, "cron": "0 3 * * 0", "timezone": "Europe/Berlin"}
    await control.alerts.create_window(asker, MaintenanceDocument.model_validate(window))
    await _owned_by_files(site, endpoint)


async def _owned_by_files(site: Site, endpoint: JobEndpoint) -> None:
    """Files name some of its fields, of which one was edited since they were applied."""
    files, patch = site.world.control.files, EndpointPatch.model_validate({"timeoutMs": 10_000})
    named = {"name": endpoint.name, "url": endpoint.request.url, "timeoutMs": 9_000, "retries": {"retryCount": 1}}
    job = (await site.world.control.jobs.get(site.owner, endpoint.job_id)).name
    await files.apply(site.owner, {"set": "schedules", "jobs": [{"name": job, "endpoints": [named]}]})
    await site.world.control.endpoints.edit(site.owner, endpoint.id, patch)
