"""The doors of a process behind one address: the REST API for programs, and pages for people."""

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from cronicorn.api.cookies import Cookies
from cronicorn.api.gate import RequestFrame
from cronicorn.control.identity import random_id
from cronicorn.web.app import create_web_app
from cronicorn.web.live import Streams
from cronicorn.wiring.engine import Engine
from cronicorn.wiring.rest import rest_app

OF_PROGRAMS = frozenset({"api", "docs", "openapi.json", "problems", "healthz", "readyz", "metrics"})
"""What the paths of the REST door begin with. All others are pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BothDoors:
    """Both doors as one application."""

    rest: ASGIApp
    web: ASGIApp
    streams: Streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first = scope.get("path", "").removeprefix("/").partition("/")[0]
        door = self.rest if scope["type"] != "http" or first in OF_PROGRAMS else self.web
        await door(scope, receive, send)

    def drain(self) -> None:
        """Hang up on live pages, which would never end by themselves."""
        self.streams.close()


def open_doors(parts: Engine) -> BothDoors:
    """The applications that let *parts* be asked over HTTP."""
    streams = Streams()
    return BothDoors(rest=rest_app(parts), web=web_app(parts, streams), streams=streams)


def web_app(parts: Engine, streams: Streams) -> FastAPI:
    """The pages about *parts*."""
    cookies = Cookies(origin=parts.settings.public_url)
    app = create_web_app(parts.control, sessions=cookies, clock=parts.clock, streams=streams)
    app.add_middleware(RequestFrame, new_id=random_id)
    return app
