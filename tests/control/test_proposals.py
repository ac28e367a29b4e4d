"""Policies that somebody wrote wait for a person like drafts that a model made, judged alike, and cost no token."""

from dataclasses import replace
from typing import Any

import pytest

from cronicorn.control.policies import PolicyDocument
from cronicorn.domain.compilation.draft import CompileReason, DraftStatus
from cronicorn.domain.compilation.envelope import outside
from cronicorn.domain.compilation.recompiling import recompilation
from cronicorn.domain.endpoint import CompileMode
from cronicorn.domain.errors import ConflictError, InvalidInputError, NotFoundError
from cronicorn.domain.fixtures import an_outcome
from tests.control.world import ALICE, BOB, a_world

SURGE: dict[str, Any] = {
    "version": 1,
    "fields": {"err": {"path": "$.err", "type": "number"}},
    "rules": [{"id": "surge", "when": "err > 5", "until": "err < 2", "action": {"interval": "30s"}}],
    "tests": [
        {"given": {"err": 9}, "expect": {"interval": "30s"}},
        {"given": {"err": 1}, "expect": {"interval": "baseline"}},
    ],
}


def document(**changes):
    return PolicyDocument(policy={**SURGE, **changes})


async def a_described_world():
    world = a_world(drafting=False)
    endpoint = await world.endpoint(description="every 30 s while errors are high", minIntervalMs=10_000)
    for error in (1, 9, 8, 1):
        world.clock.move(minutes=1)
        await world.run_due(an_outcome(body=f'{{"err": {error}}}', body_is_json=True))
    return world, endpoint


async def test_a_proposal_waits_with_what_the_record_says_of_it_and_a_person_activates_it():
    world, endpoint = await a_described_world()

    view = await world.control.proposals.propose(ALICE, endpoint.id, document())
    waiting = await world.now_stored(endpoint)
    await world.control.drafts.activate(ALICE, endpoint.id, view.draft.id)

    assert (view.draft.status, view.draft.reason) == (DraftStatus.DRAFT, CompileReason.PROPOSED)
    assert view.draft.figures is not None
    assert view.draft.figures.recorded == 4
    assert view.draft.spent.tokens == 0
    assert waiting.policy is None
    assert (await world.now_stored(endpoint)).policy is not None


async def test_the_same_proposal_is_made_once_and_another_takes_its_place():
    world, endpoint = await a_described_world()

    first, again = [await world.control.proposals.propose(ALICE, endpoint.id, document()) for _ in range(2)]
    faster = [{**SURGE["rules"][0], "action": {"interval": "20s"}}]
    tests = [{"given": {"err": 9}, "expect": {"interval": "20s"}}, SURGE["tests"][1]]
    other = await world.control.proposals.propose(ALICE, endpoint.id, document(rules=faster, tests=tests))

    drafts = await world.control.drafts.list(ALICE, endpoint.id)
    assert first.draft == again.draft
    assert [(each.id, each.status) for each in drafts] == [
        (other.draft.id, DraftStatus.DRAFT),
        (first.draft.id, DraftStatus.SUPERSEDED),
    ]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"rules": [{**SURGE["rules"][0], "when": "er > 5"}]}, "/policy/rules/0/when"),
        ({"rules": [{**SURGE["rules"][0], "action": {"interval": "1s"}}]}, "/policy/rules/0/action/interval"),
        ({"rules": [{**SURGE["rules"][0], "until": "err > 4"}]}, "/policy/rules/0/until"),
        ({"rules": [{**SURGE["rules"][0], "why": "looks\u200bharmless"}]}, "/policy/rules/0/why"),
        ({"tests": []}, "/policy/tests"),
    ],
)
async def test_what_no_model_may_hand_in_is_refused_with_its_place_and_nothing_is_kept(changes, pointer):
    world, endpoint = await a_described_world()

    with pytest.raises(InvalidInputError) as caught:
        await world.control.proposals.propose(ALICE, endpoint.id, document(**changes))

    assert pointer in {each.pointer for each in caught.value.fields}
    assert await world.control.drafts.list(ALICE, endpoint.id) == []


async def test_what_is_in_force_archived_or_anothers_is_not_proposed():
    world, endpoint = await a_described_world()
    view = await world.control.proposals.propose(ALICE, endpoint.id, document())
    await world.control.drafts.activate(ALICE, endpoint.id, view.draft.id)

    with pytest.raises(ConflictError, match="already"):
        await world.control.proposals.propose(ALICE, endpoint.id, document())
    with pytest.raises(NotFoundError):
        await world.control.proposals.propose(BOB, endpoint.id, document())
    await world.control.endpoints.archive(ALICE, endpoint.id)
    with pytest.raises(ConflictError, match="archived"):
        await world.control.proposals.propose(ALICE, endpoint.id, document(description="other"))


async def test_no_compile_begins_by_itself_beside_a_proposal_nor_replaces_one_that_a_person_took():
    world, endpoint = await a_described_world()
    view = await world.control.proposals.propose(ALICE, endpoint.id, document())
    runs = [await world.run_due() for _ in range(5) if world.clock.move(minutes=2) is None]
    auto = replace(await world.now_stored(endpoint), compile_mode=CompileMode.AUTO)
    taken = replace(view.draft, status=DraftStatus.ACTIVE, decided_at=world.clock.now(), decided_by="alice")
    in_force = replace(auto, policy=view.draft.policy)

    beside = recompilation(auto, runs, [view.draft], world.clock.now())
    without = recompilation(auto, runs, [], world.clock.now())
    replacing = outside(replace(view.draft, reason=CompileReason.CHANGED), in_force, [taken])

    assert beside is None
    assert without is CompileReason.FIRST
    assert replacing is not None
    assert "A person wrote the policy" in replacing
