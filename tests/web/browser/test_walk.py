"""The newcomer's walk: a demo, a fresh folder, `cronicorn up`, a real target, a receiver of alerts, and a browser."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.cli.command import environment
from tests.waiting import eventually
from tests.web.browser.chromium import ARGUMENTS, FOUND, PATIENCE_MS, REFUSED, needs_chromium
from tests.wiring.alert_receivers import HttpReceiver, http_receiver
from tests.wiring.up_process import Service, service

pytestmark = needs_chromium
RULES = """
version: 1
fields:
  left: {path: $.left, type: number}
rules:
  - id: low
    why: little is left, until there is plenty
    when: left < 5
    until: left > 20
    action: {interval: 1s}
"""


@contextmanager
def demo_watched(folder: Path) -> Iterator[None]:
    """The demonstration, beside all else: it has a shop and a database of its own, and ends well."""
    command = [sys.executable, "-m", "cronicorn", "demo", "--seconds", "12"]
    with subprocess.Popen(command, env=environment() | {"TMPDIR": str(folder)}, stdout=subprocess.PIPE) as demo:
        try:
            yield
            told, _ = demo.communicate(timeout=60)
        finally:
            demo.terminate()
    assert demo.returncode == 0
    assert b"Retry-After" in told


@contextmanager
def browsing() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=FOUND, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def signed_in_by_link(page: Page, up: Service) -> None:
    with up.client():  # It listens.
        link = re.search(r"http\S+/sign-in\?token=\S+", up.talk)
    assert link is not None
    page.goto(link[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Nothing is called yet")).to_be_visible()


def endpoint_made(page: Page, target: str) -> None:
    page.get_by_role("link", name="New job").click()
    page.get_by_label("Name", exact=True).fill("shop")
    page.get_by_role("button", name="Make the job").click()
    page.get_by_role("link", name="New endpoint").click()
    page.get_by_label("Name", exact=True).fill("stock")
    page.get_by_label("URL", exact=True).fill(target)
    page.get_by_label("Every", exact=True).fill("2s")
    page.get_by_label("At least apart").fill("1s")
    page.get_by_role("button", name="Test call").click()
    expect(page.get_by_text("Nothing was recorded")).to_be_visible()
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="stock", exact=True)).to_be_visible()


def found_out_why(page: Page) -> None:
    """It has adapted by itself while somebody looked; a page says which word of the answer made it."""
    expect(page.locator("[data-part=hints]")).to_contain_text("signal")
    page.get_by_role("link", name="All that steers it").click()
    expect(page.locator("[data-part=signals]")).to_contain_text("degraded")
    expect(page.locator("[data-part=plan]")).to_contain_text("without the interval hint")
    page.get_by_role("link", name="stock", exact=True).click()


def rule_put_in_force(page: Page) -> None:
    """Tried on what was answered before anything changes."""
    page.get_by_role("link", name="Rules", exact=True).first.click()
    page.get_by_label("Policy, as YAML or JSON").fill(RULES)
    expect(page.locator("[data-checked=says]")).to_contain_text("left is below 5")
    page.get_by_role("button", name="Replay").click()
    expect(page.locator("[data-checked=replay]")).to_contain_text("recorded runs")
    page.get_by_role("button", name="Put in force").click()
    expect(page.locator("[data-part=rules]")).to_contain_text("in force")


def route_made(page: Page, receiver: HttpReceiver) -> None:
    page.get_by_role("link", name="Incidents", exact=True).click()
    page.get_by_role("link", name="Alerts").first.click()
    page.get_by_role("link", name="New route").click()
    page.get_by_label("Name", exact=True).fill("on call")
    page.get_by_label("Where to").fill(f"{receiver.url}/hook")
    page.get_by_role("button", name="Make the route").click()
    expect(page.get_by_role("heading", name="on call")).to_be_visible()


def told(receiver: HttpReceiver) -> list[tuple[str, str]]:
    """What of failures was told, each message once: of what, and by which id."""
    once = {each.headers["idempotency-key"]: each.json for each in receiver.at("/hook")}
    return [(each["type"], each["data"]["incidentId"]) for each in once.values() if each["data"]["kind"] == "failing"]


def test_a_newcomer_makes_an_endpoint_sees_it_adapt_changes_a_rule_and_is_told_when_it_breaks(tmp_path: Path) -> None:
    expect.set_options(timeout=PATIENCE_MS)
    settings = {"API_KEY": "", "ALERT_INTERVAL": "200ms", "POLL_INTERVAL": "200ms"}
    with (
        demo_watched(tmp_path), http_receiver() as target, browsing() as browser,
        service(tmp_path, **settings) as up,
    ):  # fmt: skip
        target.target_status, target.target_body = 200, b'{"status": "degraded", "left": 3}'
        page, wrong = browser.new_page(), list[str]()
        page.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        signed_in_by_link(page, up)
        endpoint_made(page, target.url)
        found_out_why(page)
        rule_put_in_force(page)
        route_made(page, target)
        target.target_status = 500
        page.get_by_role("link", name="Overview").click()
        expect(page.locator("section[aria-labelledby=fails]")).to_contain_text("shop / stock")
        eventually(lambda: told(target), within_s=20)
        target.target_status, target.target_body = 200, b'{"status": "ok", "left": 40}'
        eventually(lambda: len(told(target)) == 2, within_s=20)
        expect(page.locator("section[aria-labelledby=fails]")).to_contain_text("Nothing fails.")
        assert [each for each in wrong if not each.startswith(REFUSED)] == []

    (opened, incident), (recovered, same) = told(target)
    assert (opened, recovered, incident) == ("incident.opened", "incident.recovered", same)
