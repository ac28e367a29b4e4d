"""An agent that finds a failing endpoint, explains it, drafts a policy, tries it and asks for approval.

It is scripted: what it does next is written here, and what it needs for that it takes from what tools answered. It is
put in front of real processes, over both transports and in both versions of the protocol. Tokens are counted by
`guessed_tokens` over all text that tools answered: bytes of UTF-8 by three, rather too many than too few.
"""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.context import ClientRequestContext
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitRequestFormParams, ElicitRequestParams, ElicitResult

from tests.cli.command import cronicorn, environment, started
from tests.mcp.agents import VERSIONS, Agent
from tests.mcp.failing_target import serving
from tests.waiting import eventually
from tests.wiring.up_process import Service, runs_of, service

CALLS_MAX = 10
TOKENS_MAX = 8_000


class Person:
    """Who sits behind the client, and is asked."""

    def __init__(self, *, approves: bool) -> None:
        self.approves = approves
        self.asked: list[str] = []

    async def answer(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        assert isinstance(params, ElicitRequestFormParams)
        self.asked.append(params.message)
        return ElicitResult(action="accept", content={"approve": self.approves})


async def triaged(agent: Agent) -> tuple[str, dict[str, Any]]:
    """The id of what fails, and a policy for it that was tried on the record."""
    health = await agent.call("health_summary")
    failing = health["failing"][0]["id"]
    why = await agent.call("endpoint_explain", endpoint_id=failing)
    runs = await agent.call("run_query", endpoint_id=failing, limit=3, include_bodies=True)
    assert why["last_run"]["status_code"] == runs["runs"][0]["status_code"] == 500
    assert '"errors"' in runs["runs"][0]["body"]["text"]
    policy = {
        "version": 1,
        "fields": {"errors": {"path": "$.errors", "type": "number"}},
        "rules": [{"id": "broken", "when": "errors > 5", "until": "errors < 2", "action": {"interval": "5s"}}],
        "tests": [
            {"given": {"errors": 9}, "expect": {"interval": "5s"}},
            {"given": {"errors": 0}, "expect": {"interval": "baseline"}},
        ],
    }
    tried = await agent.call("policy_backtest", endpoint_id=failing, policy=policy, over_hours=1)
    assert tried["recorded_runs"] >= 2
    return failing, policy


@dataclass(frozen=True, slots=True)
class Installation:
    """A service whose endpoint `broken` fails, and whose endpoint `well` does not."""

    up: Service
    client: httpx.Client
    database: str
    broken: str

    def policy(self) -> Any:
        """What is in force at `broken`."""
        return self.client.get(f"/api/endpoints/{self.broken}/policy").json()["policy"]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("agents")
    with serving() as url, service(folder, MCP="yes", MCP_WRITE="yes") as up, up.client() as client:
        job = client.post("/api/jobs", json={"name": "shop"}).json()["id"]
        found = []
        for name in ("broken", "well"):
            fields = {"name": name, "url": f"{url}/{name}", "baselineIntervalMs": 1_000, "minIntervalMs": 1_000}
            made = client.post(f"/api/jobs/{job}/endpoints", json={**fields, "adapt": "off"})
            assert made.status_code == 201, made.text
            found.append(made.json()["id"])
        eventually(lambda: len(runs_of(client, found[0])) >= 2, within_s=30)
        yield Installation(up, client, f"sqlite:{folder / 'store.db'}", found[0])


@pytest.fixture
def place(installation: Installation) -> Iterator[Installation]:
    """The installation, without a policy before and after."""
    yield installation
    path = f"/api/endpoints/{installation.broken}/policy"
    tag = installation.client.get(path).headers["etag"]
    assert installation.client.delete(path, headers={"if-match": tag}).status_code == 200


@asynccontextmanager
async def over_http(place: Installation, person: Person, mode: str) -> AsyncIterator[Agent]:
    key = place.client.headers["x-api-key"]
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {key}"}, trust_env=False) as http:
        transport = streamable_http_client(str(place.client.base_url.join("/mcp")), http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=person.answer) as client:
            yield Agent(client)


@asynccontextmanager
async def over_stdio(place: Installation, person: Person, mode: str, **settings: str) -> AsyncIterator[Agent]:
    env = environment(DATABASE_URL=place.database, **settings)
    started = StdioServerParameters(command=sys.executable, args=["-m", "cronicorn", "mcp", "--enable-write"], env=env)
    async with Client(started, mode=mode, elicitation_callback=person.answer) as client:
        yield Agent(client)


@pytest.mark.parametrize("mode", VERSIONS)
@pytest.mark.parametrize("transport", [over_http, over_stdio])
async def test_an_agent_drafts_a_policy_and_has_a_person_approve_it(place, transport, mode):
    person = Person(approves=True)
    async with transport(place, person, mode) as agent:
        failing, policy = await triaged(agent)
        draft = await agent.call("policy_propose", endpoint_id=failing, policy=policy)
        asking = {"endpoint_id": failing, "draft_id": draft["draft_id"]}
        assert place.policy() is None
        if transport is over_http and mode == "legacy":
            refusal = await agent.refused("policy_activate", **asking)
            path = f"/api/endpoints/{failing}/policy/drafts/{draft['draft_id']}/activate"
            assert place.client.post(path).status_code == 200
            assert "activate it in the web app" in refusal
        else:
            activated = await agent.call("policy_activate", **asking)
            assert activated["status"] == "active"
            assert [message.splitlines()[0] for message in person.asked] == [
                f"Put this policy in force for broken ({failing})?"
            ]
            assert "5s" in person.asked[0]

    entries = place.client.get("/api/audit").json()["entries"]
    activations = [entry["actorKind"] for entry in entries if entry["action"] == "draft.activate"]
    assert activations[0] == ("agent" if transport is over_stdio else "key")
    assert failing == place.broken
    assert place.policy()["rules"][0]["id"] == "broken"
    assert agent.calls <= CALLS_MAX
    assert agent.tokens <= TOKENS_MAX


async def test_what_a_person_does_not_approve_waits(place):
    person = Person(approves=False)
    async with over_http(place, person, "auto") as agent:
        failing, policy = await triaged(agent)
        draft = await agent.call("policy_propose", endpoint_id=failing, policy=policy)
        refusal = await agent.refused("policy_activate", endpoint_id=failing, draft_id=draft["draft_id"])

    assert "not approved" in refusal
    assert len(person.asked) == 1
    assert place.policy() is None


async def test_over_stdio_an_agent_acts_for_its_key_as_long_as_that_is_good(place, tmp_path):
    made = place.client.post("/api/keys", json={"name": "agent", "role": "viewer", "agent": True}).json()
    secret = tmp_path / "key"
    secret.write_text(made["key"])
    async with over_stdio(place, Person(approves=True), "auto", MCP_KEY_FILE=str(secret)) as agent:
        before = await agent.tools()
        found = await agent.call("endpoint_search", query="broken")
        refusal = await agent.refused("hint_clear", endpoint_id=place.broken)
        assert place.client.delete(f"/api/keys/{made['id']}").status_code in {200, 204}
        after = await agent.refused("endpoint_search")

    assert "hint_clear" not in before
    assert found["found"] == 1
    assert "forbidden" in refusal
    assert "unauthenticated" in after


@pytest.mark.parametrize(
    ("settings", "arguments", "told", "code"),
    [
        ({"MCP_KEY": "ck_wrong"}, (), "No valid API key", 3),
        ({}, ("--tenant", "nobody"), "There is no tenant 'nobody'", 4),
        ({}, ("--toolsets", "observe,everything"), "--toolsets", 2),
        ({}, ("--exclude-tools", "endpoint_delet"), "Did you mean endpoint_delete?", 2),
        ({"DATABASE_URL": "sqlite:/nowhere/at/all.db"}, (), "There is no Cronicorn installation", 4),
    ],
)
def test_what_keeps_an_agent_from_being_answered_is_told_on_stderr(installation, settings, arguments, told, code):
    ended = cronicorn("mcp", *arguments, env=environment(**{"DATABASE_URL": installation.database, **settings}))

    assert (ended.code, ended.out) == (code, "")
    assert told in ended.err


@pytest.mark.parametrize("how", ["interrupted", "read no more"])
def test_over_stdio_it_ends_at_once_and_quietly_however_its_agent_leaves(installation, tmp_path, how):
    reading, writing = os.pipe()
    with (tmp_path / "errors").open("wb") as errors:
        env = environment(DATABASE_URL=installation.database)
        command = started("mcp", env=env, stdout=writing, stderr=errors.fileno())
    os.close(writing)
    given = command.stdin
    assert given is not None
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}
    asked = f"{json.dumps(call)}\n".encode()

    def gone() -> bool:
        with suppress(BrokenPipeError):
            if how == "read no more":
                given.write(asked)
                given.flush()
        return command.poll() is not None

    with os.fdopen(reading, "rb") as answers:
        given.write(asked)
        given.flush()
        assert b"serverInfo" in answers.readline()
        if how == "interrupted":
            command.send_signal(signal.SIGINT)
            eventually(gone, within_s=30)
    eventually(gone, within_s=30)
    with suppress(BrokenPipeError):
        given.close()

    assert (tmp_path / "errors").read_text() == ""
    assert command.poll() == (-signal.SIGINT if how == "interrupted" else 0)


def test_an_installation_is_not_begun_whose_door_for_agents_can_not_be_opened(tmp_path):
    """What opens it is shown once, by the start that succeeds."""
    env = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", PORT="0", MCP="yes", MCP_EXCLUDE="endpoint_delet")
    refused = cronicorn("up", env=env)
    shown = cronicorn("tenant", "add", "acme", env=environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}"))

    assert refused.code == 2
    assert "Did you mean endpoint_delete?" in refused.err
    assert "ck_" not in refused.err
    assert "A new API key for the tenant 'default'" in shown.err
