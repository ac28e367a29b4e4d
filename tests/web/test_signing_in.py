"""Signing in and out by forms, and that nobody else comes in, sends forms, or is led away."""

import httpx
import pytest

from cronicorn.control.accounts import ATTEMPTS_OF_ACCOUNT
from cronicorn.control.members import MemberDocument
from cronicorn.domain.access.member import SESSION_IDLE_MAX
from cronicorn.domain.permission import Role
from cronicorn.web.forms import FORM_BYTES_MAX
from tests.web.site import COOKIE, Site, a_browser, a_site, filled

PAGES = ["/", "/jobs", "/jobs/new", "/endpoints/ep_1", "/runs/ep_1:1:1", "/nowhere"]


async def a_login(site: Site) -> dict[str, str]:
    made = await site.world.control.members.add(site.owner, MemberDocument(login="ann", role=Role.EDITOR))
    return {"login": "ann", "password": made.password}


async def test_a_member_signs_in_looks_and_leaves() -> None:
    async with a_site() as site, a_browser(site.app) as browser:
        sent = await browser.get("/jobs?q=a")
        form = await browser.get(sent.headers["location"])
        entered = await browser.post("/sign-in", data={**await a_login(site), "next": "/jobs?q=a"})
        page = await browser.get(entered.headers["location"])
        again = await browser.get("/sign-in?next=/jobs")
        csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]
        left = await browser.post("/sign-out", data={"csrf": csrf})
        after = await browser.get("/jobs")

    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=%2Fjobs%3Fq%3Da")
    assert 'name="next" value="/jobs?q=a"' in form.text
    assert (entered.status_code, entered.headers["location"]) == (303, "/jobs?q=a")
    assert (page.status_code, again.headers["location"]) == (200, "/jobs")
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    assert dict(browser.cookies) == {}
    assert after.headers["location"] == "/sign-in?next=%2Fjobs"


async def test_a_form_whose_session_has_ended_leads_back_to_where_it_stands() -> None:
    async with a_site() as site, a_browser(site.app) as stranger:
        job = await stranger.post("/jobs/new", data={"csrf": "0", "name": "n"})
        pause = await stranger.post("/endpoints/ep_1/pause", data={"csrf": "0", "for": "2h"})
        elsewhere = await stranger.post("http://cronicorn//evil.example/x", data={"csrf": "0"})

    told = [each.headers["location"] for each in (job, pause, elsewhere)]
    assert told == ["/sign-in?next=%2Fjobs", "/sign-in?next=%2Fendpoints%2Fep_1", "/sign-in?next=%2F%2Fevil.example"]


@pytest.mark.parametrize("path", PAGES)
async def test_whoever_is_not_signed_in_is_sent_to_do_so(path: str) -> None:
    async with a_site() as site, a_browser(site.app) as stranger, a_browser(site.app, "cs_" + "0" * 64) as forger:
        answers = [await stranger.get(path), await forger.get(path), await stranger.post(path)]
        by_itself = await stranger.get(path, headers={"x-live": "1"})
        stream = await stranger.get("/events?of=overview")

    for answer in answers:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    assert (by_itself.status_code, stream.status_code) == (401, 401)


async def test_a_link_from_elsewhere_leads_whoever_is_signed_in_to_the_page() -> None:
    async with a_site() as site, a_browser(site.app) as stranger:
        followed = await stranger.get("/jobs?q=a", headers={"sec-fetch-site": "cross-site"})
        sent_on = await site.client.get("/jobs?q=a", headers={"sec-fetch-site": "same-origin"})
        odd = await stranger.get('/jobs?q="><script>', headers={"sec-fetch-site": "cross-site"})
        form = await stranger.post("/jobs/new", headers={"sec-fetch-site": "cross-site"})
        away = await stranger.get("http://cronicorn//evil.example", headers={"sec-fetch-site": "cross-site"})

    assert 'http-equiv="refresh" content="0; url=/jobs?q=a"' in followed.text
    assert sent_on.status_code == 200
    assert "<script>" not in odd.text
    assert form.headers["location"] == "/sign-in?next=%2Fjobs"
    assert 'content="0; url=/"' in away.text


async def test_what_was_wrong_stands_beside_the_field_and_what_was_entered_stays() -> None:
    async with a_site() as site, a_browser(site.app) as browser:
        login = await a_login(site)
        empty = await browser.post("/sign-in", data={"login": "ann", "password": ""})
        wrong = await browser.post("/sign-in", data={**login, "password": "<b>wrong"})

    assert (empty.status_code, wrong.status_code) == (400, 401)
    assert 'aria-describedby="password-fault" aria-invalid="true"' in empty.text
    assert 'value="ann"' in empty.text
    assert "The login or the password is wrong." in wrong.text
    assert "wrong</" not in wrong.text.replace("is wrong.</", "")
    assert COOKIE not in browser.cookies


async def test_the_token_of_a_link_signs_in_once_and_only_when_it_is_sent() -> None:
    async with a_site() as site, a_browser(site.app) as browser, a_browser(site.app) as late:
        made = await site.world.control.members.add(site.owner, MemberDocument(login="ann", role=Role.EDITOR))
        link = await site.world.control.members.offer_link(site.owner, made.member.id)
        looked = [await late.get(f"/sign-in?token={link.token}") for _ in range(2)]
        entered = await browser.post("/sign-in", data={"token": link.token, "next": "/jobs"})
        page = await browser.get("/jobs")
        again = await late.post("/sign-in", data={"token": link.token})
        odd = await late.post("/sign-in", data={"token": "x" * 300})

    assert all(f'name="token" value="{link.token}"' in answer.text for answer in looked)
    assert all('name="login"' not in answer.text for answer in looked)  # One button, and nothing to fill in.
    assert (entered.status_code, entered.headers["location"], page.status_code) == (303, "/jobs", 200)
    assert (again.status_code, odd.status_code) == (401, 400)
    assert "The link opens nothing" in again.text
    assert 'id="token-fault"' in odd.text


async def test_whoever_tries_too_often_waits_and_is_told_so() -> None:
    async with a_site() as site, a_browser(site.app) as browser:
        login = await a_login(site)
        for _ in range(ATTEMPTS_OF_ACCOUNT.limit):
            await browser.post("/sign-in", data={**login, "password": "wrong"})
        answer = await browser.post("/sign-in", data=login)

    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) == 90
    assert "Too many attempts" in answer.text


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nX: y", ""]
)
async def test_nobody_is_led_to_another_site(to: str) -> None:
    async with a_site() as site, a_browser(site.app) as browser:
        entered = await browser.post("/sign-in", data={**await a_login(site), "next": to})
        switched = await browser.post("/theme", data={"theme": "dark", "back": to})

    assert entered.headers["location"] == "/"
    assert switched.headers["location"] == "/"


FORMS = ["/jobs/new", "/jobs/{job}/pause", "/endpoints/{id}/run", "/endpoints/{id}/pause", "/endpoints/{id}/test",
         "/endpoints/{id}/resume", "/endpoints/{id}/clear-hints", "/sign-out"]  # fmt: skip


@pytest.mark.parametrize("action", FORMS)
async def test_a_form_needs_the_token_of_its_session_and_comes_from_this_site(action: str) -> None:
    async with a_site() as site:
        endpoint = await filled(site, runs=1)
        action = action.format(id=endpoint.id, job=endpoint.job_id)
        text = await site.text("/jobs")
        csrf = text.partition('name="csrf" value="')[2].partition('"')[0]
        async with site.browsing(Role.OWNER) as other:
            theirs = await other.client.post(action, data={"csrf": csrf})
        answers = [
            theirs,
            await site.client.post(action),
            await site.client.post(action, data={"csrf": "0" * 64}),
            await site.client.post(action, data={"csrf": csrf}, headers={"origin": "https://evil.example"}),
            await site.client.post(action, data={"csrf": csrf}, headers={"sec-fetch-site": "cross-site"}),
        ]
        untouched = await site.world.now_stored(endpoint)

    assert [answer.status_code for answer in answers] == [403] * 5
    assert untouched == endpoint


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"name=%FF", "application/x-www-form-urlencoded", 403),
        (b"name=\xff", "application/x-www-form-urlencoded", 400),
        (b'{"name": "x"}', "application/json", 415),
        (b"a=1&" * 300, "application/x-www-form-urlencoded", 400),
        (b"a" * (FORM_BYTES_MAX + 1), "application/x-www-form-urlencoded", 413),
    ],
)
async def test_an_odd_form_is_refused_with_a_page(content: bytes, kind: str, status: int) -> None:
    async with a_site() as site:
        answer = await site.client.post("/jobs/new", content=content, headers={"content-type": kind})

    assert answer.status_code == status
    assert "<h1>" in answer.text
    assert ("connection" in answer.headers) == (status != 403)


async def test_a_page_that_asks_by_itself_keeps_no_session_alive() -> None:
    async with a_site() as site:
        site.world.clock.move(hours=1)
        await site.client.get("/", headers={"x-live": "1"})
        site.world.clock.instant += SESSION_IDLE_MAX
        site.world.clock.move(hours=-1)
        looked = await site.client.get("/", headers={"x-live": "1"})

        assert looked.status_code == 401


async def test_the_colours_stay_chosen_also_before_signing_in() -> None:
    async with a_site() as site, a_browser(site.app) as browser:
        before = await browser.get("/sign-in")
        switched = await browser.post("/theme", data={"theme": "dark", "back": "/sign-in?next=/jobs"})
        after = await browser.get(switched.headers["location"])
        odd = await browser.post("/theme", data={"theme": "<x>", "back": "/jobs"})

    assert "data-theme" not in before.text
    assert switched.headers["location"] == "/sign-in?next=/jobs"
    assert '<html lang="en" data-theme="dark">' in after.text
    assert isinstance(odd, httpx.Response)
    assert "set-cookie" not in odd.headers
