"""Trying a policy over the wire, and asking about an instant in the past."""

import pytest

from cronicorn.domain.fixtures import an_outcome
from tests.api.door import a_door, assert_problem

POLICY = {
    "version": 1,
    "fields": {"err": {"path": "$.err", "type": "number"}},
    "rules": [{"id": "burst", "when": "err > 5", "action": {"interval": "30s"}}],
}


async def ran(world, *errors):
    for err in errors:
        world.clock.move(minutes=1)
        await world.run_due(an_outcome(body=f'{{"err": {err}}}', body_is_json=True))


async def test_a_backtest_answers_bounds() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        await ran(door.world, *[0] * 11, 9, 0)

        answer = await door.client.post(f"/api/endpoints/{endpoint['id']}/backtest", json={"policy": POLICY})

    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert (told["recordedRuns"], told["longestGapMs"], told["callsTogether"]) == (13, 60_000, 13)
    assert (told["conclusion"], told["because"]) == (
        "differs", "1 call would have come, or not come, at another time.",
    )  # fmt: skip
    assert told["old"] == {
        "calls": 13, "callsPerDay": None, "minutePeak": 1, "hostMinutePeak": 1, "flipsPerHour": None,
        "reaction": {
            "episodes": 1, "mean": {"lowMs": 0, "highMs": 60_000}, "longest": {"lowMs": 0, "highMs": 60_000},
        },
    }  # fmt: skip
    assert (told["new"]["calls"], told["new"]["flipsPerHour"]) == (14, None)
    assert told["rules"] == [
        {"rule": "burst", "entered": 1, "inForceMs": 60_000, "answers": 14, "unknown": 0, "unseen": 0}
    ]
    assert told["episodes"] == [
        {
            "rule": "burst", "inForceAt": "2026-01-01T00:12:00.005Z", "endedAt": "2026-01-01T00:13:00.005Z",
            "noticedAt": "2026-01-01T00:12:00.000Z", "beganAfter": "2026-01-01T00:11:00.000Z",
            "beganBy": "2026-01-01T00:12:00.000Z", "old": {"lowMs": 0, "highMs": 60_000},
            "new": {"lowMs": 0, "highMs": 60_000},
        }
    ]  # fmt: skip


async def test_a_backtest_says_when_the_record_can_not_tell() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()

        answer = await door.client.post(f"/api/endpoints/{endpoint['id']}/backtest", json={"policy": POLICY})

    told = answer.json()
    assert (told["conclusion"], told["firstAt"], told["old"]["callsPerDay"]) == ("cannot-tell", None, None)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/policy"),
        ({"policy": None}, "/policy"),
        ({"policy": POLICY, "overHours": 87_601}, "/overHours"),
        ({"policy": POLICY | {"version": 2}}, "/policy/version"),
        ({"policy": POLICY | {"rules": [{"id": "a", "when": "er > 1", "action": {"interval": "30s"}}]}},
         "/policy/rules/0/when"),
    ],
)  # fmt: skip
async def test_a_policy_that_can_not_be_tried_is_refused_at_its_place(body, pointer) -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()

        answer = await door.client.post(f"/api/endpoints/{endpoint['id']}/backtest", json=body)

    assert pointer in [fault["pointer"] for fault in assert_problem(answer, 400)["errors"]]


async def test_what_was_decided_last_before_an_instant_is_told() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint(policy=POLICY)
        await ran(door.world, 0, 9)
        door.world.clock.move(seconds=30)
        await door.world.run_due(an_outcome(body='{"err": 0}', body_is_json=True))
        path = f"/api/endpoints/{endpoint['id']}/steering"

        then = await door.read(f"{path}?at=2026-01-01T00:02:10Z")
        now = await door.read(path)

    assert (then["runId"], then["nextDueAt"]) == (f"{endpoint['id']}:2:1", "2026-01-01T00:02:30.000Z")
    assert then["steering"]["rules"][0]["phase"] == "active"
    assert [step["step"] for step in then["steps"] if step["verdict"] == "won"] == ["interval-hint"]
    assert (now["runId"], now["steering"]["rules"][0]["phase"]) == (f"{endpoint['id']}:2:1", "active")


@pytest.mark.parametrize("at", ["", "yesterday", "2026-01-01T00:00:00"])
async def test_an_instant_without_its_offset_is_refused(at: str) -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()

        answer = await door.client.get(f"/api/endpoints/{endpoint['id']}/steering?at={at}")

    assert_problem(answer, 400)
