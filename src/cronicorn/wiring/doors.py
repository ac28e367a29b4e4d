"""The doors of a process behind one address: the REST API for programs, pages for people, and tools for agents."""

from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from cronicorn.api.cookies import Cookies
from cronicorn.api.gate import RequestFrame
from cronicorn.control.identity import random_id
from cronicorn.web.app import create_web_app
from cronicorn.web.live import Streams
from cronicorn.wiring.agents import AgentsOverHttp, agents_over_http
from cronicorn.wiring.engine import Engine
from cronicorn.wiring.rest import rest_app

OF_PROGRAMS = frozenset({"api", "docs", "openapi.json", "problems", "healthz", "readyz", "metrics"})
"""What the paths of the REST door begin with. All that are not OF_AGENTS either are pages."""
OF_AGENTS = frozenset({"mcp", ".well-known"})
"""What the paths of the door for agents begin with. Where there is none the REST door says that nothing is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllDoors:
    """All doors as one application."""

    rest: ASGIApp
    web: ASGIApp
    streams: Streams
    agents: AgentsOverHttp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = scope.get("path", "").removeprefix("/").partition("/")[0]
        if scope["type"] == "http" and first in OF_AGENTS and self.agents is not None:
            door = self.agents.app
        elif scope["type"] != "http" or first in OF_PROGRAMS | OF_AGENTS:
            door = self.rest
        else:
            door = self.web
        await door(scope, receive, send)

    def running(self) -> AbstractAsyncContextManager[None]:
        """To be entered, once, while requests are answered."""
        return self.agents.running() if self.agents is not None else nullcontext()

    def drain(self) -> None:
        """Hang up on live pages, which would never end by themselves."""
        self.streams.close()


async def open_doors(parts: Engine) -> AllDoors:
    """The applications that let *parts* be asked over HTTP. Raises UnavailableError where an extra is lacking."""
    streams = Streams()
    agents = await agents_over_http(parts)
    return AllDoors(rest=rest_app(parts), web=web_app(parts, streams), streams=streams, agents=agents)


def web_app(parts: Engine, streams: Streams) -> FastAPI:
    """The pages about *parts*."""
    cookies = Cookies(origin=parts.settings.public_url)
    app = create_web_app(parts.control, sessions=cookies, clock=parts.clock, streams=streams)
    app.add_middleware(RequestFrame, new_id=random_id)
    return app
