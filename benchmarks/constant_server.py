"""The server software of the API with an application that knows one answer. It imports nothing of the product."""

import multiprocessing
import socket
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import uvicorn

Message = MutableMapping[str, Any]


@contextmanager
def constant_server(answer: bytes, status: int) -> Iterator[str]:
    """The URL of a server in a process of its own that always gives *answer*."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(listening, answer, status), daemon=True
        )
        process.start()
        port = listening.getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join()


def _serve(listening: socket.socket, answer: bytes, status: int) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]

    async def app(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        assert scope["type"] == "http"
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    config = uvicorn.Config(app, http="h11", loop="uvloop", lifespan="off", access_log=False, log_level="error")
    uvicorn.Server(config).run(sockets=[listening])
