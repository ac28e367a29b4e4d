"""A machine without room for a socket: nobody is called, and no target is blamed for it."""

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from cronicorn.domain.call import Method, OutcomeKind
from cronicorn.domain.errors import UnavailableError
from tests.adapters.http.loopback import OK, Connection, always, answering, call_of, dispatching, once, serving
from tests.adapters.http.name_server import naming

STANDARD_STREAMS = 3


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Let this process open no file descriptor, even where c-ares' threads close one of theirs meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (STANDARD_STREAMS, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def one_last_socket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the next socket be the last descriptor, so that libcurl can't duplicate it."""
    ordinary = socket.socket
    with ExitStack() as limits, monkeypatch.context() as patched:

        def last_socket(*arguments: Any) -> socket.socket:
            opened = ordinary(*arguments)
            limits.enter_context(no_descriptors())
            return opened

        patched.setattr("socket.socket", last_socket)
        yield


@pytest.mark.parametrize("host", ["127.0.0.1", "shop.test"])
async def test_a_call_without_a_descriptor_is_not_made_and_says_so(host: str) -> None:
    async with (
        naming(lambda _: ["127.0.0.1"]) as names,
        serving(always(OK)) as server,
        dispatching(nameservers=(names.address,)) as dispatcher,
    ):
        with no_descriptors(), pytest.raises(UnavailableError, match="nothing was sent") as raised:
            await dispatcher.dispatch(call_of(server.url(host=host)))
        afterwards = await dispatcher.dispatch(call_of(server.url(host=host)))

    assert host not in str(raised.value)
    assert (afterwards.kind, afterwards.status_code) == (OutcomeKind.RESPONDED, 200)
    assert len(server.requests) == 1


async def test_a_call_whose_socket_takes_the_last_descriptor_is_not_made(monkeypatch) -> None:
    async with serving(always(OK)) as server, dispatching() as dispatcher:
        with one_last_socket(monkeypatch), pytest.raises(UnavailableError):
            await dispatcher.dispatch(call_of(server.url()))

    assert server.opened == 0


async def test_a_kept_connection_serves_without_a_descriptor() -> None:
    async with serving(always(OK)) as server, dispatching() as dispatcher:
        await dispatcher.dispatch(call_of(server.url()))
        with no_descriptors():
            outcome = await dispatcher.dispatch(call_of(server.url()))

    assert (outcome.kind, server.opened) == (OutcomeKind.RESPONDED, 1)


async def test_a_redirect_without_a_descriptor_is_an_outcome_for_something_was_sent() -> None:
    async with serving(always(OK)) as end, dispatching() as dispatcher:
        redirect = answering(b"", f"Location: {end.url()}", status="302 Found")
        async with serving(always(redirect)) as server:
            await dispatcher.dispatch(call_of(server.url()))
            with no_descriptors():
                outcome = await dispatcher.dispatch(call_of(server.url(), redirects_max=1))

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.UNREACHABLE, 302)
    assert end.requests == []


@pytest.mark.parametrize("method", [Method.GET, Method.POST])
async def test_a_request_that_may_have_been_received_is_not_given_back(method: Method, monkeypatch) -> None:
    async def answer_once_and_then_only_end(connection: Connection) -> None:
        await connection.request()
        await connection.send(OK)
        await connection.request()
        connection.writer.write_eof()
        await connection.ended()

    async with serving(answer_once_and_then_only_end) as server, dispatching() as dispatcher:
        await dispatcher.dispatch(call_of(server.url()))
        with one_last_socket(monkeypatch):
            outcome = await dispatcher.dispatch(call_of(server.url(), method=method))

    assert (outcome.kind, len(server.requests)) == (OutcomeKind.BROKEN, 2)


async def test_a_call_in_progress_does_not_notice() -> None:
    gate = asyncio.Event()

    async def script(connection: Connection) -> None:
        await connection.request()
        gate.set()
        await connection.send(OK)

    async with serving(script) as server, dispatching() as dispatcher:
        calling = asyncio.create_task(dispatcher.dispatch(call_of(server.url())))
        await gate.wait()
        with no_descriptors():
            outcome = await calling

    assert outcome.kind is OutcomeKind.RESPONDED


async def test_a_machine_without_an_address_family_fails_to_connect(monkeypatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(97, "Address family not supported by protocol")

    async with serving(once(OK)) as server, dispatching() as dispatcher:
        monkeypatch.setattr("socket.socket", unsupported)
        outcome = await dispatcher.dispatch(call_of(server.url()))
        monkeypatch.undo()

    assert outcome.kind is OutcomeKind.UNREACHABLE
