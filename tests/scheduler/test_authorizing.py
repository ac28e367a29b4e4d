"""Calls say who they are, with tokens of a real token endpoint, over sockets."""

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from cronicorn.domain.auth import BasicAuth, BearerAuth, ClientCredentials
from cronicorn.domain.call import OutcomeKind, Request
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.outgoing import call_for
from cronicorn.domain.ports import Dispatcher
from cronicorn.scheduler.access_tokens import SETTLED_AFTER, AccessTokens
from cronicorn.scheduler.preparing import PreparingDispatcher
from tests.adapters.http.loopback import answering, dispatching, serving
from tests.scheduler.test_keychains import Scene
from tests.waiting import eventually_async

SECRET = "client/secret+4711"
HOUR = 3600


class TokenServer:
    """Answers at `/token` with tokens, and elsewhere as a target that knows those it has not revoked."""

    def __init__(self):
        self.asked: list[bytes] = []
        self.called: list[str] = []
        self.revoked: set[str] = set()
        self.lifetime: object = HOUR
        self.says: bytes | None = None
        """What it answers at `/token` instead."""
        self.gate: asyncio.Event | None = None
        """What it waits for before that."""
        self.moved_to: str | None = None
        """Where it sends whoever calls it as a target."""

    async def __call__(self, connection):
        while True:
            request = await connection.request()
            head, _, _ = request.partition(b"\r\n\r\n")
            if b" /token " in head.split(b"\r\n")[0]:
                self.asked.append(request)
                if self.gate is not None:
                    await self.gate.wait()
                given: dict[str, object] = {"access_token": f"token-{len(self.asked)}-4711", "token_type": "Bearer"}
                given |= {"expires_in": self.lifetime}
                await connection.send(
                    self.says or answering(json.dumps(given).encode(), "Content-Type: application/json")
                )
                continue
            lines = [line.decode() for line in head.split(b"\r\n") if line.lower().startswith(b"authorization:")]
            said = lines[0].partition(": ")[2] if lines else ""
            self.called.append(said)
            if self.moved_to is not None:
                await connection.send(answering(b"", f"Location: {self.moved_to}", status="307 Moved"))
                continue
            known = said.removeprefix("Bearer ") not in self.revoked
            await connection.send(
                answering(f"you said {said}".encode(), status="200 OK" if known else "401 Unauthorized")
            )


@asynccontextmanager
async def stage(auth=None, **options):
    """A token endpoint that is a target, too, and what calls it for tenant t1."""
    scene, server = Scene(), TokenServer()
    await scene.give_secrets(client=SECRET, other="another-4711")
    async with serving(server) as listening, dispatching(**options) as inner:
        outer = PreparingDispatcher(inner, scene.keychains, scene.clock)

        async def call(secret="client", timeout=5, tenant="t1", said=auth):
            made = said or ClientCredentials(
                token_url=listening.url("/token"), client_id="shop", client_secret=f"{{{{secret.{secret}}}}}"
            )
            limit = timedelta(seconds=timeout)
            request = Request(url=listening.url("/stock"), auth=made, timeout=limit, redirects_max=1)
            return await outer.dispatch(call_for(an_endpoint(id="ep1", tenant_id=tenant, request=request), 7, 3))

        yield scene, server, call


async def test_a_bearer_token_and_a_password_are_sent_and_hidden():
    async with stage() as (_, server, call):
        bearer = await call(said=BearerAuth(token="{{secret.client}}"))
        basic = await call(said=BasicAuth(username="ada", password="{{secret.client}}"))

    encoded = base64.b64encode(f"ada:{SECRET}".encode()).decode()
    assert server.called == [f"Bearer {SECRET}", f"Basic {encoded}"]
    assert (bearer.body, basic.body) == ("you said Bearer ********", "you said Basic ********")


async def test_a_token_is_asked_for_once_used_until_shortly_before_its_end_and_hidden():
    async with stage() as (scene, server, call):
        first = await call()
        scene.clock.move(seconds=HOUR - 61)
        await call()
        scene.clock.move(seconds=32)
        await call()

    assert server.called == ["Bearer token-1-4711", "Bearer token-1-4711", "Bearer token-2-4711"]
    assert len(server.asked) == 2
    assert first.body == "you said Bearer ********"
    assert (first.status_code, first.sent_again) == (200, False)


async def test_before_its_end_it_is_renewed_while_calls_go_on_with_it():
    async with stage() as (scene, server, call):
        await call()
        scene.clock.move(seconds=HOUR - 45)
        server.gate = asyncio.Event()
        await call()
        await call()
        await eventually_async(lambda: len(server.asked) == 2)
        server.gate.set()

        async def renewed():
            await call()
            return server.called[-1] == "Bearer token-2-4711"

        while not await renewed():
            pass

    assert server.called[:3] == ["Bearer token-1-4711"] * 3
    assert len(server.asked) == 2


async def test_one_that_could_not_be_renewed_is_used_to_its_end_and_asked_for_now_and_then(caplog):
    async with stage() as (scene, server, call):
        await call()
        server.says = answering(b"", status="503 Service Unavailable")
        scene.clock.move(seconds=HOUR - 45)
        await call()
        await eventually_async(lambda: "token_not_renewed" in [record.message for record in caplog.records])
        still = await call()
        asked = len(server.asked)
        scene.clock.move(seconds=20)
        ended = await call()

    assert still.status_code == 200
    assert asked == 2
    assert ended.kind is OutcomeKind.NO_TOKEN


async def test_of_many_that_want_one_token_one_asks():
    async with stage() as (_, server, call):
        server.gate = asyncio.Event()
        calls = [asyncio.ensure_future(call()) for _ in range(50)]
        await eventually_async(lambda: server.asked)
        server.gate.set()
        outcomes = await asyncio.gather(*calls)

    assert len(server.asked) == 1
    assert [each.status_code for each in outcomes] == [200] * 50


async def test_whoever_waits_does_so_within_the_limit_of_the_call_and_takes_it_from_nobody():
    async with stage() as (_, server, call):
        server.gate = asyncio.Event()
        patient = asyncio.ensure_future(call(timeout=60))
        await eventually_async(lambda: server.asked)
        hasty = await call(timeout=1)
        server.gate.set()

        assert hasty.kind is OutcomeKind.NO_TOKEN
        assert "within the call's own limit" in hasty.error
        assert (await patient).status_code == 200
        assert len(server.asked) == 1


async def test_another_text_of_the_secret_another_client_and_another_tenant_have_tokens_of_their_own():
    async with stage() as (scene, server, call):
        await scene.give_secrets("t2", client=SECRET)
        await call()
        await call(secret="other")
        await call(tenant="t2")
        await scene.give_secrets(client="changed-4711")
        scene.clock.move(seconds=3)
        await call()

    assert server.called == [f"Bearer token-{number}-4711" for number in (1, 2, 3, 4)]
    authorizations = [base64.b64decode(asked.split(b"Basic ")[1].split(b"\r\n")[0]) for asked in server.asked]
    assert authorizations[3] == b"shop:changed-4711"


async def test_a_token_that_the_target_refuses_is_dropped_and_the_call_made_once_more():
    async with stage() as (scene, server, call):
        await call()
        scene.clock.move(seconds=SETTLED_AFTER.total_seconds())
        server.revoked.add("token-1-4711")
        outcomes = await asyncio.gather(*[call() for _ in range(5)])

    assert [(each.status_code, each.sent_again) for each in outcomes] == [(200, True)] * 5
    assert len(server.asked) == 2
    assert all("4711" not in each.body for each in outcomes)


async def test_a_target_that_refuses_every_token_is_asked_twice_and_the_token_endpoint_not_by_each_call():
    async with stage() as (scene, server, call):
        server.revoked |= {f"token-{number}-4711" for number in range(10)}
        fresh = await call()
        scene.clock.move(seconds=SETTLED_AFTER.total_seconds())
        twice = await call()
        again = await call()

    assert [each.status_code for each in (fresh, twice, again)] == [401] * 3
    assert [each.sent_again for each in (fresh, twice, again)] == [False, True, False]
    assert len(server.asked) == 2
    assert len(server.called) == 4


async def test_a_refusal_stands_where_no_other_token_is_to_be_had():
    async with stage() as (scene, server, call):
        await call()
        scene.clock.move(seconds=SETTLED_AFTER.total_seconds())
        server.revoked.add("token-1-4711")
        server.says = answering(b"", status="503 Service Unavailable")
        outcome = await call()

    assert (outcome.kind, outcome.status_code, outcome.sent_again) == (OutcomeKind.RESPONDED, 401, False)


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (
            answering(json.dumps({"error": "invalid_client", "m": SECRET}).encode(), status="401 No"),
            "401, invalid_client",
        ),
        (answering(b"x" * 1_000_000), "longer than 64 KiB"),
        (answering(b"<p>" + SECRET.encode()), "no JSON object"),
        (answering(b'{"access_token":"tok-4711\\r\\nX-Evil: 1"}'), "can't be sent"),
        (answering(b"[" * 50_000), "no JSON object"),
        (answering(b"", "Location: http://10.0.0.1/" + SECRET, status="307 Moved"), "a redirect"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", "in time"),
        (b"nonsense\r\n\r\n", "The answer of"),
    ],
)
async def test_what_gives_no_token_fails_the_run_and_says_why_without_the_secret(says, told, monkeypatch):
    monkeypatch.setattr("cronicorn.scheduler.access_tokens.ASKING_MAX", timedelta(seconds=1))
    async with stage() as (_, server, call):
        server.says = says
        outcome = await call()

    assert outcome.kind is OutcomeKind.NO_TOKEN
    assert outcome.status_code is None
    assert told in outcome.error
    assert "127.0.0.1 gave no token" in outcome.error
    assert "4711" not in outcome.error
    assert server.called == []


async def test_a_token_endpoint_is_called_within_what_its_tenant_may_call():
    private = ClientCredentials(token_url="http://10.1.2.3/token", client_id="shop", client_secret="{{secret.client}}")
    async with stage(private) as (_, server, call):
        outcome = await call()

    assert outcome.kind is OutcomeKind.NO_TOKEN
    assert "10.1.2.3 may not be called" in outcome.error
    assert server.called == []


async def test_a_token_stays_at_home_when_a_redirect_leads_elsewhere():
    elsewhere = TokenServer()
    async with stage() as (_, server, call), serving(elsewhere) as listening:
        server.moved_to = listening.url("/stock")
        outcome = await call()

    assert outcome.status_code == 200
    assert server.called == ["Bearer token-1-4711"]
    assert elsewhere.called == [""]


class Full(Dispatcher):
    """Has no room."""

    async def dispatch(self, call):
        raise UnavailableError("No room.")


async def test_where_there_is_no_room_to_ask_nothing_was_sent_and_the_slot_is_given_back():
    scene = Scene()
    tokens = AccessTokens(Full(), scene.clock)
    client = ClientCredentials(token_url="https://id.example/", client_id="a", client_secret="b")

    with pytest.raises(UnavailableError):
        await tokens.of("t1", client, timedelta(seconds=5))
    with pytest.raises(UnavailableError):
        await tokens.of("t1", client, timedelta(seconds=5))
