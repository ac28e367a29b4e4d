"""Whoever has to keep to a limit is told where it stands, before it is reached and when it is."""

from dataclasses import replace

from cronicorn.control.trial_calls import TRIALS_OF_TENANT, TrialCalls
from cronicorn.domain.execution.limits import ExecutionLimits, TierLimits, month_of
from cronicorn.domain.fixtures import MIDNIGHT
from tests.api.door import a_door, assert_problem
from tests.control.world import ALICE

TWO_RUNS = TierLimits(other=ExecutionLimits(runs=2))


async def test_trial_calls_are_counted_for_a_tenant_whichever_process_makes_them() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        path = f"/api/endpoints/{endpoint['id']}/test"
        first = await door.client.post(path)
        world, stores = door.world, door.world.stores
        elsewhere = TrialCalls(stores.endpoints, stores.run_control, world.dispatcher, world.clock, stores.rates)
        asker = replace(ALICE, tenant_id=stores.database.rows[endpoint["id"]].endpoint.tenant_id)
        for _ in range(TRIALS_OF_TENANT.limit - 2):
            await elsewhere.call(asker, endpoint["id"])
        last, refused = await door.client.post(path), await door.client.post(path)
        door.world.clock.move(seconds=1)
        again = await door.client.post(path)

    assert [answer.status_code for answer in (first, last, refused, again)] == [200, 200, 429, 200]
    assert {answer.headers["ratelimit-policy"] for answer in (first, last, refused)} == {'"trials";q=60;w=60'}
    assert [answer.headers["ratelimit"] for answer in (first, last)] == ['"trials";r=59;t=1', '"trials";r=0;t=60']
    assert assert_problem(refused)["type"] == "/problems/rate_exceeded"
    assert refused.headers["retry-after"] == "1"


async def test_runs_of_a_month_are_told_with_the_run_that_is_asked_for() -> None:
    async with a_door(TWO_RUNS) as door:
        endpoint = await door.endpoint(dormant=True)
        path = f"/api/endpoints/{endpoint['id']}/run"
        answers = []
        for _ in range(2):
            answers.append(await door.client.post(path))
            run = await door.world.run_due()
            door.world.stores.database.run_counts[run.tenant_id, month_of(MIDNIGHT).start_at] += 1
        refused, quota = await door.client.post(path), await door.client.get("/api/quota")

    month_s = int(answers[0].headers["ratelimit-policy"].rpartition("=")[2])
    assert month_s in {days * 86_400 for days in (28, 29, 30, 31)}
    assert answers[0].headers["ratelimit-policy"] == f'"runs";q=2;qu="runs";w={month_s}'
    assert [answer.headers["ratelimit"].split(";")[1] for answer in (*answers, refused)] == ["r=2", "r=1", "r=0"]
    assert_problem(refused, 429)
    assert refused.headers["retry-after"] == refused.headers["ratelimit"].rpartition("=")[2]
    assert [each.split(";")[0] for each in quota.headers["ratelimit"].split(", ")] == ['"tokens"', '"runs"']
