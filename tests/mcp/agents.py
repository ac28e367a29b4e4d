"""Agents for tests: the SDK's own client, in front of a world in memory or of a process."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp import Client
from mcp.client.session import ElicitationFnT
from mcp_types import CallToolResult, TextContent, TextResourceContents

from cronicorn.domain.principal import Principal
from cronicorn.domain.token_guess import guessed_tokens
from cronicorn.mcp.server import create_server
from cronicorn.mcp.states import states_of_this_process
from cronicorn.mcp.toolsets import Offer, Toolset
from tests.control.world import ALICE, World

ALL = Offer(write=True, toolsets=tuple(Toolset))
VERSIONS = ["legacy", "2026-07-28"]
"""How a client connects: by the handshake of 2025-11-25, or without one."""


@dataclass(slots=True)
class Agent:
    """A client, and what its calls cost."""

    client: Client
    calls: int = 0
    tokens: int = 0
    """Of all that tools answered, by `guessed_tokens`: bytes of UTF-8 by three, and a frame for each answer."""

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """What *tool* answers, structured; its text says the same."""
        result = await self._result(tool, arguments)
        assert not result.is_error, text_of(result)
        assert json.loads(text_of(result)) == result.structured_content
        found: dict[str, Any] = json.loads(text_of(result))
        return found

    async def refused(self, tool: str, **arguments: Any) -> str:
        """Why *tool* refuses."""
        result = await self._result(tool, arguments)
        assert result.is_error, text_of(result)
        return text_of(result)

    async def _result(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        result = await self.client.call_tool(tool, arguments)
        self.calls += 1
        self.tokens += guessed_tokens(text_of(result))
        return result

    async def read(self, uri: str) -> Any:
        """The JSON of a resource."""
        [content] = (await self.client.read_resource(uri)).contents
        assert isinstance(content, TextResourceContents)
        return json.loads(content.text)

    async def prompt(self, name: str, **arguments: str) -> str:
        """What a prompt says."""
        [message] = (await self.client.get_prompt(name, arguments)).messages
        assert isinstance(message.content, TextContent)
        return message.content.text

    async def tools(self) -> list[str]:
        """What it is offered."""
        return [tool.name for tool in (await self.client.list_tools()).tools]


def text_of(result: CallToolResult) -> str:
    """All that a model reads of *result*."""
    texts = [each.text for each in result.content if isinstance(each, TextContent)]
    assert len(texts) == len(result.content)
    return "".join(texts)


@asynccontextmanager
async def an_agent(
    world: World, asker: Principal = ALICE, offer: Offer = ALL, *, mode: str = "2026-07-28",
    answering: ElicitationFnT | None = None,
) -> AsyncIterator[Agent]:  # fmt: skip
    """An agent of *asker* in front of *world*."""

    async def identify(_: object) -> Principal:
        return asker

    server = create_server(world.control, identify, offer, states_of_this_process())
    async with Client(server, mode=mode, elicitation_callback=answering) as client:
        yield Agent(client)
