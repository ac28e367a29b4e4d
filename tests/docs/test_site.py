"""The documentation as a site: whole, without broken links, and searched without a server or a network."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.architecture.source import ROOT
from tests.docs.markdown import DOCS
from tests.web.browser.chromium import ARGUMENTS, FOUND, PATIENCE_MS, needs_chromium

LOADED = re.compile(r"""<(?:script|img|iframe|source)[^>]*\ssrc="([^"]*)"|<link[^>]*\shref="([^"]*)""")


def build(clone: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    return subprocess.run(command, cwd=clone, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)

    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_the_site_holds_every_page_and_what_it_links_to(site):
    held = {str(path.relative_to(site)) for path in site.rglob("*")}

    assert {f"{page.relative_to(DOCS).with_suffix('.html')}" for page in DOCS.rglob("*.md")} <= held
    assert {"index.html", "CHANGELOG.html", "benchmarks/index.html", "LICENSE"} <= held
    assert {"examples/policies/watchdog.yaml", "examples/schedules/index.html", "examples/schedules/shop.yaml"} <= held
    assert "site.py" not in held


def test_a_link_to_what_is_beside_the_pages_leads_there(site):
    page = site / "explanation" / "many-workers.html"

    assert 'href="../benchmarks/index.html"' in page.read_text(encoding="utf-8")


def test_the_site_loads_nothing_from_elsewhere(site):
    pages = [page.read_text(encoding="utf-8") for page in site.rglob("*.html")]
    loaded = {place for page in pages for pair in LOADED.findall(page) for place in pair}
    styles = "".join(sheet.read_text(encoding="utf-8") for sheet in site.rglob("*.css"))

    assert "search_from_files.js" in loaded
    assert {place for place in loaded if re.match(r"(?:[a-z]+:)?//", place)} == set()
    assert re.findall(r"@import[^;]*|url\([\"']?(?:https?:)?//[^)]*", styles) == []


def test_broken_links_fail_the_build(tmp_path):
    clone = tmp_path / "clone"
    beside = ("mkdocs.yml", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "benchmarks/README.md")
    for name in beside:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, clone / name)
    for name in ("docs", "examples"):
        shutil.copytree(ROOT / name, clone / name)
    with (clone / "README.md").open("a", encoding="utf-8") as readme:
        readme.write("\n[One](docs/no-such-page.md) and [another](docs/quickstart.md#no-such-part)\n")

    built = build(clone, tmp_path / "site")

    assert built.returncode != 0
    assert "no-such-page.md" in built.stderr
    assert "no-such-part" in built.stderr


@needs_chromium
async def test_the_site_is_searched_as_files(site):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=FOUND, args=ARGUMENTS)
        try:
            page, wrong = await browser.new_page(), list[str]()
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith("file:") else None)
            await page.goto((site / "index.html").as_uri())
            search = page.get_by_role("textbox", name="Search")
            await search.click()
            await search.press_sequentially("fence")

            found = page.locator(".md-search-result__item").first
            await expect(found).to_be_visible(timeout=PATIENCE_MS)
            assert wrong == []
        finally:
            await browser.close()
