"""What a person reads of an explanation, in a terminal of eighty columns."""

from datetime import timedelta

import pytest
from rich.console import Console

from cronicorn.api.wire_schedule import explanation_answer
from cronicorn.cli.explain import _latest
from cronicorn.cli.explanation_tree import Told, explanation_tree
from cronicorn.control.document import IntervalHintDocument, PauseDocument
from cronicorn.domain.call import OutcomeKind
from cronicorn.domain.fixtures import MIDNIGHT, an_outcome
from tests.cli.places import interface_to
from tests.control.world import ALICE, a_world


async def said(world, endpoint, width=80, explanation=None):
    there = interface_to(world)
    document = await there.get(f"/endpoints/{endpoint.id}")
    if explanation is None:
        explained = await there.get(f"/endpoints/{endpoint.id}/explain")
    else:
        explained = explanation_answer(explanation).model_dump(mode="json", by_alias=True)
    told = Told(endpoint=document, explanation=explained, latest=await _latest(there, endpoint.id))
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        console.print(explanation_tree("shop/stock", told))
    return capture.get()


def flat(text):
    return " ".join(text.translate(str.maketrans("│├└─", "    ")).split())


async def test_long_reasons_go_on_beneath_themselves_and_lose_no_word():
    world = a_world()
    endpoint = await world.endpoint()
    await world.control.hints.write_interval(
        ALICE,
        endpoint.id,
        IntervalHintDocument.model_validate({"intervalMs": 30_000, "reason": "the sale begins " * 12}),
    )

    narrow, wide = await said(world, endpoint), await said(world, endpoint, width=2_000)

    assert max(map(len, narrow.splitlines())) <= 80
    assert flat(narrow) == flat(wide)
    assert "won interval-hint by a person 00:00:30Z (in 30 s): A live interval hint" in flat(narrow)
    assert "A hint replaces the baseline." in flat(narrow)


async def test_a_plan_that_would_be_made_again_is_shown_once():
    world = a_world()
    endpoint = await world.endpoint()

    text = await said(world, endpoint)

    assert "The plan in force: 00:01:00Z (in 1 min), source baseline-interval" in text
    assert "planned now" not in text
    assert "in the past" not in text


async def test_a_plan_nobody_took_is_said_to_lie_in_the_past():
    world = a_world()
    endpoint = await world.endpoint()
    world.clock.move(minutes=1, seconds=12)

    text = await said(world, endpoint)

    assert "00:01:00Z (12 s ago)" in text
    assert "no scheduler has taken it yet" in flat(text)
    assert "If it were planned now: 00:02:00Z (in 48 s)" in text


async def test_the_last_run_the_failures_and_the_schedule_are_told():
    world = a_world()
    endpoint = await world.endpoint(minIntervalMs=5_000)
    world.clock.move(minutes=1)
    outcome = an_outcome()._replace(kind=OutcomeKind.BROKEN, status_code=None, error="The answer broke off.")
    await world.run_due(outcome)

    text = flat(await said(world, endpoint))

    assert "Schedule: every 1m, minimum 5s" in text
    assert "Last run: 00:01:00Z" in text
    assert "failed" in text
    assert "broken: The answer broke off." in text
    assert "Failures: 1 in a row" in text


async def test_an_endpoint_with_a_zone_shows_its_own_time_beside_utc():
    world = a_world()
    endpoint = await world.endpoint(baselineCron="0 9 * * *", timezone="Asia/Tokyo")

    text = flat(await said(world, endpoint))

    assert "Schedule: cron '0 9 * * *' in Asia/Tokyo" in text
    assert f"{MIDNIGHT + timedelta(days=1):%Y-%m-%d} 00:00:00Z = " in text
    assert "09:00:00 Asia/Tokyo (in 1 d)" in text


async def test_what_a_pause_beat_reads_as_lost():
    world = a_world()
    endpoint = await world.endpoint()
    until = f"{MIDNIGHT + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    await world.control.hints.pause(ALICE, endpoint.id, PauseDocument.model_validate({"pausedUntil": until}))

    text = flat(await said(world, endpoint))

    assert "lost baseline-interval 00:01:00Z (in 1 min): The baseline's next instant. The pause beats it." in text
    assert "won pause 01:00:00Z (in 1 h)" in text


@pytest.mark.parametrize("fields", [{"dormant": True}, {"onceAt": "2100-01-01T00:00:00Z"}])
async def test_an_endpoint_without_a_cadence_is_explained_too(fields):
    world = a_world()

    text = await said(world, await world.endpoint(**fields))

    assert "Schedule: " in text
    assert "Last run: none yet" in text
