"""What an owner declared secret in answers is in no file of a store and no log, and rules see a hash of it."""

import asyncio
import json

import pytest

from cronicorn.adapters.handlers.handler_dispatcher import HandlerDispatcher
from cronicorn.domain.call import OutcomeKind, Request
from cronicorn.domain.fixtures import an_endpoint, an_outcome
from cronicorn.domain.history import RunQuery
from cronicorn.domain.outgoing import call_for
from cronicorn.domain.run import Run
from cronicorn.domain.untrusted.redaction import REDACTED, Redaction
from cronicorn.scheduler.redacting import RedactingDispatcher
from cronicorn.wiring.embedded import embedded
from cronicorn.wiring.settings import Settings

URL = "http://app.internal/session"
SECRET, COOKIE = "tok-live-4711", "sid=hunter22"
POLICY = {
    "version": 1,
    "fields": {"token": {"path": "$.user.token", "type": "string"}},
    "rules": [{"id": "leak", "when": f"token == '{SECRET}'", "action": {"interval": "30s"}}],
}


def a_file(**redact):
    endpoint = {"name": "session", "url": URL, "dormant": True, "redact": redact, "policy": POLICY}
    return {"jobs": [{"name": "upkeep", "endpoints": [endpoint]}]}


async def the_endpoint(cronicorn):
    [(job, _)] = await cronicorn.control.jobs.list(cronicorn.principal)
    [view] = await cronicorn.control.endpoints.list(cronicorn.principal, job.id)
    return view.endpoint.id


async def answer(call):
    body = json.dumps({"user": {"token": SECRET, "name": "ada"}})
    headers = (("content-type", "application/json"), ("set-cookie", COOKIE))
    return an_outcome(kind=OutcomeKind.RESPONDED, body=body, body_is_json=True, headers=headers)


def a_call(*pointers):
    return call_for(an_endpoint(request=Request(url=URL), redaction=Redaction(body=pointers)), 1)


def answering(outcome):
    async def answer(call):
        return outcome

    return HandlerDispatcher({URL: answer})


async def test_a_secret_of_an_answer_reaches_no_file(tmp_path, caplog):
    settings = Settings.from_env({"CRONICORN_REDACTION_KEY": "0123456789abcdef"})
    called = asyncio.Event()

    async def answered(call):
        called.set()
        return await answer(call)

    async with embedded(tmp_path / "jobs.db", {URL: answered}, settings=settings) as cronicorn:
        me = cronicorn.principal
        await cronicorn.control.files.apply(me, a_file(body=["/user/token"], headers=["Set-Cookie"]))
        await cronicorn.control.requests.run_now(me, await the_endpoint(cronicorn))
        await called.wait()

    async with embedded(tmp_path / "jobs.db", {URL: answered}, settings=settings) as cronicorn:
        endpoint_id = await the_endpoint(cronicorn)
        [listed] = (await cronicorn.control.runs.list(me, endpoint_id, RunQuery())).runs
        trial = await cronicorn.control.trials.call(me, endpoint_id)
        runs = [(await cronicorn.control.runs.get(me, each.id)).run for each in (listed, trial)]
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    for run in runs:
        assert isinstance(run, Run)
        assert run.outcome.body is not None
        body = json.loads(run.outcome.body)
        assert body["user"]["name"] == "ada"
        assert body["user"]["token"].startswith(f"{REDACTED}:")
        assert body["user"]["token"].encode() in kept
        assert (run.outcome.header("set-cookie") or "").startswith(f"{REDACTED}:")
        assert '"a"' not in str(run.steering), "no rule saw the token"
    assert SECRET.encode() not in kept.replace(f"token == '{SECRET}'".encode(), b"")  # The policy names it.
    assert COOKIE.encode() not in kept
    assert COOKIE not in caplog.text


@pytest.mark.parametrize("size", [10, 1 << 16])
async def test_without_a_key_all_secrets_look_the_same(size):
    outcome = an_outcome(kind=OutcomeKind.RESPONDED, body=json.dumps({"a": "x" * size}), body_is_json=True)
    call = a_call("/a")

    shown = await RedactingDispatcher(answering(outcome), None).dispatch(call)

    assert shown == outcome._replace(body=f'{{"a":"{REDACTED}"}}')


@pytest.mark.parametrize(("body", "is_json"), [("token=tok-live-4711", False), ('{"a": "tok-live-4711', False)])
async def test_what_can_not_be_read_is_hashed_as_a_whole_and_is_no_json(body, is_json):
    outcome = an_outcome(kind=OutcomeKind.RESPONDED, body=body, body_is_json=is_json, body_truncated=True)
    call = a_call("/a")

    shown = await RedactingDispatcher(answering(outcome), b"0123456789abcdef").dispatch(call)

    assert (shown.body or "").startswith(REDACTED)
    assert not shown.body_is_json


async def test_a_call_that_is_stopped_while_its_answer_is_read_stops():
    big = an_outcome(kind=OutcomeKind.RESPONDED, body=json.dumps(["x"] * 500_000), body_is_json=True)
    call = a_call("/0")
    task = asyncio.ensure_future(RedactingDispatcher(answering(big), None).dispatch(call))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
