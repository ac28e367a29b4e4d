"""The server that is called: it takes its time, and remembers each call by its `Idempotency-Key`."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

CALL_S = (0.2, 0.9)

Message = MutableMapping[str, Any]


@dataclass(slots=True)
class TargetCall:
    """One call, in seconds of the monotonic clock."""

    key: str
    began_at: float
    ended_at: float | None = None
    """When it was answered; None while it is not."""
    cut_at: float | None = None
    """When its caller went away before the answer."""


@dataclass(slots=True)
class Target:
    """Answers after a while and remembers who asked."""

    chance: random.Random
    call_s: tuple[float, float] = CALL_S
    """A call takes at least, and at most, so many seconds."""
    url: str = ""
    calls: list[TargetCall] = field(default_factory=list)

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer one ASGI request."""
        headers = {name.lower(): value.decode() for name, value in scope["headers"]}
        call = TargetCall(key=headers.get(b"idempotency-key", ""), began_at=time.monotonic())
        self.calls.append(call)
        gone = asyncio.ensure_future(_gone(receive))
        await asyncio.wait([gone], timeout=self.chance.uniform(*self.call_s))
        if gone.done():
            call.cut_at = time.monotonic()
            return
        gone.cancel()
        call.ended_at = time.monotonic()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b"{}"})


async def _gone(receive: Callable[[], Awaitable[Message]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@asynccontextmanager
async def a_target(seed: int, call_s: tuple[float, float] = CALL_S) -> AsyncIterator[Target]:
    """A target on a free port of this machine, in the running event loop."""
    target = Target(random.Random(seed), call_s)  # noqa: S311 - durations, not secrets
    # Named as TCP, or asyncio would not switch Nagle's algorithm off, and each answer would wait 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        target.url = f"http://127.0.0.1:{listener.getsockname()[1]}/work"
        server = uvicorn.Server(uvicorn.Config(target, lifespan="off", log_level="critical"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield target
        finally:
            server.should_exit = server.force_exit = True
            await serving
