"""A small real shop: its own process, real sockets, and JSON that goes calm, flash sale, failing, recovered.

Run as a module it prints its port, opens when its parent writes a line, and ends when its parent does.
"""

import asyncio
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from cronicorn.cli.demonstration.story import Phase, Story
from cronicorn.cli.demonstration.tether import tied_to_parent

RETRY_AFTER_S = 8
"""What a failing checkout asks for in the two-minute story."""
RETRY_AFTER_MIN_S = 2

Message = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer of the shop."""

    status: int
    body: dict[str, object]
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(slots=True)
class Shop:
    """The shop and how long it has been open."""

    story: Story
    opened_at: float | None = None
    calls: Counter[str] = field(default_factory=Counter)
    payments_lost: bool = False

    def open(self) -> None:
        """Begin the story."""
        self.opened_at = time.monotonic()

    def answer(self, path: str) -> Answer:
        """What the shop says on *path* now."""
        self.calls[path] += 1
        elapsed = 0.0 if self.opened_at is None else time.monotonic() - self.opened_at
        phase = self.story.phase(elapsed)
        facts: dict[str, object] = {"phase": phase.value, "openForSeconds": round(elapsed, 1)}
        match path:
            case "/stock" | "/queue":
                busy = phase is Phase.FLASH_SALE
                return _queue(facts, busy=busy) if path == "/queue" else _stock(phase, facts, self.calls[path])
            case "/checkout":
                return self._checkout(phase, facts)
            case "/payments":
                return self._payments(phase, facts)
            case "/newsletter" | "/doors" | "/cashier":
                return Answer(202, facts | {"accepted": True})
            case "/report":
                return Answer(200, facts | {"calls": dict(self.calls)})
            case _:
                return Answer(404, {"error": "The shop has no such page."})

    def _checkout(self, phase: Phase, facts: dict[str, object]) -> Answer:
        if phase is not Phase.FAILING:
            return Answer(200, facts | {"queue": 140 if phase is Phase.FLASH_SALE else 3})
        wait = self.story.scaled(RETRY_AFTER_S, RETRY_AFTER_MIN_S)
        return Answer(503, facts | {"error": "The checkout is restarting."}, ((b"retry-after", b"%d" % wait),))

    def _payments(self, phase: Phase, facts: dict[str, object]) -> Answer:
        """While the shop fails, every other call gets through: a retry is worth it."""
        if phase is Phase.FAILING:
            self.payments_lost = not self.payments_lost
            if self.payments_lost:
                return Answer(500, facts | {"error": "The payment was not booked."})
        return Answer(200, facts | {"booked": True})

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Answer one ASGI request."""
        answer = self.answer(scope["path"])
        headers = [(b"content-type", b"application/json"), *answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer.body).encode()})


def _queue(facts: dict[str, object], *, busy: bool) -> Answer:
    return Answer(200, facts | {"waiting": 140 if busy else 3})


def _stock(phase: Phase, facts: dict[str, object], calls: int) -> Answer:
    if phase is Phase.FAILING:
        return Answer(500, facts | {"error": "The stock database is full."})
    orders = 240 if phase is Phase.FLASH_SALE else 12
    return Answer(200, facts | {"ordersPerMinute": orders, "stock": max(0, 500 - calls)})


def main() -> None:
    """Serve until the parent is gone. The only argument is the length of the story in seconds."""
    shop = Shop(Story(float(sys.argv[1])))
    # Named as TCP, or asyncio would not switch Nagle's algorithm off, and each answer would wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(shop, lifespan="off", log_level="critical", timeout_graceful_shutdown=1))
    with tied_to_parent(shop.open):
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        asyncio.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    main()
