"""Live pages: streams say when to look again, are bounded, and end with their session and their process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NoReturn

import httpx
import pytest

from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.permission import Role
from cronicorn.web.live import STREAMS_PER_SESSION_MAX, Streams, _Looks
from tests.waiting import eventually_async
from tests.web.site import COOKIE, Site, a_site, filled, pages_of
from tests.wiring import api_socket


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Site, Streams, httpx.AsyncClient]]:
    """A site behind a real socket, whose streams look often."""
    streams = Streams(look_every_s=0.01)
    async with a_site() as site, api_socket.listening(pages_of(site.world, streams)) as (_, port):
        cookies = {COOKIE: site.client.cookies[COOKIE]}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", cookies=cookies, trust_env=False) as client:
            yield site, streams, client


async def events(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    """The names of what a stream tells."""
    async for line in lines:
        if line.startswith("event: "):
            yield line.removeprefix("event: ")


async def test_a_page_hears_of_a_change_and_of_the_end_of_its_session() -> None:
    async with listening() as (site, streams, client):
        endpoint = await filled(site, runs=1)
        async with client.stream("GET", f"/events?of=endpoint:{endpoint.id}") as stream:
            told = events(stream.aiter_lines())
            begun = await anext(told)
            await site.world.control.requests.run_now(site.owner, endpoint.id)
            changed = await anext(told)
            site.world.stores.database.signed_in.clear()
            rest = [each async for each in told]

        assert (begun, changed, rest[-1]) == ("begun", "changed", "ended")
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        await eventually_async(lambda: streams.open == 0)


async def test_a_page_goes_on_listening_while_the_store_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as (site, streams, client):
        admittance = site.world.control.admittance
        async with client.stream("GET", "/events?of=overview") as stream:
            told = events(stream.aiter_lines())
            begun = await anext(told)
            with monkeypatch.context() as patched:
                patched.setattr(admittance, "by_session", _away)
                gone = await anext(told)
            back = await anext(told)
            streams.close()
            rest = [each async for each in told]

    assert (begun, gone, back, rest) == ("begun", "changed", "changed", [])


async def _away(*_: object, **__: object) -> NoReturn:
    raise UnavailableError("The store went away.")


async def test_nobody_hears_of_what_belongs_to_another_tenant() -> None:
    async with listening() as (site, streams, client):
        endpoint = await filled(site, runs=1)
        _, rival = site.world.stores.database.tenants.values()
        token = await replace(site, tenant_id=rival.id).token(Role.OWNER, "rival")
        headers = {"cookie": f"{COOKIE}={token}"}
        address = f"/events?of=endpoint:{endpoint.id}"
        async with (
            httpx.AsyncClient(base_url=client.base_url, headers=headers, trust_env=False) as theirs,
            theirs.stream("GET", address) as stream,
            client.stream("GET", address) as own,
        ):
            told, ours = events(stream.aiter_lines()), events(own.aiter_lines())
            begun = [await anext(told), await anext(ours)]
            await site.world.control.requests.run_now(site.owner, endpoint.id)
            changed = await anext(ours)
            streams.close()
            rest = [each async for each in told]

    assert (begun, changed, rest) == (["begun", "begun"], "changed", [])


async def test_streams_hang_up_when_the_process_drains() -> None:
    async with listening() as (_, streams, client):
        async with client.stream("GET", "/events?of=overview") as stream:
            told = events(stream.aiter_lines())
            await anext(told)
            streams.close()
            rest = [each async for each in told]
        async with client.stream("GET", "/events?of=overview") as late:
            nothing = [each async for each in events(late.aiter_lines())]

    assert rest == []
    assert nothing == []


async def test_a_browser_that_goes_away_leaves_its_place() -> None:
    async with listening() as (_, streams, client):
        async with client.stream("GET", "/events?of=overview") as stream:
            await anext(events(stream.aiter_lines()))
            assert streams.open == 1

        await eventually_async(lambda: streams.open == 0)


async def test_one_session_takes_so_many_places_and_no_more() -> None:
    streams = Streams()
    held = [streams.place("a") for _ in range(STREAMS_PER_SESSION_MAX + 1)]
    free = [each.__enter__() for each in held]
    with streams.place("b") as other:
        assert other
    for each in held:
        each.__exit__(None, None, None)

    assert free == [True] * STREAMS_PER_SESSION_MAX + [False]
    assert streams.open == 0


async def test_all_who_look_at_one_thing_cost_one_look_and_none_is_harmed_by_another() -> None:
    looks, looked = _Looks(fresh_s=60), 0
    going = asyncio.Event()

    async def look() -> str:
        nonlocal looked
        looked += 1
        await going.wait()
        return "seen"

    waiting = [asyncio.create_task(looks.at("a", look)) for _ in range(3)]
    other = asyncio.create_task(looks.at("b", look))
    await asyncio.sleep(0)
    waiting[0].cancel()
    going.set()
    seen = await asyncio.gather(*waiting[1:], other)
    again = await looks.at("a", look)

    assert (seen, again, looked) == (["seen"] * 3, "seen", 2)


async def test_nobody_listens_to_what_is_not_there() -> None:
    async with a_site() as site:
        answers = [await site.client.get(f"/events?of={of}") for of in ("", "nothing", "endpoint:a%00b")]

    assert [answer.status_code for answer in answers] == [404] * 3


async def test_what_stays_the_same_is_told_once_in_a_while_and_no_more() -> None:
    streams = Streams(look_every_s=0.001)
    looks = 0

    async def mark() -> str | None:
        nonlocal looks
        looks += 1
        return None if looks > 5 else "same"

    told = [each async for each in streams.tell(mark)]

    assert [each.partition(b"event: ")[2].partition(b"\n")[0] for each in told] == [b"begun", b"ended"]
