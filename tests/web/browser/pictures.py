"""Pictures of the running product for the README: `python -m tests.web.browser.pictures [seconds]`.

The demonstration's shop goes through its story in front of `cronicorn up`, both in processes of their own, and a
Chromium looks at the pages as a person would.
"""

import asyncio
import base64
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, async_playwright
from rich.console import Console

from cronicorn.cli.demonstration.board import Board
from cronicorn.cli.demonstration.performance import play
from cronicorn.cli.demonstration.processes import a_scheduler, a_shop
from cronicorn.cli.demonstration.rest import Rest
from cronicorn.cli.demonstration.story import Story
from cronicorn.cli.demonstration.view import opened_view
from cronicorn.wiring.timekeeping import system_clock
from tests.architecture.source import ROOT
from tests.web.browser.chromium import ARGUMENTS, FOUND

PICTURES = ROOT / "docs" / "pictures"
PICTURE_BYTES_MAX = 120_000
SECONDS_DEFAULT = 300.0
WIDTH, HEIGHT = 1200, 780
_MEANWHILE = 0.45
"""When of the story the overview is looked at: the sale is on, and a person has steered."""
_PACKED = """async (png) => {
  const drawn = new Image();
  drawn.src = `data:image/png;base64,${png}`;
  await drawn.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [drawn.width, drawn.height];
  canvas.getContext("2d").drawImage(drawn, 0, 0);
  return canvas.toDataURL("image/webp", 0.9).split(",")[1];
}"""


@dataclass(frozen=True, slots=True)
class Photographer:
    """Somebody signed in, who takes pictures."""

    browser: Browser
    url: str
    login: str
    password: str

    async def take(self, path: str, name: str, *, dark: bool = False, height: int = HEIGHT) -> Path:
        """The page at *path* as a WebP file."""
        context = await self.browser.new_context(
            base_url=self.url, viewport={"width": WIDTH, "height": height}, color_scheme="dark" if dark else "light"
        )
        try:
            page = await context.new_page()
            await page.goto(path)
            await page.get_by_label("Login").fill(self.login)
            await page.get_by_label("Password").fill(self.password)
            await page.get_by_role("button", name="Sign in").click()
            await page.wait_for_selector("main h1", state="attached")
            taken = PICTURES / f"{name}.webp"
            taken.write_bytes(await packed(await context.new_page(), await page.screenshot()))
            return taken
        finally:
            await context.close()


def _plan_nights(rest: Rest, url: str) -> None:
    """Endpoints that are called seldom: a calendar of the shop's own alone is full all day."""
    job = rest.post("/api/jobs", {"name": "back office"})["id"]
    for name, cron in (("close the books", "30 2 * * *"), ("hourly sums", "@hourly"), ("suppliers", "*/10 8-17 * * *")):
        rest.post(f"/api/jobs/{job}/endpoints", {"name": name, "url": url, "baselineCron": cron})


async def packed(empty: Page, png: bytes) -> bytes:
    """*png* as WebP, drawn anew by an *empty* page. Raises ValueError for one of more than PICTURE_BYTES_MAX."""
    webp = base64.b64decode(await empty.evaluate(_PACKED, base64.b64encode(png).decode()))
    if len(webp) > PICTURE_BYTES_MAX:
        raise ValueError(
            f"A picture has {len(webp):,} bytes, and may have {PICTURE_BYTES_MAX:,}: take less of the page."
        )
    return webp


async def photographed(connect: Callable[[], Rest], playing: "asyncio.Future[Board]", story: Story) -> list[Path]:
    """Pictures of the overview in the middle of *story*, and of an endpoint and the calendar once that has played."""
    rest = connect()
    made = rest.post("/api/members", {"login": "ann", "role": "owner"})
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=FOUND, args=ARGUMENTS)
        try:
            person = Photographer(browser, rest.url, "ann", made["password"])
            await asyncio.sleep(story.seconds * _MEANWHILE)
            overview = await person.take("/", "overview")
            await playing
            rest = connect()  # The server has closed the other one meanwhile.
            (job,) = rest.get("/api/jobs")["jobs"]
            endpoints = rest.get(f"/api/jobs/{job['id']}/endpoints")["endpoints"]
            stock = next(each["id"] for each in endpoints if each["name"] == "stock")
            _plan_nights(rest, endpoints[0]["url"])
            last = f"{story.seconds * 1.2:.0f}s"
            return [
                overview,
                await person.take(f"/endpoints/{stock}?last={last}", "timeline", dark=True),
                await person.take("/calendar", "calendar", height=1_040),
            ]
        finally:
            await browser.close()


async def main(seconds: float) -> None:
    """Take all pictures; takes *seconds* and a few more."""
    PICTURES.mkdir(exist_ok=True)
    console, story, key, now = Console(highlight=False), Story(seconds), secrets.token_urlsafe(16), system_clock().now
    with a_shop(story) as shop, a_scheduler(key) as rest, opened_view(console, now, live=False) as view:
        playing = asyncio.ensure_future(asyncio.to_thread(play, story, shop, rest, view, now()))
        at = urlsplit(rest.url)
        assert at.hostname is not None
        assert at.port is not None
        # Connections of its own: that of the story belongs to the thread that plays.
        for taken in await photographed(partial(Rest, at.hostname, at.port, key), playing, story):
            console.print(f"{taken.relative_to(ROOT)}: {taken.stat().st_size:,} bytes")


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS_DEFAULT))
