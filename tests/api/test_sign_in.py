"""Signing in over a real socket: cookies, other sites, fixation, throttling, headers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
import uvicorn

from cronicorn.api.app import create_app
from cronicorn.control.accounts import ATTEMPTS_OF_ACCOUNT
from cronicorn.wiring.api_server import api_server
from cronicorn.wiring.listening import listen, url_of
from tests.api.door import assert_problem, no_metrics
from tests.control.world import LOCAL, World, a_world

PLAIN, OVER_TLS = "cronicorn-session", "__Host-cronicorn-session"
PUBLIC = "https://cron.example.org"

_PATIENCE_S = 60
"""Hashing a password takes a CPU for a while, and a busy machine has few to give."""


class Served:
    """A new installation behind a socket, and the password of its owner."""

    def __init__(self, world: World, client: httpx.AsyncClient, password: str, key: str) -> None:
        self.world = world
        self.client = client
        self.password = password
        self.key = key

    async def sign_in(self, password: str | None = None, login: str = "owner", **headers: str) -> httpx.Response:
        document = {"login": login, "password": password or self.password}
        return await self.client.post("/api/sign-in", json=document, headers=headers)


@asynccontextmanager
async def served(public_origin: str | None = None) -> AsyncIterator[Served]:
    world = a_world()
    first = await world.control.tenants.bootstrap(None)
    assert first is not None
    app = create_app(
        world.control, rehearsing=world.rehearsing, health=world.stores.health, metrics=no_metrics,
        public_origin=public_origin,
    )  # fmt: skip
    with listen("127.0.0.1", 0) as listening:
        server = api_server(app, grace=world.clock.now() - world.clock.now())
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            async with httpx.AsyncClient(base_url=url_of(listening), trust_env=False, timeout=_PATIENCE_S) as client:
                yield Served(world, client, first.password, first.key)
        finally:
            assert isinstance(server, uvicorn.Server)
            server.should_exit = True
            await running


@pytest.fixture
async def site() -> AsyncIterator[Served]:
    async with served() as site:
        yield site


def cookie_of(answer: httpx.Response, name: str = PLAIN) -> Any:
    """The cookie that *answer* sets."""
    return SimpleCookie(answer.headers["set-cookie"])[name]


async def test_the_journey_of_a_member(site: Served) -> None:
    refused = await site.client.get("/api/me")
    entered = await site.sign_in()
    token = {"x-csrf-token": entered.json()["csrfToken"]}
    me = await site.client.get("/api/me")
    made = await site.client.post("/api/jobs", json={"name": "shop"}, headers=token)
    listed = await site.client.get("/api/jobs")
    changed = await site.client.post(
        "/api/me/password", json={"password": site.password, "newPassword": "correct horse battery"}, headers=token
    )
    token = {"x-csrf-token": changed.json()["csrfToken"]}
    left = await site.client.post("/api/sign-out", headers=token)
    after = await site.client.get("/api/me")

    statuses = [answer.status_code for answer in (refused, entered, me, made, listed, changed, left, after)]
    assert statuses == [401, 200, 200, 201, 200, 200, 204, 401]
    assert me.json() == entered.json()
    assert me.json() | {"kind": "user", "name": "owner"} == me.json()
    assert "tenants:write" in me.json()["permissions"]
    assert made.json()["id"] in listed.text
    assert dict(site.client.cookies) == {}  # The answer to signing out took it away.


async def test_the_cookie_is_for_no_script_and_no_other_site(site: Served) -> None:
    cookie = cookie_of(await site.sign_in())

    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "strict"
    assert (cookie["path"], cookie["domain"], cookie["secure"]) == ("/", "", "")
    assert 0 < int(cookie["max-age"]) <= 7 * 86_400


async def test_behind_tls_the_cookie_goes_over_tls_alone_and_to_this_host_alone() -> None:
    async with served(PUBLIC) as site:
        answer = await site.sign_in(origin=PUBLIC)
        cookie = cookie_of(answer, OVER_TLS)
        shown = {"cookie": f"{OVER_TLS}={cookie.value}"}
        me = await site.client.get("/api/me", headers=shown)
        plain = await site.client.get("/api/me", headers={"cookie": f"{PLAIN}={cookie.value}"})
        left = await site.client.post(
            "/api/sign-out", headers={**shown, "origin": PUBLIC, "x-csrf-token": me.json()["csrfToken"]}
        )

    assert cookie["secure"]
    assert (cookie["path"], cookie["domain"]) == ("/", "")
    assert (me.status_code, plain.status_code, left.status_code) == (200, 401, 204)
    assert cookie_of(left, OVER_TLS)["secure"]  # A browser would not take an answer without it for this name.


async def test_a_proxy_on_this_machine_that_speaks_tls_is_enough() -> None:
    async with served() as site:
        origin = f"https://{site.client.base_url.netloc.decode()}"
        answer = await site.sign_in(**{"x-forwarded-proto": "https", "origin": origin})

    assert cookie_of(answer, OVER_TLS)["secure"]


async def test_a_session_that_somebody_else_chose_is_not_taken_over(site: Served) -> None:
    fixed = {"cookie": f"{PLAIN}=cs_{'0' * 64}"}

    answer = await site.sign_in(**fixed)
    async with httpx.AsyncClient(base_url=site.client.base_url, trust_env=False, timeout=_PATIENCE_S) as attacker:
        fixated = await attacker.get("/api/me", headers=fixed)
    again = await site.sign_in()

    chosen = cookie_of(answer).value
    assert chosen not in fixed["cookie"]
    assert chosen != cookie_of(again).value
    assert fixated.status_code == 401


async def test_a_link_opens_one_session_like_any_other(site: Served) -> None:
    (owner,) = site.world.stores.database.members.values()
    made = await site.world.control.members.offer_link(replace(LOCAL, tenant_id=owner.tenant_id), owner.id)
    foreign = await site.client.post("/api/sign-in", json={"token": made.token}, headers=FOREIGN[0])
    looked = await site.client.get("/api/sign-in", params={"token": made.token})

    entered = await site.client.post("/api/sign-in", json={"token": made.token})
    again = await site.client.post("/api/sign-in", json={"token": made.token})
    me = await site.client.get("/api/me")

    statuses = [answer.status_code for answer in (foreign, looked, entered, again, me)]
    assert statuses == [403, 405, 200, 401, 200]  # Neither another site nor whoever only looks uses it up.
    assert me.json() == entered.json()
    assert cookie_of(entered)["httponly"]
    assert made.token not in entered.text + again.text


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_no_other_site_asks_in_the_name_of_a_member(site: Served, headers: dict[str, str]) -> None:
    token = (await site.sign_in()).json()["csrfToken"]

    answer = await site.client.post("/api/jobs", json={"name": "x"}, headers={**headers, "x-csrf-token": token})
    entering = await site.sign_in(**headers)
    listed = await site.client.get("/api/jobs")

    assert_problem(answer, 403)
    assert_problem(entering, 403)
    assert "set-cookie" not in entering.headers
    assert listed.json() == {"jobs": []}


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é"])
async def test_a_page_that_does_not_know_the_token_changes_nothing(site: Served, token: str | None) -> None:
    own = f"http://{site.client.base_url.netloc.decode()}"
    await site.sign_in()
    headers = [(b"origin", own.encode()), (b"sec-fetch-site", b"same-origin")]
    if token is not None:
        headers.append((b"x-csrf-token", token.encode()))

    answers = [
        await site.client.request(method, path, json=document, headers=headers)
        for method, path, document in (
            ("POST", "/api/jobs", {"name": "x"}),
            ("DELETE", "/api/me/sessions", None),
            ("PATCH", "/api/members/member_1", {"role": "viewer"}),
        )
    ]

    for answer in answers:
        assert_problem(answer, 403)
    assert (await site.client.get("/api/me")).status_code == 200


async def test_the_token_of_another_session_is_of_no_use(site: Served) -> None:
    other = (await site.sign_in()).json()["csrfToken"]
    await site.sign_in()

    answer = await site.client.post("/api/jobs", json={"name": "x"}, headers={"x-csrf-token": other})

    assert_problem(answer, 403)


async def test_a_key_needs_neither_origin_nor_token(site: Served) -> None:
    await site.sign_in()

    answer = await site.client.post(
        "/api/jobs", json={"name": "x"}, headers={"x-api-key": site.key, "origin": "https://elsewhere.example"}
    )

    assert answer.status_code == 201


@pytest.mark.parametrize("headers", [{"x-api-key": "wrong"}, {"authorization": "Bearer wrong"}, {"authorization": "x"}])
async def test_a_wrong_key_is_refused_although_somebody_is_signed_in(site: Served, headers: dict[str, str]) -> None:
    await site.sign_in()

    assert_problem(await site.client.get("/api/me", headers=headers), 401)


async def test_whoever_tries_too_often_waits_and_hears_how_long(site: Served) -> None:
    answers = [await site.sign_in("wrong") for _ in range(ATTEMPTS_OF_ACCOUNT.limit + 1)]

    assert [answer.status_code for answer in answers] == [401] * ATTEMPTS_OF_ACCOUNT.limit + [429]
    assert_problem(await site.sign_in(), 429)
    assert int(answers[-1].headers["retry-after"]) == 90
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"attempts";q=10;w=900'}
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == [
        f"r={left}" for left in (*range(9, -1, -1), 0)
    ]


async def test_a_login_that_nobody_has_is_refused_like_a_wrong_password(site: Served) -> None:
    wrong, unknown = await site.sign_in("wrong"), await site.sign_in("wrong", "nobody")

    for answer in (wrong, unknown):
        assert_problem(answer, 401)
        assert "set-cookie" not in answer.headers
    told = [
        {name: value for name, value in answer.json().items() if name != "requestId"} for answer in (wrong, unknown)
    ]
    assert told[0] == told[1]


async def test_answers_with_secrets_are_kept_nowhere_and_taken_for_nothing_else(site: Served) -> None:
    entered = await site.sign_in()
    made = await site.client.post("/api/keys", json={"name": "k", "role": "viewer"}, headers={"x-api-key": site.key})

    for answer in (entered, made):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers


@pytest.mark.parametrize(
    "fields",
    [{"login": "x" * 2_000_000}, {"password": "x" * 257}, {"login": ["owner"]}, {"more": 1}, {"login": None}],
)
async def test_odd_and_oversized_input_is_refused_before_anything_is_hashed(
    site: Served, fields: dict[str, Any]
) -> None:
    answer = await site.client.post("/api/sign-in", json={"login": "owner", "password": site.password} | fields)

    assert_problem(answer, 413 if "login" in fields and isinstance(fields["login"], str) else 400)
    assert site.world.stores.database.rates == {}


INJECTIONS = [
    "' OR '1'='1", "'; DROP TABLE members; --", "owner'--", "\\", "%", "_", "{{7*7}}", "${jndi:ldap://x}", "<script>",
    "../../etc/passwd", "a\r\nSet-Cookie: x=y", "\u202eowner", "owner\u200b", "｛｝", "\ufdfa" * 18,
]  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
async def test_texts_that_mean_something_elsewhere_mean_nothing_here(site: Served, text: str) -> None:
    key = {"x-api-key": site.key}
    entering = await site.sign_in(text, text)
    member = await site.client.post("/api/members", json={"login": text, "role": "viewer"}, headers=key)
    named = await site.client.post("/api/keys", json={"name": text, "role": "viewer"}, headers=key)
    job = await site.client.post("/api/jobs", json={"name": text, "description": text}, headers=key)
    found = await site.client.get("/api/audit", params={"objectId": text, "actorId": text, "action": text}, headers=key)

    assert entering.status_code in {400, 401}
    assert member.status_code in {201, 400}
    assert job.status_code in {201, 400}
    if named.status_code == 201:
        assert named.json()["name"] == text
    assert found.json()["entries"] == [] if found.status_code == 200 else found.status_code == 400
    assert "set-cookie" not in entering.headers
    assert {each.login for each in site.world.stores.database.members.values()} >= {"owner"}
