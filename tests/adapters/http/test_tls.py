"""TLS is verified against the name in the URL, whatever address the call goes to."""

from contextlib import AsyncExitStack

import pytest

from cronicorn.adapters.http.transfer import Trust
from cronicorn.domain.call import Outcome, OutcomeKind
from tests.adapters.http.loopback import (
    OK,
    TRUST,
    always,
    call_of,
    dispatching,
    serving,
    then_silent,
)
from tests.adapters.http.name_server import naming


async def outcome_from(host: str, *, trust: Trust = TRUST) -> Outcome:
    async with AsyncExitStack() as stack:
        names = await stack.enter_async_context(naming(lambda _: ["127.0.0.1"]))
        server = await stack.enter_async_context(serving(always(OK), tls=True))
        dispatcher = await stack.enter_async_context(dispatching(nameservers=(names.address,), trust=trust))
        return await dispatcher.dispatch(call_of(server.url(host=host, scheme="https")))


async def test_a_trusted_server_is_called() -> None:
    assert (await outcome_from("shop.test")).body == "ok"


@pytest.mark.parametrize("host", ["other.test", "127.0.0.1"])
async def test_a_certificate_for_another_name_is_refused(host: str) -> None:
    outcome = await outcome_from(host)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.TLS_FAILED, None)


async def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    outcome = await outcome_from("shop.test", trust=Trust.of_this_machine())

    assert outcome.kind is OutcomeKind.TLS_FAILED


async def test_a_server_that_does_not_speak_tls_is_a_tls_failure() -> None:
    async with serving(always(OK)) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(scheme="https"), timeout_s=1))

    assert outcome.kind in {OutcomeKind.TLS_FAILED, OutcomeKind.TIMED_OUT}


async def test_a_handshake_that_never_begins_times_out_at_the_connect_limit() -> None:
    async with serving(then_silent(b"")) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(scheme="https"), timeout_s=5))

    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert outcome.duration.total_seconds() < 2


async def test_a_reset_in_the_handshake_is_a_tls_failure() -> None:
    async def script(connection) -> None:
        connection.reset()

    async with serving(script) as server, dispatching() as dispatcher:
        outcome = await dispatcher.dispatch(call_of(server.url(scheme="https")))

    assert outcome.kind is OutcomeKind.TLS_FAILED
