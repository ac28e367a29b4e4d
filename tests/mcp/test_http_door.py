"""The door for agents over HTTP, on a real socket: who is let in, from where, and what others are told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from cronicorn.api.agent_door import AgentDoor, AgentSite
from cronicorn.api.gate import RequestFrame
from cronicorn.control.keys import KeyDocument
from cronicorn.domain.fixtures import an_outcome
from cronicorn.mcp.asking import admitted
from cronicorn.mcp.server import create_server
from cronicorn.mcp.states import states_of_this_process
from cronicorn.mcp.toolsets import SCOPES
from cronicorn.web.live import Streams
from cronicorn.wiring.doors import AllDoors
from tests.api.door import an_app
from tests.control.test_proposals import document
from tests.control.world import LOCAL, World, a_world
from tests.mcp.agents import ALL, VERSIONS, Agent
from tests.wiring import api_socket

PUBLIC = "https://cron.example.org"
PROTOCOL = "2026-07-28"
DISCOVER: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {
        "name": "health_summary",
        "arguments": {},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": PROTOCOL,
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    },
}
HEADERS = {
    "accept": "application/json", "content-type": "application/json", "mcp-protocol-version": PROTOCOL,
    "mcp-method": "tools/call", "mcp-name": "health_summary",
}  # fmt: skip


@dataclass(slots=True)
class AgentsDoor:
    """A listening door, and keys to it."""

    world: World
    url: str
    key: str
    other: str
    """Of another tenant."""

    async def post(self, body: object = DISCOVER, path: str = "/mcp", **headers: str) -> httpx.Response:
        """The answer to a raw request of whoever has the key."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return await client.post(path, content=content, headers={**HEADERS, "x-api-key": self.key, **given})

    @asynccontextmanager
    async def agent(self, key: str, mode: str = PROTOCOL) -> AsyncIterator[Agent]:
        """The SDK's client with *key* as its access token."""
        async with httpx2.AsyncClient(headers={"authorization": f"Bearer {key}"}, trust_env=False) as http:
            transport = streamable_http_client(f"{self.url}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                yield Agent(client)


@pytest.fixture
async def door(request) -> AsyncIterator[AgentsDoor]:
    world = a_world()
    key = (await world.control.tenants.add(LOCAL, "acme")).key
    other = (await world.control.tenants.add(LOCAL, "rival")).key
    server = create_server(world.control, admitted, ALL, states_of_this_process())
    unchecked = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    inner = server.streamable_http_app(stateless_http=True, json_response=True, transport_security=unchecked)
    site = AgentSite(scopes=SCOPES, **getattr(request, "param", {}))
    app = RequestFrame(AgentDoor(inner, world.control.admittance, site), new_id=lambda kind: f"{kind}_1")
    running, enough = asyncio.Event(), asyncio.Event()
    managing = asyncio.create_task(manage(server, running, enough))
    await running.wait()
    async with api_socket.listening(app) as (_, port):
        yield AgentsDoor(world, f"http://127.0.0.1:{port}", key, other)
    enough.set()
    await managing


async def manage(server: MCPServer[Any], running: asyncio.Event, enough: asyncio.Event) -> None:
    """In a task of its own: a fixture is left in another task than it is entered in."""
    async with server.session_manager.run():
        running.set()
        await enough.wait()


@pytest.mark.parametrize("mode", [*VERSIONS, "auto"])
async def test_each_key_is_of_its_tenant(door, mode):
    async with door.agent(door.key, mode) as ours, door.agent(door.other, mode) as theirs:
        job = await door.world.job((await door.world.control.admittance.by_key(door.key)).principal)
        made = await ours.call(
            "endpoint_save", job_id=job, document={"name": "stock", "url": "https://shop.example/", "dormant": True}
        )
        mine = await ours.call("endpoint_search")
        others = await theirs.call("endpoint_search")
        refused = await theirs.refused("endpoint_delete", endpoint_id=made["id"], name="stock")

    assert (mine["found"], others["found"]) == (1, 0)
    assert "not_found" in refused


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
async def test_a_request_that_is_well_is_answered_in_one_json_and_framed(door, path):
    answer = await door.post(path=path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    assert answer.json()["result"]["structuredContent"]["endpoints"] == 0


ELSEWHERE: list[tuple[dict[str, str], int]] = [
    ({"x_api_key": "ck_wrong"}, 401),
    ({"x_api_key": ""}, 401),
    ({"x_api_key": "ck_\x7f"}, 401),
    ({"x_api_key": "x" * 5_000}, 401),
    ({"cookie": "cronicorn-session=cs_0", "x_api_key": "cs_0"}, 401),
    ({"origin": "https://evil.example"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "http://localhost.evil.example"}, 403),
    ({"host": "evil.example"}, 421),
    ({"host": "localhost.evil.example:80"}, 421),
    ({"host": "127.0.0.1.evil.example"}, 421),
    ({"host": 'a"b'}, 400),
    ({"content_type": "text/plain"}, 415),
    ({"accept": "text/html"}, 406),
    ({"mcp_protocol_version": "1999-01-01"}, 400),
    ({"mcp_method": "tools/list"}, 400),
]
NO_BODIES: list[tuple[bytes, int]] = [
    (b"x" * 1_100_000, 413),
    (b"[" * 100_000, 400),
    (b"\xff\xfe", 400),
    (b"", 400),
    (json.dumps([DISCOVER]).encode(), 400),
    (json.dumps({**DISCOVER, "params": {"name": "health_summary"}}).encode(), 400),
]


async def test_whoever_comes_from_elsewhere_or_with_the_wrong_key_is_not_let_in(door):
    answers = [await door.post(**headers) for headers, _ in ELSEWHERE]

    told = [(headers, answer.status_code) for (headers, _), answer in zip(ELSEWHERE, answers, strict=True)]
    assert told == ELSEWHERE
    assert not [answer.text for answer in answers if "structuredContent" in answer.text or "Traceback" in answer.text]


async def test_bodies_that_are_none_are_refused_and_the_door_stays_open(door):
    answers = [await door.post(body) for body, _ in NO_BODIES]

    assert [answer.status_code for answer in answers] == [status for _, status in NO_BODIES]
    assert (await door.post()).status_code == 200


@pytest.mark.parametrize(
    ("tool", "name", "fields"),
    [
        ("policy_backtest", "policy", ("rules", "description", "version")),
        ("policy_propose", "policy", ("rules", "description", "version")),
        ("endpoint_save", "document", ("bodyJson", "name", "minIntervalMs")),
    ],
)
async def test_documents_that_no_store_can_hold_are_told_of_and_crash_nothing(door, tool, name, fields):
    owner = (await door.world.control.admittance.by_key(door.key)).principal
    endpoint = await door.world.endpoint(owner)
    anything, text, number = (json.dumps(field) for field in fields)
    documents = [
        f"{{{anything}: {'[' * 900}{']' * 900}}}",
        '{"a":' * 900 + "1" + "}" * 900,
        f"{{{anything}: NaN}}",
        rf'{{{text}: "\ud800"}}',
        f"{{{number}: {'9' * 4_000}}}",
    ]

    answers = []
    for given in documents:
        arguments = {"endpoint_id": endpoint.id, name: "HERE"}
        call = {**DISCOVER, "params": {**DISCOVER["params"], "name": tool, "arguments": arguments}}
        answers.append(await door.post(json.dumps(call).replace('"HERE"', given).encode(), mcp_name=tool))

    told = [answer.json()["result"]["content"][0]["text"] for answer in answers]
    assert all("invalid_input:" in each for each in told), told
    assert await door.world.now_stored(endpoint) == endpoint


async def test_who_shows_no_key_is_told_where_the_metadata_is(door):
    async with httpx.AsyncClient(base_url=door.url, trust_env=False) as client:
        refused = await client.post("/mcp", json=DISCOVER, headers=HEADERS)
        challenge = refused.headers["www-authenticate"]
        told = await client.get(challenge.partition('resource_metadata="')[2].rstrip('"'))
        short = await client.get("/.well-known/oauth-protected-resource")
    wrong = (await door.post(x_api_key="ck_wrong")).headers["www-authenticate"]

    assert refused.status_code == 401
    assert "error=" not in challenge
    assert wrong == challenge.replace('"cronicorn", ', '"cronicorn", error="invalid_token", ')
    assert refused.json()["type"] == "/problems/unauthenticated"
    assert told.json() == short.json()
    assert told.json() == {
        "resource": f"{door.url}/mcp",
        "resource_name": "Cronicorn",
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
    }


@pytest.mark.parametrize(
    "door", [{"origin": PUBLIC, "authorization_server": "https://login.example.org/realms/cron"}], indirect=True
)
async def test_behind_a_proxy_everything_is_told_of_what_clients_see(door):
    async with httpx.AsyncClient(base_url=door.url, trust_env=False, headers={"host": "cron.example.org"}) as client:
        refused = await client.post("/mcp", json=DISCOVER, headers=HEADERS)
        told = (await client.get("/.well-known/oauth-protected-resource/mcp")).json()
        page = await client.post("/mcp", json=DISCOVER, headers={**HEADERS, "x-api-key": door.key, "origin": PUBLIC})
        elsewhere = await client.post(
            "/mcp", json=DISCOVER, headers={**HEADERS, "x-api-key": door.key, "origin": "http://cron.example.org"}
        )

    challenge = f'resource_metadata="{PUBLIC}/.well-known/oauth-protected-resource/mcp"'
    assert challenge in refused.headers["www-authenticate"]
    assert told["resource"] == f"{PUBLIC}/mcp"
    assert told["authorization_servers"] == ["https://login.example.org/realms/cron"]
    assert (page.status_code, elsewhere.status_code) == (200, 403)


async def test_there_is_no_stream_and_no_session_to_hold(door):
    methods = ["GET", "DELETE", "PUT", "OPTIONS", "PATCH"]
    async with httpx.AsyncClient(base_url=door.url, trust_env=False, headers={"x-api-key": door.key}) as client:
        refused = [await client.request(method, "/mcp", headers=HEADERS) for method in methods]
        nothing = await client.post("/mcp/other")

    assert {(answer.status_code, answer.headers["allow"]) for answer in refused} == {(405, "POST")}
    assert not [answer for answer in refused if "access-control-allow-origin" in answer.headers]
    assert nothing.status_code == 404


async def test_a_key_is_counted_and_one_that_is_revoked_opens_nothing(door):
    async with httpx.AsyncClient(base_url=door.url, trust_env=False) as client:
        owner = (await door.world.control.admittance.by_key(door.key)).principal
        wanted = {"name": "agent", "role": "viewer", "agent": True, "requestsPerMinute": 2}
        made = await door.world.control.keys.create(owner, KeyDocument.model_validate(wanted))
        answers = [
            await client.post("/mcp", json=DISCOVER, headers={**HEADERS, "authorization": f"Bearer {made.text}"})
            for _ in range(3)
        ]
        door.world.clock.move(minutes=2)
        await door.world.control.keys.revoke(owner, made.key.id)
        after = await client.post("/mcp", json=DISCOVER, headers={**HEADERS, "x-api-key": made.text})

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "ratelimit" in {name.lower() for name in answers[0].headers}
    assert after.status_code == 401


async def test_a_client_that_goes_away_leaves_the_door_as_it_was(door):
    endpoint = await door.world.endpoint((await door.world.control.admittance.by_key(door.key)).principal)
    for _ in range(20):
        door.world.clock.move(minutes=1)
        await door.world.run_due(an_outcome())
    body = json.dumps(DISCOVER).encode()
    port = int(door.url.rpartition(":")[2])
    head = "".join(f"{name}: {value}\r\n" for name, value in {**HEADERS, "x-api-key": door.key}.items())

    for sent in (body[:10], body, b""):
        async with api_socket.connected(port) as client:
            await client.send(
                f"POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + sent
            )
            await asyncio.sleep(0)

    async with door.agent(door.key) as agent:
        assert (await agent.call("run_query", endpoint_id=endpoint.id))["total"] == 20


def asked_to_activate(arguments: dict[str, Any], **params: object) -> dict[str, Any]:
    """A raw call of policy_activate by a client that can ask its user."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": PROTOCOL,
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
    }
    told = {"name": "policy_activate", "arguments": arguments, "_meta": meta, **params}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": told}


async def test_an_approval_counts_for_the_question_the_call_and_the_key_that_it_was_asked_of(door):
    owner = (await door.world.control.admittance.by_key(door.key)).principal
    endpoint = await door.world.endpoint(owner, minIntervalMs=10_000)
    view = await door.world.control.proposals.propose(owner, endpoint.id, document())
    wanted = {"name": "other", "role": "owner"}
    other = await door.world.control.keys.create(owner, KeyDocument.model_validate(wanted))
    arguments = {"endpoint_id": endpoint.id, "draft_id": view.draft.id}
    named = {"mcp_name": "policy_activate"}

    at_a_url = asked_to_activate(arguments)
    at_a_url["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = {"elicitation": {"url": {}}}
    elsewhere = (await door.post(at_a_url, **named)).json()["result"]
    asked = (await door.post(asked_to_activate(arguments), **named)).json()["result"]
    [question] = asked["inputRequests"]
    said = {"inputResponses": {question: {"action": "accept", "content": {"approve": True}}}}
    state = {"requestState": asked["requestState"]}
    refused = [
        await door.post(asked_to_activate(arguments, **said), **named),
        await door.post(asked_to_activate(arguments, **said, requestState=f"{state['requestState']}AAAA"), **named),
        await door.post(asked_to_activate({**arguments, "draft_id": "dr_x"}, **said, **state), **named),
        await door.post(asked_to_activate(arguments, **said, **state), **named, x_api_key=other.text),
        await door.post(asked_to_activate(arguments, **said, **state), **named, x_api_key=door.other),
    ]
    waiting = await door.world.now_stored(endpoint)
    approved = (await door.post(asked_to_activate(arguments, **said, **state), **named)).json()["result"]

    assert "This client can't ask its user" in elsewhere["content"][0]["text"]
    assert asked["resultType"] == "input_required"
    assert refused[0].json()["result"]["resultType"] == "input_required"  # It is asked again.
    assert [answer.status_code for answer in refused[1:]] == [400, 400, 400, 400]
    assert waiting.policy is None
    assert approved["structuredContent"]["status"] == "active"


async def test_where_agents_are_not_answered_there_is_nothing(door):
    rest = an_app(door.world)
    doors = AllDoors(rest=rest, web=rest, streams=Streams())
    async with (
        doors.running(),
        httpx.AsyncClient(transport=httpx.ASGITransport(doors), base_url="http://api") as client,
    ):
        answers = [await client.post("/mcp", json=DISCOVER), await client.get("/.well-known/oauth-protected-resource")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}


async def test_what_asks_for_nothing_does_nothing_whatever_it_is_called(door, caplog):
    """The older revision lets anything be sent without an id."""
    caplog.set_level("INFO")
    params = {"name": "health_summary", "arguments": {}}
    sent = [{"jsonrpc": "2.0", "method": method, "params": params} for method in ("tools/list", "tools/call", "odd")]

    answers = [await door.post(each, mcp_protocol_version="2025-11-25") for each in sent]

    assert [(answer.status_code, answer.content) for answer in answers] == [(202, b"")] * 3
    assert [record for record in caplog.records if record.levelname == "ERROR" or record.msg == "tool_called"] == []
