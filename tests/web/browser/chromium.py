"""A real Chromium in front of a filled site: found, not fetched."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from cronicorn.domain.analysis.analysis import AnalysisUsage, CallMade
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.permission import Role
from cronicorn.web.live import Streams
from cronicorn.wiring.doors import AllDoors
from tests.api.door import an_app
from tests.web.site import COOKIE, Site, a_site, analysed, filled, pages_of, settled_in
from tests.wiring import api_socket

FOUND = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    FOUND is None, reason="no Chromium is here: `apt-get install chromium`, or set CHROMIUM to where one is"
)
REFUSED = "Failed to load resource: the server responded with a status of 4"
"""What a browser says of a page that tells what was wrong."""
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
"""A container has no user namespaces, hardly any shared memory and no screen."""
PATIENCE_MS = 20_000
"""A busy machine draws slowly."""
SCREENSHOTS = Path(__file__).parent / "screenshots"


POLICY = {
    "version": 1,
    "fields": {"left": {"path": "$.stock", "type": "number"}, "state": {"path": "$.status", "type": "string"}},
    "rules": [
        {"id": "low", "why": "little is left, until there is plenty", "when": "left < 5", "until": "left > 20",
         "for": 2, "max_fires": {"count": 9, "per": "1h"}, "action": {"interval": "45s"}},
        {"id": "sold-out", "when": "left == 0 && state != 'closed'", "cooldown": "10m", "action": {"pause": "30m"}},
    ],
}  # fmt: skip
ANALYSIS = {
    "reasoning": "The stock fell from 40 to 3 within ten minutes, which is how a sale begins here.",
    "confidence_percent": 80, "applied": ("interval hint of 30s for 20m",), "model": "small-1",
    "calls": (CallMade(tool="set_interval", arguments='{"every": "30s", "for": "20m"}', result='{"accepted": true}'),),
    "spent": AnalysisUsage(input=1830, output=212, charged=2042),
}  # fmt: skip


@dataclass(slots=True)
class Seen:
    """A site with something in it, and a browser that looks at it."""

    site: Site
    endpoint: JobEndpoint
    url: str
    token: str
    analysis: str
    """The id of one."""
    draft: str
    """The id of one."""
    browser: Browser

    @property
    def paths(self) -> dict[str, str]:
        """Each page for whoever is signed in, by a short name."""
        at = f"/endpoints/{self.endpoint.id}"
        return {
            "overview": "/", "jobs": "/jobs", "job-new": "/jobs/new", "job": f"/jobs/{self.endpoint.job_id}",
            "policy": f"{at}/policy?example=escalation-ladder", "policy-draft": f"{at}/policy/drafts/{self.draft}",
            "endpoint": at, "why": f"{at}/why",
            "why-then": f"{at}/why?at={self.endpoint.created_at + timedelta(minutes=20):%FT%TZ}",
            "analyses": f"{at}/analyses", "analysis": f"/analyses/{self.analysis}",
            "run": f"/runs/{self.endpoint.id}:1:1", "absent": "/nowhere",
            "endpoint-edit": f"{at}/edit", "endpoint-delete": f"{at}/delete",
            "job-edit": f"/jobs/{self.endpoint.job_id}/edit", "settings": "/settings", "account": "/account",
            "incidents": "/incidents", "incident": "/incidents/incident_1", "alerts": "/alerts",
            "rules": "/alerts/rules", "maintenance": "/alerts/maintenance",
            "alert-rules": "/alerts/rules/change", "alert-route-new": "/alerts/routes/new",
            "maintenance-new": "/alerts/maintenance/new", "members": "/members", "keys": "/keys",
            "secrets": "/secrets", "signing-key": "/signing-key", "tenant": "/tenant",
            "endpoint-new": f"/jobs/{self.endpoint.job_id}/endpoints/new?pattern=maintenance",
            "search": "/search?q=shop", "calendar": "/calendar",
            "week": "/calendar?view=week", "hosts": "/calendar/hosts", "usage": "/usage", "audit": "/audit",
            "workers": "/workers",
        }  # fmt: skip

    @asynccontextmanager
    async def context(
        self, *, signed_in: bool = True, scripts: bool = True, dark: bool = False, width: int = 1280
    ) -> AsyncIterator[BrowserContext]:
        """A browser as somebody's is."""
        context = await self.browser.new_context(
            java_script_enabled=scripts, color_scheme="dark" if dark else "light", base_url=self.url,
            viewport={"width": width, "height": 800},
        )  # fmt: skip
        if signed_in:
            await context.add_cookies([{"name": COOKIE, "value": self.token, "url": self.url}])
        try:
            yield context
        finally:
            await context.close()

    @asynccontextmanager
    async def page(self, **kind: bool | int) -> AsyncIterator[Page]:
        """A page of a browser of that *kind*, in which nothing may go wrong unnoticed."""
        async with self.context(**kind) as context:  # type: ignore[arg-type]
            page, wrong = await context.new_page(), list[str]()
            page.on("console", lambda told: wrong.append(told.text) if told.type in {"error", "warning"} else None)
            page.on("pageerror", lambda error: wrong.append(str(error)))
            yield page
            assert [each for each in wrong if not each.startswith(REFUSED)] == []


@asynccontextmanager
async def seen() -> AsyncIterator[Seen]:
    """A filled site behind a socket, and a browser."""
    expect.set_options(timeout=PATIENCE_MS)
    streams = Streams(look_every_s=0.1)
    async with a_site() as site:
        endpoint = await filled(site, runs=60, policy=POLICY, analysis=True)
        analysis = await analysed(site, **ANALYSIS)
        draft = (await site.world.control.drafts.make(site.owner, endpoint.id)).draft
        await settled_in(site, endpoint)
        doors = AllDoors(rest=an_app(site.world), web=pages_of(site.world, streams), streams=streams)
        async with api_socket.listening(doors) as (_, port), async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=FOUND, args=ARGUMENTS)
            try:
                token = await site.token(Role.OWNER, "ann@shop.example")
                yield Seen(site, endpoint, f"http://127.0.0.1:{port}", token, analysis.id, draft.id, browser)
            finally:
                streams.close()
                await browser.close()
