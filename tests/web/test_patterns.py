"""Each pattern is made as its form has it, without a word of warning, and does what it says."""

from datetime import timedelta

import pytest

from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.web.patterns import PATTERNS, EndpointPattern
from tests.domain.policy.history import History
from tests.web.entered import EnteredForm
from tests.web.site import Site, a_site

URL = "https://service.example/api"


async def made(site: Site, pattern: EndpointPattern) -> dict[str, JobEndpoint]:
    """The endpoints that come of filling in nothing but URLs, and a name where there is none."""
    job = await site.world.job(site.owner)
    path, endpoints = f"/jobs/{job}/endpoints/new?pattern={pattern.key}", dict[str, JobEndpoint]()
    for number in range(1, len(pattern.parts) + 1):
        action = f"/jobs/{job}/endpoints/new?pattern={pattern.key}&part={number}"
        page = await site.text(path)
        fields = EnteredForm(page, action).fields
        answer = await site.client.post(action, data=fields | {"url": URL, "name": fields["name"] or "x", "do": "save"})
        assert answer.status_code == 303, answer.text
        path = answer.headers["location"]
    for view in await site.world.control.endpoints.list(site.owner, job):
        told = await site.world.control.endpoints.get(site.owner, view.endpoint.id)
        assert told.warnings == ()
        endpoints[view.endpoint.name] = view.endpoint
    assert len(endpoints) == len(pattern.parts)
    assert path == f"/endpoints/{view.endpoint.id}"
    return endpoints


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.key)
async def test_a_pattern_is_made_as_it_is_and_planned(pattern: EndpointPattern) -> None:
    async with a_site() as site:
        endpoints = await made(site, pattern)

    *asleep, awake = endpoints.values()
    assert awake.state.due_at is not None
    assert [each.state.due_at for each in asleep] == [None] * len(asleep)


async def history_of(key: str) -> History:
    async with a_site() as site:
        endpoints = await made(site, next(each for each in PATTERNS if each.key == key))
    return History.of(*endpoints.values())


async def test_a_monitor_looks_closer_while_errors_are_many() -> None:
    history, gaps = await history_of("monitor"), []
    for rate in (1, 6, 3, 1.5):
        history.answer({"error_rate_pct": rate}, of="health")
        gaps.append(history.gap("health"))

    assert gaps == [timedelta(minutes=5), timedelta(seconds=30), timedelta(seconds=30), gaps[3]]
    assert gaps[3] > timedelta(seconds=30)


async def test_a_check_has_the_remedy_run_when_the_service_is_down_twice() -> None:
    history = await history_of("recovery")
    history.answer({"state": "down"}, of="check")
    before = history.endpoints["recover"].state.due_at
    history.answer({"state": "down"}, of="check")

    assert before is None
    assert history.endpoints["recover"].state.due_at is not None


async def test_each_stage_of_a_chain_has_the_next_run_once_for_a_batch() -> None:
    history = await history_of("etl")
    history.answer({"batch_id": "1", "state": "running"}, of="extract")
    asleep = history.endpoints["transform"].state.due_at
    history.answer({"batch_id": "1", "state": "complete"}, of="extract")
    due = history.endpoints["transform"].state.due_at
    history.answer({"batch_id": "1", "state": "complete"}, of="transform")

    assert asleep is None
    assert due is not None
    assert history.endpoints["load"].state.due_at is not None


async def test_a_busy_target_is_asked_less() -> None:
    history, gaps = await history_of("inverse"), []
    for cpu in (30, 60, 91):
        history.answer({"cpu_pct": cpu}, of="load check")
        gaps.append(history.gap("load check"))

    assert gaps == [timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5)]
