"""The connection to etcd: aetcd's messages on gRPC's blocking channel.

aetcd's own client lives in one event loop. The heartbeat has no loop, so both sides share a channel that any thread may
use, and what the loop asks is awaited through a callback.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]

from cronicorn.domain.errors import InvalidInputError, UnavailableError
from cronicorn.domain.sentence import as_sentence


def channel_to(url: str, timeout: timedelta) -> grpc.Channel:
    """A channel that connects when first used, and again whenever the server is back. Raises InvalidInputError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.path.strip("/"):
        raise InvalidInputError("An etcd is named by http://HOST:PORT or https://HOST:PORT, without user or path.")
    try:
        target = parts.netloc if parts.port else f"{parts.netloc}:2379"
    except ValueError as error:
        raise InvalidInputError("The port of an etcd is a number below 65536.") from error
    milliseconds = timeout // timedelta(milliseconds=1)
    options = [
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        ("grpc.keepalive_time_ms", 10_000),  # etcd cuts off who asks more often than each 5 s.
        ("grpc.keepalive_timeout_ms", milliseconds),
        ("grpc.enable_http_proxy", 0),
    ]
    if parts.scheme == "https":
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(), options=options)
    return grpc.insecure_channel(target, options=options)


async def answered(calls: Sequence[grpc.Future], *, but: grpc.StatusCode) -> list[object]:
    """What *calls* answer, awaited without a thread; None for each that failed with *but*. All have ended then.

    Raises UnavailableError when one failed in another way.
    """
    await asyncio.gather(*(_ended(call) for call in calls))
    return answers(calls, but=but)


def answers(calls: Sequence[grpc.Future], *, but: grpc.StatusCode) -> list[object]:
    """Do what `answered` does; blocks."""
    return [_result(call, but) for call in calls]


def _result(call: grpc.Future, but: grpc.StatusCode) -> object:
    try:
        return call.result()
    except grpc.RpcError as error:
        if error.code() is but:
            return None
        raise translated(error) from error


def translated(error: grpc.RpcError) -> UnavailableError:
    """What a caller is told."""
    return UnavailableError(as_sentence(f"etcd can't be used for claims: {error.code().name}: {error.details()}"))


async def _ended(call: grpc.Future) -> None:
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def tell(_: grpc.Future) -> None:
        with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            loop.call_soon_threadsafe(_set, future)

    call.add_done_callback(tell)
    await future


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
