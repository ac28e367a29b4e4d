"""The web app in a real Chromium: journeys, accessibility, scripts off, live parts, and how it looks."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Route, expect

from cronicorn.control.members import MemberDocument
from cronicorn.domain.permission import Role
from tests.waiting import eventually_async
from tests.web.browser import pictures
from tests.web.browser.chromium import SCREENSHOTS, Seen, needs_chromium, seen

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="module")]
RULES = {
    "light": {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}
"""Nothing but colours is different in the dark."""
AXED: dict[str, list[str]] = {"light": [], "dark": ["overview", "job-new", "endpoint", "policy"]}
"""The pages that are looked at, if not all: these have every colour."""
WIDTHS = {"phone": 360, "tablet": 820, "desk": 1360}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here() -> AsyncIterator[Seen]:
    async with seen() as found:
        yield found


@pytest.mark.parametrize("scripts", ["on", "off"])
async def test_a_person_signs_in_finds_out_why_and_holds_an_endpoint(here: Seen, scripts: str) -> None:
    login = f"bob-{scripts}"
    made = await here.site.world.control.members.add(here.site.owner, MemberDocument(login=login, role=Role.OPERATOR))
    async with here.page(signed_in=False, scripts=scripts == "on") as page:
        await page.goto("/jobs")
        await page.get_by_label("Login").fill(login)
        await page.get_by_label("Password").fill("wrong")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("wrong")
        await expect(page.get_by_label("Login")).to_have_value(login)
        await page.get_by_label("Password").fill(made.password)
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_role("link", name="shop <b>").click()
        await page.get_by_role("link", name="stock").click()
        await expect(page.get_by_role("img", name="Timeline of stock")).to_be_visible()
        await expect(page.get_by_text("The plan in force")).to_be_visible()
        await page.get_by_label("For, or until").fill("soon")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("alert")).to_contain_text("30m, 2h or 7d")
        await page.get_by_label("For, or until").fill("2h")
        await page.get_by_label("Reason").fill("They deploy.")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.locator("[data-part=hints]")).to_contain_text("They deploy.")
        await page.get_by_role("button", name="Resume").click()
        await expect(page.get_by_role("button", name="Resume")).to_have_count(0)
        await page.get_by_role("button", name="Sign out").click()
        await expect(page).to_have_url(f"{here.url}/sign-in")


@pytest.mark.parametrize("scripts", ["on", "off"])
async def test_a_person_makes_an_endpoint_of_a_pattern_and_sees_before_what_comes_of_it(
    here: Seen, scripts: str
) -> None:
    async with here.page(scripts=scripts == "on") as page:
        await page.goto(f"/jobs/{here.endpoint.job_id}")
        await page.get_by_role("link", name="New endpoint").click()
        await page.get_by_role("link", name="Maintenance").click()
        await expect(page.get_by_label("Cron expression", exact=True)).to_have_value("30 2 * * *")
        await expect(page.get_by_label("Every", exact=True)).to_be_hidden()
        await page.get_by_label("Name", exact=True).fill(f"cleanup-{scripts}")
        await page.get_by_label("URL", exact=True).fill("https://shop.example/cleanup")
        await page.get_by_label("Cron expression", exact=True).fill("61 2 * * *")
        if scripts == "off":
            await page.get_by_role("button", name="Preview").click()
        await expect(page.locator("#baselineCron-fault")).to_contain_text("61")
        await page.get_by_label("Cron expression", exact=True).fill("15 2 * * *")
        if scripts == "off":
            await page.get_by_role("button", name="Preview").click()
        await expect(page.locator("[data-checked=preview]")).to_contain_text("02:15:00 +0100")
        await expect(page.locator("#baselineCron-fault")).to_be_hidden()
        await expect(page.locator("[data-checked=preview]")).to_contain_text("runs once, right after it, at 03:00")
        await page.get_by_role("button", name="Test call").click()
        await expect(page.get_by_text("Nothing was recorded")).to_be_visible()
        await page.get_by_role("button", name="Create").click()
        await expect(page.get_by_role("heading", name=f"cleanup-{scripts}")).to_be_visible()


SURGE = """\
version: 1
fields:
  stock: {path: $.stock, type: number}
rules:
  - id: low
    when: stok < 5
    action: {interval: 20s}
"""


@pytest.mark.parametrize("scripts", ["on", "off"])
async def test_a_person_writes_rules_mends_them_tries_them_and_puts_them_in_force(here: Seen, scripts: str) -> None:
    world = here.site.world
    made = await world.endpoint(here.site.owner, jobId=here.endpoint.job_id, name=f"rules-{scripts}", dormant=True)
    for _ in range(3):
        await world.control.trials.call(here.site.owner, made.id)
    async with here.page(scripts=scripts == "on") as page:
        await page.goto(f"/endpoints/{made.id}")
        await page.get_by_role("link", name="Rules", exact=True).click()
        field = page.get_by_label("Policy, as YAML or JSON")
        await field.fill(SURGE)
        if scripts == "off":
            await page.get_by_role("button", name="Check").click()
        await expect(page.locator("[data-checked=faults]")).to_contain_text(
            "No field is called stok; did you mean stock?"
        )
        await expect(field).to_have_attribute("aria-invalid", "true")
        await page.get_by_role("link", name="line 6").click()
        if scripts == "on":
            chosen = "each => each.value.slice(each.selectionStart, each.selectionEnd)"
            assert await field.evaluate(chosen) == "    when: stok < 5"
        await field.fill(SURGE.replace("stok", "stock"))
        await page.get_by_label("Over the last").fill("3h")
        await page.get_by_role("button", name="Replay").click()
        await expect(page.locator("[data-checked=replay]")).to_contain_text("The record holds 3 runs")
        await expect(page.locator("[data-checked=says]")).to_contain_text("stock is below 5")
        if scripts == "on":
            await field.press("End")
            await field.type(" ")
            await expect(page.locator("[data-checked=replay]")).to_be_empty()
        await page.get_by_role("button", name="Put in force").click()
        await expect(page).to_have_url(f"{here.url}/endpoints/{made.id}")
        stored = await world.now_stored(made)
        assert stored.policy is not None
        assert stored.policy.rules[0].when.text == "stock < 5"


async def test_a_replay_is_drawn_for_everybody(here: Seen) -> None:
    async with here.page() as page:
        await page.goto(f"/endpoints/{here.endpoint.id}/policy")
        await page.get_by_role("button", name="Replay").click()
        await expect(page.get_by_role("img", name="Calls as they were, and under these rules")).to_be_visible()
        SCREENSHOTS.mkdir(exist_ok=True)
        await page.screenshot(path=SCREENSHOTS / "policy-replay.png", full_page=True)
        await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        results = await Axe().run(page, options=RULES["light"])

        assert [each["id"] for each in results.response["violations"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_rules_of_accessibility_hold_on_every_page(here: Seen, scheme: str) -> None:
    axe, found = Axe(), dict[str, list[str]]()
    async with here.page(dark=scheme == "dark") as page:
        for name in AXED[scheme] or here.paths:
            await page.goto(here.paths[name])
            await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
            results = await axe.run(page, options=RULES[scheme])
            found[name] = [
                f"{each['id']}: {each['nodes'][0]['html'][:160]} {each['nodes'][0]['failureSummary'][:300]}"
                for each in results.response["violations"]
            ]
    async with here.page(signed_in=False, dark=scheme == "dark") as page:
        await page.goto("/sign-in")
        found["sign-in"] = [each["id"] for each in (await axe.run(page, options=RULES[scheme])).response["violations"]]

    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
async def test_pages_fit_and_are_kept_as_pictures(here: Seen, width: str, scheme: str) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    async with here.page(width=WIDTHS[width], dark=scheme == "dark") as page:
        for name, path in here.paths.items():
            await page.goto(path)
            await page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= WIDTHS[width], (name, wide)
    async with here.page(width=WIDTHS[width], dark=scheme == "dark", signed_in=False) as page:
        await page.goto("/sign-in")
        await page.screenshot(path=SCREENSHOTS / f"sign-in-{width}-{scheme}.png")


async def test_every_page_offers_the_same_with_scripts_off(here: Seen) -> None:
    offered: dict[str, list[int]] = {}
    async with here.page() as scripted, here.page(scripts=False) as plain:
        for name, path in here.paths.items():
            for page in (scripted, plain):
                await page.goto(path)
                offers = page.locator("h1, h2, form, button, a[href], input:not([type=hidden]), select, textarea")
                offered.setdefault(name, []).append(await offers.count())

    assert {name: counts for name, counts in offered.items() if counts[0] != counts[1] or counts[1] < 5} == {}


async def test_a_page_changes_while_somebody_looks(here: Seen) -> None:
    async with here.page() as page:
        await page.goto(here.paths["endpoint"])
        await expect(page.locator("#live")).to_have_text("live")
        await page.locator("details[data-key=table] > summary").click()
        await expect(page.locator("[data-part=runs] details[open]")).to_have_count(1)
        world = here.site.world
        world.clock.move(minutes=15)
        await world.control.requests.run_now(here.site.owner, here.endpoint.id)
        run = await world.run_due()
        await expect(page.locator(f'[data-part=runs] a[href="/runs/{run.id}"]')).to_be_visible()
        await expect(page.locator("details[data-key=table]")).to_have_attribute("open", "")
        await expect(page.locator("[data-part=runs] details[open]")).to_have_count(1)
        await expect(page.locator(f'[data-part=runs] details[data-key="{run.id}"]')).to_have_attribute("open", "")


async def test_a_double_click_makes_a_key_once_and_shows_it(here: Seen) -> None:
    sent, clicked = list[str](), asyncio.Event()

    async def answered_late(route: Route) -> None:
        sent.append(route.request.url)
        await clicked.wait()
        await route.continue_()

    async with here.page() as page:
        await page.goto("/keys")
        await page.route("**/keys/new", answered_late)
        await page.get_by_label("Name", exact=True).fill("clicked twice")
        button = page.get_by_role("button", name="Make the key")
        await button.scroll_into_view_if_needed()
        box = await button.bounding_box()
        assert box is not None
        for _ in range(2):
            await page.mouse.click(box["x"] + 5, box["y"] + 5)
            await eventually_async(lambda: bool(sent))
        clicked.set()

        await expect(page.get_by_text(re.compile("^ck_[0-9a-f]{64}$"))).to_be_visible()
    assert len(sent) == 1


async def test_distances_in_time_stay_true(here: Seen) -> None:
    async with here.page() as page:
        await page.goto(here.paths["run"])
        told = page.locator("main [data-far]").first
        before = await told.inner_text()

        await expect(told).not_to_have_text(before, timeout=61_000 if "min" in before else 5_000)


async def test_the_keyboard_skips_to_the_content_and_colours_stay_chosen(here: Seen) -> None:
    async with here.page() as page:
        await page.goto("/jobs")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile("#main$"))
        await page.get_by_role("button", name="dark").click()
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        await expect(page).to_have_url(f"{here.url}/jobs")


async def test_a_slash_leads_to_the_search_from_anywhere_but_a_field(here: Seen) -> None:
    async with here.page() as page:
        await page.goto(here.paths["endpoint"])
        await page.keyboard.press("/")
        await expect(page.get_by_label("Search jobs and endpoints")).to_be_focused()
        await page.keyboard.type("sto/k")
        await expect(page.get_by_label("Search jobs and endpoints")).to_have_value("sto/k")
        await page.keyboard.press("Control+a")
        await page.keyboard.type("shop.example")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Found for “shop.example”")).to_be_visible()
        await expect(page.locator("main").get_by_role("link", name="stock")).to_be_visible()


async def test_a_picture_is_packed_small_or_refused(here: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    async with here.page() as page:
        await page.goto(here.paths["overview"])
        png = await page.screenshot()
        empty = await page.context.new_page()
        webp = await pictures.packed(empty, png)
        monkeypatch.setattr(pictures, "PICTURE_BYTES_MAX", len(webp) - 1)
        with pytest.raises(ValueError, match="take less of the page"):
            await pictures.packed(empty, png)

    assert (webp[:4], webp[8:12]) == (b"RIFF", b"WEBP")
    assert len(webp) < len(png)
