"""How soon a Chromium shows pages of `cronicorn up`, and how much is sent for each, while endpoints are called."""

import re
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.report import Report, Row
from benchmarks.target import target_server
from tests.cli.command import cronicorn, environment
from tests.waiting import eventually
from tests.web.browser.chromium import ARGUMENTS, FOUND
from tests.wiring.up_process import Service, create_endpoint, runs_of, service

_ENDPOINTS = 20
_VISITS = 30
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_SENT = """[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .reduce((sum, each) => sum + each.transferSize, 0)"""


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show. Raises SystemExit where there is no Chromium."""
    if FOUND is None:
        raise SystemExit("No Chromium is here: `apt-get install chromium`, or set CHROMIUM to where one is.")
    runs, visits = (3, 2) if quick else (20, _VISITS)
    with target_server() as target, TemporaryDirectory() as folder, service(Path(folder)) as up, a_browser() as browser:
        with up.client() as client:
            endpoints = [create_endpoint(client, url=target.url, baselineIntervalMs=1_000) for _ in range(_ENDPOINTS)]
            eventually(lambda: len(runs_of(client, endpoints[0])) >= runs, within_s=runs * 3)
            run_id = runs_of(client, endpoints[0])[0]["runId"]
            page = signed_in(browser, up, folder)
        paths = {
            "overview": "/", "jobs": "/jobs", "endpoint": f"/endpoints/{endpoints[0]}",
            "why": f"/endpoints/{endpoints[0]}/why", "run": f"/runs/{run_id}", "calendar": "/calendar",
        }  # fmt: skip
        rows = [_row(page, name, path, visits) for name, path in paths.items()]
    about = f"medians of {visits} visits, beside {_ENDPOINTS} endpoints that are called each second; kB as sent"
    Report(name="pages", about=about, rows=rows).show(as_json=as_json)


@contextmanager
def a_browser() -> Iterator[Browser]:
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=FOUND, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def signed_in(browser: Browser, up: Service, folder: str) -> Page:
    """A page of somebody who has followed a link for the first owner."""
    ended = cronicorn("member", "sign-in-link", "owner", env=environment(DATABASE_URL=f"sqlite:{folder}/store.db"))
    link = re.search(r"\S+(/sign-in\?token=\S+)", ended.out)
    assert link is not None, ended
    with up.client() as client:
        place = urlsplit(str(client.base_url))
    page = browser.new_context(base_url=f"http://{place.netloc}").new_page()
    page.goto(link[1])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")
    return page


def _row(page: Page, name: str, path: str, visits: int) -> Row:
    painted, sent = [], []
    for _ in range(visits):
        page.goto(path)
        eventually(lambda: page.evaluate(_PAINTED))
        painted.append(float(page.evaluate(_PAINTED)))
        sent.append(float(page.evaluate(_SENT)))
    return {
        "page": name, "first paint ms": statistics.median(painted), "worst ms": max(painted), "kB": max(sent) / 1_000
    }  # fmt: skip
