"""Which bodies are kept: steering reads them all, history keeps what its owner wants."""

import asyncio

import pytest

from cronicorn.domain import Baseline, RunStatus
from cronicorn.domain.criteria.reading import criteria_of
from cronicorn.domain.document import endpoint_document, endpoint_of
from cronicorn.domain.endpoint import KeepBodies
from cronicorn.domain.fields import document_in
from cronicorn.domain.fixtures import an_endpoint, an_outcome
from cronicorn.domain.history_document import outcome_of, outcome_text
from cronicorn.sim.virtual_time import START, run_virtually
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.scheduler.world import SECOND, a_world

ANSWERS = [
    (200, '"a"'),
    (200, '"a"'),
    (200, '"b"'),
    (500, '"b"'),
    (500, '"c"'),
    (200, '"b"'),
    (200, None),
    (200, '"b"'),
]


def kept(policy, *, edited_after=None):
    def script(_call, number):
        status, body = ANSWERS[min(number, len(ANSWERS) - 1)]
        return Reply(status_code=status, body=body)

    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(script))
        await world.add(baseline=Baseline(interval=10 * SECOND, anchor_at=START), keep_bodies=policy)
        async with world.worker():
            while len(await world.runs()) < len(ANSWERS):
                await asyncio.sleep(1)
                if edited_after is not None and len(await world.runs()) == edited_after:
                    await world.change("ep1", name="another")
        runs = [await world.stores.runs.get("t1", run.id) for run in await world.runs()]
        return runs[: len(ANSWERS)]

    return run_virtually(main)


@pytest.mark.parametrize(
    ("policy", "bodies"),
    [
        (KeepBodies.ALL, ['"a"', '"a"', '"b"', '"b"', '"c"', '"b"', None, '"b"']),
        (KeepBodies.ON_CHANGE, ['"a"', None, '"b"', None, '"c"', '"b"', None, None]),
        (KeepBodies.FAILURES, [None, None, None, '"b"', '"c"', None, None, None]),
        (KeepBodies.NONE, [None] * 8),
    ],
)
def test_bodies_are_kept_as_their_owner_wants(policy, bodies):
    runs = kept(policy)

    assert [run.outcome.body for run in runs] == bodies
    assert [run.outcome.body_left_out for run in runs] == [
        body is not None and there is None for (_, body), there in zip(ANSWERS, bodies, strict=True)
    ]


def test_an_edit_forgets_no_body():
    assert [run.outcome.body for run in kept(KeepBodies.ON_CHANGE, edited_after=1)][:3] == ['"a"', None, '"b"']


def test_what_is_not_kept_is_judged_all_the_same():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda *_: Reply(body='{"state":"down"}')))
        criteria = criteria_of({"fields": {"s": {"path": "$.state", "type": "string"}}, "failure": 's == "down"'})
        await world.add(
            baseline=Baseline(interval=10 * SECOND, anchor_at=START), keep_bodies=KeepBodies.NONE, criteria=criteria
        )
        async with world.worker():
            await asyncio.sleep(11)
        return await world.runs()

    (run,) = run_virtually(main)

    assert run.status is RunStatus.FAILED
    assert run.outcome.body_left_out


def test_the_choice_and_what_was_left_out_come_back_from_a_store():
    endpoint = an_endpoint(keep_bodies=KeepBodies.FAILURES)
    outcome = an_outcome(200, body=None)._replace(body_left_out=True)

    assert endpoint_of(endpoint_document(endpoint)).keep_bodies is KeepBodies.FAILURES
    assert "bodies" not in endpoint_document(an_endpoint())
    assert outcome_of(document_in(outcome_text(outcome)), None) == outcome
