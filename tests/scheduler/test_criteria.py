"""Criteria at work: failures are counted by them, and runs tell of them."""

import asyncio

from cronicorn.domain import Baseline, RunStatus
from cronicorn.domain.call import AnswerClass
from cronicorn.domain.criteria.reading import criteria_of
from cronicorn.sim.virtual_time import START, run_virtually
from cronicorn.testing.dispatchers import Reply, ScriptedDispatcher
from tests.scheduler.world import SECOND, a_world

CRITERIA = criteria_of(
    {
        "fields": {"state": {"path": "$.state", "type": "string"}},
        "failure": 'state == "down"',
        "degraded": 'state == "slow"',
    }
)
BODIES = ['{"state":"up"}', '{"state":"slow"}', '{"state":"down"}', '{"state":"down"}']


def test_a_200_that_says_it_is_down_fails_and_backs_off():
    async def main(clock):
        world = a_world(clock, ScriptedDispatcher(lambda _call, number: Reply(body=BODIES[min(number, 3)])))
        await world.add(baseline=Baseline(interval=10 * SECOND, anchor_at=START), criteria=CRITERIA)
        async with world.worker():
            await asyncio.sleep(45)
        return await world.runs(), await world.endpoint()

    runs, endpoint = run_virtually(main)

    judged = [run.outcome.judged for run in runs]
    assert [run.status for run in runs[:3]] == [RunStatus.SUCCESS, RunStatus.SUCCESS, RunStatus.FAILED]
    assert judged[0] is None
    assert judged[1] == (AnswerClass.DEGRADED, 'state == "slow"')
    assert judged[2] == (AnswerClass.FAILURE, 'state == "down"')
    assert endpoint.state.failure_count == len(runs) - 2 >= 1
