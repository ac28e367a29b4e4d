import asyncio
import json
from datetime import timedelta

import pytest

from cronicorn.adapters.handlers.handler_dispatcher import HandlerDispatcher
from cronicorn.domain.call import Call, Method, OutcomeKind
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.fixtures import an_outcome
from cronicorn.sim.virtual_time import run_virtually
from cronicorn.testing.dispatchers import ScriptedDispatcher

URL = "http://app.internal/cleanup"


def a_call(url=URL, **changes):
    values = {"tenant_id": "t1", "url": url, "method": Method.POST, "headers": {}, "body": b"{}",
              "timeout": timedelta(seconds=30), "response_bytes_max": 1_024}  # fmt: skip
    return Call(**(values | changes))


def outcome_of(handler, call=None, otherwise=None):
    dispatcher = HandlerDispatcher({URL: handler}, otherwise)
    return run_virtually(lambda clock: dispatcher.dispatch(call or a_call()))


def answering(value):
    async def handler(call):
        return value

    return handler


def test_what_a_handler_returns_is_the_json_answer():
    outcome = outcome_of(answering({"removed": 3}))

    assert (outcome.kind, outcome.status_code, outcome.body_is_json) == (OutcomeKind.RESPONDED, 200, True)
    assert json.loads(outcome.body or "") == {"removed": 3}


def test_a_handler_that_returns_nothing_succeeds_without_a_body():
    outcome = outcome_of(answering(None))

    assert (outcome.status_code, outcome.body) == (204, None)


def test_a_handler_may_make_the_outcome_itself():
    assert outcome_of(answering(an_outcome(429))).status_code == 429


def test_a_handler_sees_the_call():
    seen = []

    async def handler(call):
        seen.append(call.body)

    outcome_of(handler)

    assert seen == [b"{}"]


async def failing(call):
    raise RuntimeError("password hunter2")


async def awaiting_what_was_cancelled(call):
    part = asyncio.create_task(asyncio.Event().wait())
    part.cancel()
    await part


@pytest.mark.parametrize(
    "handler", [failing, awaiting_what_was_cancelled, answering(object()), answering(float("nan"))]
)
def test_a_handler_that_fails_is_a_failed_call_without_its_message(handler):
    outcome = outcome_of(handler)

    assert (outcome.kind, outcome.status_code) == (OutcomeKind.RESPONDED, 500)
    assert "hunter2" not in (outcome.error or "")


def test_a_handler_that_takes_too_long_is_stopped():
    stopped = []

    async def slow(call):
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(True)

    outcome = outcome_of(slow)

    assert (outcome.kind, outcome.duration) == (OutcomeKind.TIMED_OUT, timedelta(seconds=30))
    assert stopped == [True]


def test_a_handlers_own_timeout_is_its_failure():
    async def impatient(call):
        raise TimeoutError

    assert outcome_of(impatient).status_code == 500


def test_a_long_answer_is_cut_at_the_cap():
    outcome = outcome_of(answering("x" * 5_000))

    assert (len(outcome.body or ""), outcome.body_truncated, outcome.body_is_json) == (1_024, True, False)


@pytest.mark.parametrize("url", [URL, f"{URL}?id=1", "HTTP://APP.internal:80/cleanup"])
def test_the_same_place_in_other_words_finds_the_handler(url):
    assert outcome_of(answering(1), a_call(url)).status_code == 200


def test_other_urls_go_elsewhere_or_nowhere():
    elsewhere = ScriptedDispatcher()

    passed_on = outcome_of(answering(1), a_call("http://shop.example/"), elsewhere)
    nowhere = outcome_of(answering(1), a_call("http://app.internal/other"))

    assert passed_on.status_code == 200
    assert len(elsewhere.calls) == 1
    assert nowhere.kind is OutcomeKind.UNRESOLVED


def test_a_url_that_cannot_be_read_is_refused():
    assert outcome_of(answering(1), a_call("app://cleanup")).kind is OutcomeKind.REFUSED
    with pytest.raises(InvalidInputError):
        HandlerDispatcher({"app://cleanup": answering(1)})


def test_a_cancelled_call_stops_its_handler():
    async def cancelled(_clock):
        began, ended = asyncio.Event(), asyncio.Event()

        async def handler(call):
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        task = asyncio.create_task(HandlerDispatcher({URL: handler}).dispatch(a_call()))
        await began.wait()
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        return results, ended.is_set()

    [result], ended = run_virtually(cancelled)

    assert isinstance(result, asyncio.CancelledError)
    assert ended
