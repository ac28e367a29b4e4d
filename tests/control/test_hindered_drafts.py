"""What keeps a draft from being made of a description, as it is told before anybody asks for one."""

from dataclasses import replace

from cronicorn.control.drafts import NO_DESCRIPTION, NO_MODEL, unaffordable_draft
from cronicorn.domain.instant import second_text
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.bounds import COMPILE_TOKENS_LEAST
from cronicorn.domain.quota.decision import Mode
from cronicorn.domain.quota.terms import Terms
from tests.control.world import ALICE, LOCAL, a_world


async def test_tokens_that_do_are_no_hindrance_and_those_that_do_not_come_again() -> None:
    standing = await a_world().control.quotas.show(ALICE)
    enough = replace(standing, left={**standing.left, Budget.COMPILE: COMPILE_TOKENS_LEAST})
    short = replace(standing, left={**standing.left, Budget.COMPILE: COMPILE_TOKENS_LEAST - 1})

    told = unaffordable_draft(short)

    assert unaffordable_draft(enough) is None
    assert unaffordable_draft(replace(short, mode=Mode.SOFT)) is None
    assert told is not None
    assert told.startswith("3,499 tokens are left for it, and it reserves 3,500: there are more from ")
    assert f"from {second_text(standing.reset_at)} on." in told


async def test_a_limit_that_never_has_room_for_a_draft_is_told_with_the_one_that_has() -> None:
    world = a_world()
    await world.control.tenants.add(LOCAL, "acme")
    (tenant,) = await world.stores.keys.tenants()
    acme = replace(ALICE, tenant_id=tenant.id)
    await world.control.quotas.agree(replace(LOCAL, tenant_id=tenant.id), Terms(limit=3_000))

    told = unaffordable_draft(await world.control.quotas.show(acme))

    assert told == "A limit of 3,000 tokens never has room for a compile, which reserves 3,500: set 3,500 at least."


async def test_without_a_description_or_a_model_there_is_nothing_to_ask_for() -> None:
    world = a_world()
    described, silent = await world.endpoint(description="Check the stock."), await world.endpoint()
    drafts = world.control.drafts

    told = (drafts.hindrance(described), drafts.hindrance(silent))
    drafts.maker = None

    assert told == (None, NO_DESCRIPTION)
    assert drafts.hindrance(described) == NO_MODEL
