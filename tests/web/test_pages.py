"""Every page: who may see it, what it says, what it weighs, and that text from elsewhere stays text."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cronicorn.domain.attendance.worker import WorkerReport
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.permission import Role
from cronicorn.testing.dispatchers import Reply
from cronicorn.web.assets import Assets
from cronicorn.web.pages.jobs import JOBS_SHOWN
from tests.web.site import Site, a_browser, a_hint, a_site, beside, filled, scripts_of

PAGE_BYTES_MAX = 60_000
HOSTILE = "</title></textarea>\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"


class Outline(HTMLParser):
    """The elements of a page, and whether each is closed."""

    VOID = frozenset({"meta", "link", "input", "img", "br", "path", "rect", "circle"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID or (tag in {"path", "rect", "circle"} and not self.get_starttag_text().endswith("/>")):  # type: ignore[union-attr]
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag, (tag, self.getpos())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


async def paths_of(site: Site, **fields: object) -> list[str]:
    """Every page of a site where something has happened."""
    endpoint = await filled(site, **fields)  # type: ignore[arg-type]
    run = f"{endpoint.id}:1:1"
    draft = (await site.world.control.drafts.make(site.owner, endpoint.id)).draft.id
    return [
        "/", "/jobs", "/jobs?status=archived", "/jobs/new", f"/jobs/{endpoint.job_id}", f"/endpoints/{endpoint.id}",
        f"/endpoints/{endpoint.id}?last=1h", f"/runs/{run}", "/nowhere",
        f"/endpoints/{endpoint.id}/policy?example=escalation-ladder", f"/endpoints/{endpoint.id}/policy/drafts/{draft}",
        f"/jobs/{endpoint.job_id}/endpoints/new?pattern=monitor", f"/endpoints/{endpoint.id}/edit",
        f"/endpoints/{endpoint.id}/delete", f"/jobs/{endpoint.job_id}/edit", "/settings", "/account", "/incidents",
        "/incidents?show=all", "/incidents/incident_1", "/alerts", "/alerts/rules", "/alerts/rules/change",
        "/alerts/rules/new", "/alerts/maintenance", "/alerts/maintenance/new", "/alerts/routes/new",
        f"/endpoints/{endpoint.id}/why", f"/endpoints/{endpoint.id}/why?at=2026-01-01T00:05:00Z",
        f"/endpoints/{endpoint.id}/analyses",
        "/members", "/keys", "/secrets", "/signing-key", "/tenant",
        "/search", "/search?q=stock", "/calendar", "/calendar?view=week", "/calendar/hosts",
        "/usage", "/audit", "/workers",
    ]  # fmt: skip


async def test_each_page_is_sound_small_and_runs_nothing_of_its_own() -> None:
    async with a_site() as site:
        paths = await paths_of(site, runs=120)
        answers = {path: await site.client.get(path) for path in paths}
        alone = {path: await site.client.get(path, headers={"x-live": "1"}) for path in paths}
        async with a_browser(site.app) as stranger:
            answers["/sign-in"] = await stranger.get("/sign-in")

    for path, answer in answers.items():
        assert answer.status_code == (404 if path == "/nowhere" else 200), path
        assert len(answer.content) + beside(answer.text) < PAGE_BYTES_MAX, (path, len(answer.content))
        outline = Outline(answer.text)
        assert outline.open == [], path
        scripts = [Assets().url(name) for name in scripts_of(answer.text)]
        assert [attributes.get("src") for attributes in outline.all("script")] == scripts
        assert outline.all("style") == []
        for tag, attributes in outline.elements:
            assert not [name for name in attributes if name == "style" or name.startswith("on")], (path, tag)
        ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
        assert len(ids) == len(set(ids)), path
        assert len(outline.all("h1")) == 1, path
        labels = {attributes["for"] for attributes in outline.all("label")}
        fields = [*outline.all("input"), *outline.all("textarea"), *outline.all("select")]
        assert {each["id"] for each in fields if each.get("type") != "hidden"} == labels, path
    for path, answer in alone.items():
        assert len(answer.content) < len(answers[path].content)
        assert set(re.findall('data-part="[a-z]+"', answer.text)) == set(
            re.findall('data-part="[a-z]+"', answers[path].text)
        )


async def test_whoever_asks_for_the_head_of_a_page_gets_it_and_no_body() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=2)
        paths = ["/", f"/endpoints/{endpoint.id}", "/nowhere", Assets().url("app.css"), "/sign-in"]
        pages, heads = [], []
        for path in paths:
            pages.append(await site.client.get(path))
            heads.append(await site.client.head(path))
        stream = await site.client.head("/events?of=overview")
        async with a_browser(site.app) as stranger:
            sent_on = await stranger.head("/jobs")

    assert [each.status_code for each in heads] == [each.status_code for each in pages] == [200, 200, 404, 200, 303]
    assert [each.content for each in heads] == [b""] * len(paths)
    assert [each.headers["content-type"] for each in heads[:4]] == [each.headers["content-type"] for each in pages[:4]]
    assert stream.status_code == 405
    assert (sent_on.status_code, sent_on.headers["location"]) == (303, "/sign-in?next=%2Fjobs")


@pytest.mark.parametrize(
    ("asked", "led"),
    [("/jobs/", "/jobs"), ("/jobs//?q=a%2F", "/jobs?q=a%2F"), ("/nowhere/", "/nowhere"), ("//evil.example/", "/")],
)
async def test_a_slash_too_many_leads_to_the_page_on_whatever_host_and_scheme_it_was_asked(
    asked: str, led: str
) -> None:
    async with a_site() as site:
        answer = await site.client.get(f"http://cronicorn{asked}", headers={"host": "inside:3333"})

    assert (answer.status_code, answer.headers["location"]) == (303, led)


LONG = "<&'\"" * 60


@pytest.mark.parametrize("runs", [89, 400])
async def test_nothing_that_anybody_sends_makes_a_page_heavy(runs: int) -> None:
    async with a_site() as site:
        world = site.world
        job = await world.job(site.owner, LONG[:255])
        for number in range(70):
            await world.job(site.owner, f"{number} {LONG[:200]}")
            await world.endpoint(site.owner, jobId=job, name=f"{number} {LONG[:200]}", dormant=True)
        endpoint = await world.endpoint(site.owner, jobId=job, name=LONG[:255], description=LONG * 4)
        headers = tuple((f"x-{number}", LONG * 4) for number in range(60))
        for number in range(runs):
            at = await world.next_run_at(endpoint)
            assert at is not None
            world.clock.instant = max(at, world.clock.instant)
            if number % 4 == 1:
                await world.control.hints.write_interval(site.owner, endpoint.id, a_hint(90_000, LONG))
            if number % 4 == 3:
                await world.control.hints.clear(site.owner, endpoint.id)
            await world.run_due(an_outcome(503, body=LONG * 400, error=LONG * 2, headers=headers))
        pages = {
            path: await site.client.get(path)
            for path in ("/", "/jobs", "/jobs?page=2", f"/jobs/{job}", f"/endpoints/{endpoint.id}",
                         f"/endpoints/{endpoint.id}?last=30d", f"/runs/{endpoint.id}:{runs}:1", "/search?q=%3C%26",
                         "/calendar", "/calendar/hosts", "/usage", "/audit",
                         "/workers")
        }  # fmt: skip

    weights = {path: len(page.content) + beside(page.text) for path, page in pages.items()}
    assert {path: weight for path, weight in weights.items() if weight >= PAGE_BYTES_MAX} == {}


async def test_the_overview_tells_who_works_what_runs_and_what_waits() -> None:
    async with a_site() as site:
        endpoint, book = await filled(site, runs=2), site.world.stores.worker_book
        before = await site.text("/")
        site.world.clock.move(minutes=2)
        waiting = await site.text("/")
        await book.note(WorkerReport(worker_id="db-host-7", version="9.9"))
        await site.world.claim()
        during = await site.text("/")

    assert "No workers alive." in before
    assert "1 slot waits for a worker" in waiting
    assert '<span class="tag is-running">' not in waiting
    running = during.partition('<span class="tag is-running">')[2].partition("</li>")[0]
    assert f'href="/endpoints/{endpoint.id}">shop &lt;b&gt;/stock</a>' in running
    assert "workers alive." in during
    assert "waits for a worker" not in during
    assert "db-host-7" not in during


async def test_jobs_come_in_pages() -> None:
    async with a_site() as site:
        for number in range(JOBS_SHOWN + 1):
            await site.world.job(site.owner, f"job {number}")
        pages = {page: await site.text(f"/jobs?q=job&page={page}") for page in ("1", "2", "99", "x", "-1", "9" * 40)}

    assert "1 to 60 of 61" in pages["1"]
    assert 'href="?q=job&amp;status=&amp;page=2"' in pages["1"]
    assert "61 to 61 of 61" in pages["2"]
    assert "61 to 61 of 61" in pages["99"]
    assert all("1 to 60 of 61" in pages[page] for page in ("x", "-1", "9" * 40))


async def test_pages_carry_the_headers_that_keep_them_harmless() -> None:
    async with a_site() as site:
        pages = [await site.client.get(path) for path in ("/", "/jobs", "/nowhere")]
        async with a_browser(site.app) as stranger:
            pages.append(await stranger.get("/sign-in"))

    for page in pages:
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;")
        assert "unsafe" not in policy
        for rule in ("connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert rule in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-request-id"]
        assert page.headers["content-type"] == "text/html; charset=utf-8"


async def test_files_are_kept_for_good_under_the_name_of_their_content_alone() -> None:
    async with a_site() as site, a_browser(site.app) as stranger:
        url = Assets().url("app.css")
        named, other = await stranger.get(url), await stranger.get("/static/app.css?v=older")
        known = await stranger.get(url, headers={"if-none-match": named.headers["etag"]})
        absent = [await stranger.get(f"/static/{name}") for name in ("none.css", "..%2Fapp.py", "a/b")]

    assert named.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in named.headers["cache-control"]
    assert other.headers["cache-control"] == "no-cache"
    assert (known.status_code, known.content) == (304, b"")
    assert [answer.status_code for answer in absent] == [404] * 3


def test_nothing_in_the_files_depends_on_blanks_that_are_not_sent() -> None:
    folder = Path("src/cronicorn/web/static")
    scripts = [file.read_text(encoding="utf-8") for file in folder.glob("*.js")]
    sheet = (folder / "app.css").read_text(encoding="utf-8")

    assert [line for script in scripts for line in script.splitlines() if line.count("`") % 2] == []
    assert [text for text in re.findall('"[^"]*"', sheet) if re.search("[{};,:] | [{}]", text)] == []
    assert re.findall("[a-z*)] +:[a-z]", sheet) == []


async def test_text_from_elsewhere_is_shown_as_text() -> None:
    async with a_site() as site:
        world = site.world
        job = await world.job(site.owner, HOSTILE)
        endpoint = await world.endpoint(
            site.owner,
            jobId=job,
            name=HOSTILE,
            description=HOSTILE,
            url="https://x.example/?a=<script>alert(1)</script>",
        )
        world.clock.move(minutes=1)
        await world.run_due(
            an_outcome(500, body=f"{HOSTILE}\ud800", headers=(("x-odd", HOSTILE),), error=f"It broke: {HOSTILE}")
        )
        await site.send(
            f"/endpoints/{endpoint.id}", f"/endpoints/{endpoint.id}/pause", **{"for": "1h", "reason": HOSTILE}
        )
        fault = await site.send(
            f"/endpoints/{endpoint.id}", f"/endpoints/{endpoint.id}/pause", **{"for": HOSTILE, "reason": HOSTILE}
        )
        search = await site.text("/jobs?q=" + "%3Cscript%3Ealert(1)%3C/script%3E")
        pages = [await site.text(f"/{path}") for path in
                 ("", "jobs", f"jobs/{job}", f"endpoints/{endpoint.id}", f"runs/{endpoint.id}:1:1")]  # fmt: skip

    for page in (*pages, fault.text, search):
        outline = Outline(page)
        assert outline.open == []
        assert len(outline.all("script")) == 1
        assert [each for each in outline.all("img") if each.get("src") == "x"] == []
        assert "49" not in re.findall(r"onerror=alert\(1\)&gt;(\S*)", page)
    assert all("&lt;/title&gt;" in page for page in pages)  # Of long names lists show the beginning.
    assert all("&lt;script&gt;alert(1)" in page for page in (*pages[3:], search))
    assert fault.status_code == 400
    assert f'name="back" value="/endpoints/{endpoint.id}"' in fault.text  # A form's address is no page.
    assert "Say how long as 30m, 2h or 7d, or until when as 2026-01-31T09:30Z." in fault.text


SHOWN = {
    Role.VIEWER: set[str](),
    Role.OPERATOR: {"/run", "/test", "/pause", "/clear-hints"},
    Role.EDITOR: {"/run", "/test", "/pause", "/clear-hints", "new"},
    Role.OWNER: {"/run", "/test", "/pause", "/clear-hints", "new"},
}


@pytest.mark.parametrize("role", Role)
async def test_people_see_what_they_may_do_and_nothing_else(role: Role) -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=7)
        at = f"/endpoints/{endpoint.id}"
        async with site.browsing(role) as theirs:
            page, jobs = await theirs.text(at), await theirs.text("/jobs")
            csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
            tried = {each: await theirs.client.post(at + each, data={"csrf": csrf, "for": "1h"})
                     for each in ("/run", "/pause", "/resume", "/clear-hints")}  # fmt: skip
            asked = await theirs.client.get("/jobs/new")
            made = await theirs.client.post("/jobs/new", data={"csrf": csrf, "name": "another"})

    shown = {each for each in ("/run", "/test", "/pause", "/clear-hints") if f'action="{at}{each}"' in page}
    shown |= {"new"} if 'href="/jobs/new"' in jobs else set()
    assert shown == SHOWN[role]
    assert {answer.status_code for answer in tried.values()} == ({403} if role is Role.VIEWER else {303})
    assert (asked.status_code, made.status_code) == ((200, 303) if "new" in SHOWN[role] else (403, 403))
    if role is Role.VIEWER:
        assert "runs:control" in tried["/run"].text


async def test_what_belongs_to_another_tenant_is_not_there() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=1)
        _, rival = site.world.stores.database.tenants.values()
        theirs = Site(site.world, rival.id, site.app, site.client)
        async with theirs.browsing(Role.OWNER) as other:
            pages = [f"/jobs/{endpoint.job_id}", f"/endpoints/{endpoint.id}", f"/runs/{endpoint.id}:1:1",
                     "/endpoints/a%00b", "/endpoints/" + "x" * 100]  # fmt: skip
            answers = [await other.client.get(path) for path in pages]
            csrf = (await other.text("/jobs")).partition('name="csrf" value="')[2].partition('"')[0]
            forms = [f"/endpoints/{endpoint.id}/{each}" for each in ("run", "pause", "resume", "test", "clear-hints")]
            forms.append(f"/jobs/{endpoint.job_id}/pause")
            answers += [await other.client.post(path, data={"csrf": csrf, "for": "1h"}) for path in forms]
            seen = await other.text("/") + await other.text("/jobs")

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert endpoint.id not in seen
    assert "Nothing is called yet" in seen
    assert "No such job." in seen


async def test_a_person_pauses_resumes_runs_and_tries_an_endpoint() -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=3)
        at = f"/endpoints/{endpoint.id}"
        site.world.dispatcher.script = lambda _call, _number: Reply(status_code=204)
        paused = await site.send(at, f"{at}/pause", **{"for": "2h", "reason": "They deploy."})
        page = await site.text(at)
        resumed = await site.send(at, f"{at}/resume")
        until = await site.send(at, f"{at}/pause", **{"for": " 2026-01-02 09:30+01:00 ", "reason": ""})
        paused_until = await site.text(at)
        past = await site.send(at, f"{at}/pause", **{"for": "2025-01-02T09:30Z", "reason": "kept"})
        await site.send(at, f"{at}/resume")
        asked = await site.send(at, f"{at}/run")
        run = await site.world.run_due()
        tried = await site.send(at, f"{at}/test")
        seen = await site.text(tried.headers["location"])

    assert [each.headers["location"] for each in (paused, resumed, asked)] == [at] * 3
    assert "They deploy." in page
    assert until.status_code == 303
    assert 'datetime="2026-01-02T08:30:00Z"' in paused_until
    assert (past.status_code, "Must lie in the future" in past.text, 'value="kept"' in past.text) == (400, True, True)
    assert 'action="' + at + '/resume"' in page
    assert run.source.value == "manual"
    assert "204" in seen


async def test_a_job_is_made_paused_and_archived() -> None:
    async with a_site() as site:
        welcome = await site.text("/")
        bad = await site.send("/jobs/new", "/jobs/new", name="  ", description="kept")
        made = await site.send("/jobs/new", "/jobs/new", name="shop", description="")
        at = made.headers["location"]
        empty = await site.text(at)
        moved = [await site.send(at, f"{at}/{each}") for each in ("pause", "resume", "archive")]
        odd = await site.client.post(f"{at}/explode", data={"csrf": empty.partition('csrf" value="')[2][:64]})
        listed = await site.text("/jobs")

    assert "Nothing is called yet" in welcome
    assert "curl" in welcome
    assert bad.status_code == 400
    assert 'id="name-fault">Must be 1 to 255 characters' in bad.text
    assert ">kept</textarea>" in bad.text
    assert "No endpoint yet" in empty
    assert [each.status_code for each in moved] == [303] * 3
    assert odd.status_code == 400
    assert "No such job." in listed


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?last=24h", 200), ("?last=soon", 400), ("?last=9999999999d", 400), ("?from=yesterday", 400),
        ("?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z", 200), ("?from=2026-01-01", 200),
        ("?from=2026-01-01T00:00:00Z&to=2025-01-01T01:00:00Z", 400), ("?from=0001-01-01&to=9999-12-31", 400),
        ("?to=0001-01-01T00:00:01Z", 400), ("?from=9999-12-31T23:59:59Z", 400),
        ("?to=2026-01-01T00:00:00%2B02:00", 200),
    ],
)  # fmt: skip
async def test_a_range_is_read_or_refused_with_a_page(query: str, status: int) -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=2)
        answer = await site.client.get(f"/endpoints/{endpoint.id}{query}")

    assert answer.status_code == status, answer.text
    assert ("<svg" in answer.text) == (status == 200)
    assert ("the address" in answer.text.lower()) == (status == 400)


async def test_a_page_that_breaks_tells_so_and_tells_no_more(caplog: pytest.LogCaptureFixture) -> None:
    async with a_site() as site:

        async def broken(*_: object) -> None:
            raise RuntimeError("the secret of the house")

        site.world.stores.jobs.list = broken  # type: ignore[method-assign, assignment]
        answer = await site.client.get("/jobs")

    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert "secret" not in answer.text
    assert [record.getMessage() for record in caplog.records] == ["page_crashed"]
