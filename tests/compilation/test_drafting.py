"""A description becomes a draft: asked of a real server over the real adapter, judged, kept, paid for."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from cronicorn.domain.compilation.draft import DraftStatus, Reason, text_of
from cronicorn.domain.compilation.recompiling import SPACING, allowed_at
from cronicorn.domain.compile_mode import CompileMode
from cronicorn.domain.errors import ConflictError, NotFoundError, QuotaExceededError
from cronicorn.domain.principal import Principal
from cronicorn.scheduler import AIFatalError, AITransientError
from tests.compilation.workshop import (
    ANN,
    DESCRIPTION,
    HIGH,
    NOTHING,
    STEADY,
    SURGE,
    a_workshop,
    compile_part,
    lines,
    writes,
)
from tests.servers.model import HANGS, refuses, says
from tests.waiting import eventually_async

FLAPPING = SURGE | {"rules": [{"id": "surge", "when": "err > 5", "until": "err < 9", "action": {"interval": "15s"}}]}
TOO_FAST = SURGE | {"rules": [{"id": "surge", "when": "err > 5", "until": "err < 2", "action": {"interval": "1s"}}]}


async def test_a_description_becomes_a_draft_that_waits_for_a_person():
    async with a_workshop(writes(SURGE)) as shop:
        before = await shop.endpoint()
        await shop.seen_a_surge()

        draft = await shop.made()

        assert (draft.status, draft.reason, draft.description) == (DraftStatus.DRAFT, Reason.ASKED, DESCRIPTION)
        assert draft.findings == ()
        assert [rule.id for rule in draft.policy.rules] == ["surge"]
        assert draft.figures.calls_a_day_new > draft.figures.calls_a_day_old > 1_300
        assert draft.spent.rounds == 1
        stored, _ = await shop.stores.endpoints.get("t1", "ep1")
        assert stored.policy is None
        assert stored.version == before.version


async def test_the_model_is_told_the_description_the_limits_and_the_profile():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint(interval_max=timedelta(hours=1))
        await shop.answered(STEADY, HIGH, times=3)

        await shop.made()

        told = shop.heard()
        assert DESCRIPTION in told
        assert "every 1m. Limits of intervals: 5s to 1h." in told
        assert (
            '$.error_rate_pct\\", \\"type\\": \\"number\\", \\"presence\\": 1.0, \\"numbers\\": [1.5, 8.5, 8.5]' in told
        )
        assert [*shop.model.asked[0].tools] == ["write_policy"]


async def test_a_refused_draft_is_mended_with_what_is_wrong_with_it():
    async with a_workshop(writes(FLAPPING), writes(TOO_FAST), writes(SURGE)) as shop:
        await shop.endpoint()
        await shop.seen_a_surge()

        draft = await shop.made()

        assert draft.status is DraftStatus.DRAFT
        assert draft.spent.rounds == 3
        second, third = (asked.body["messages"][-1]["content"] for asked in shop.model.asked[1:])
        assert "/rules/0/until: `when` and `until` both hold" in second
        assert "/rules/0/action/interval: Every 1s is below the minimum interval, 5s, of the endpoint" in third


async def test_after_two_repairs_it_needs_attention_and_the_old_policy_stays():
    async with a_workshop(writes(FLAPPING)) as shop:
        await shop.endpoint()
        await shop.answered(STEADY, times=3)

        draft = await shop.made()

        assert draft.status is DraftStatus.NEEDS_ATTENTION
        assert draft.spent.rounds == 3
        assert "ends error /rules/0/until" in lines(draft.findings)
        assert len(shop.model.asked) == 3
        assert (await shop.stores.endpoints.get("t1", "ep1"))[0].policy is None


async def test_what_is_no_policy_is_told_place_by_place():
    broken = SURGE | {"rules": [{"id": "surge", "when": "eror > 5", "action": {"interval": "15s"}}]}
    async with a_workshop(writes(broken), writes(SURGE)) as shop:
        await shop.endpoint()
        await shop.seen_a_surge()

        draft = await shop.made()

        assert draft.status is DraftStatus.DRAFT
        assert "/rules/0/when" in shop.model.asked[1].body["messages"][-1]["content"]


async def test_a_model_that_only_talks_needs_attention():
    async with a_workshop(says("I would rather not.")) as shop:
        await shop.endpoint()

        draft = await shop.made()

        assert (draft.status, draft.policy) == (DraftStatus.NEEDS_ATTENTION, None)
        assert "missing_final_tool" in draft.findings[0].message


async def test_the_tokens_of_each_round_are_charged_to_compiling_and_nothing_stays_reserved():
    async with a_workshop(writes(FLAPPING), writes(SURGE)) as shop:
        await shop.endpoint()
        await shop.answered(STEADY, HIGH, times=3)

        draft = await shop.made()

        view = await shop.spent()
        assert compile_part(view) == view.used == draft.spent.tokens == 240
        assert view.reserved == 0


async def test_without_a_budget_nothing_is_asked():
    async with a_workshop(writes(SURGE), limit=8_000) as shop:
        await shop.endpoint()

        with pytest.raises(QuotaExceededError, match=r"up to 9,000 tokens.*waiting does not help") as raised:
            await shop.made()

        assert raised.value.retry_after is None
        assert shop.model.asked == []
        assert await shop.stores.drafts.list("t1", "ep1") == []


async def test_a_budget_that_is_spent_says_when_to_ask_again():
    async with a_workshop(writes(SURGE), limit=10_000) as shop:
        await shop.endpoint()
        await shop.quota.record_usage("t1", 2_000)
        reset_at = (await shop.spent()).reset_at

        with pytest.raises(QuotaExceededError, match=r"8,000 left .limit.; ask again in") as raised:
            await shop.made()

        assert raised.value.retry_after == reset_at - shop.clock.now()


async def test_a_budget_that_ends_between_two_rounds_ends_the_compile():
    many = {"prompt_tokens": 5_000, "completion_tokens": 20, "total_tokens": 5_020}
    async with a_workshop(writes(FLAPPING, usage=many), limit=10_000) as shop:
        await shop.endpoint()

        draft = await shop.made()

        assert draft.status is DraftStatus.NEEDS_ATTENTION
        assert draft.findings[-1].message.startswith("Compiling takes up to 9,000 tokens")
        assert (await shop.spent()).used == 5_020


@pytest.mark.parametrize(("answer", "error"), [(refuses(401), AIFatalError), (refuses(503), AITransientError)])
async def test_a_model_that_refuses_costs_nothing_and_leaves_no_draft(answer, error):
    async with a_workshop(answer) as shop:
        await shop.endpoint()

        with pytest.raises(error):
            await shop.made()

        view = await shop.spent()
        assert (view.used, view.reserved) == (0, 0)
        assert await shop.stores.drafts.list("t1", "ep1") == []


async def test_the_same_is_compiled_once():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint()
        await shop.answered(STEADY, HIGH, times=3)
        first = await shop.made()

        assert await shop.made() == first
        await shop.drafts.activate(Principal(tenant_id="t1", actor="ann"), "ep1", first.id)
        again = await shop.made(Reason.DRIFT)

        assert again.id == first.id
        assert len(shop.model.asked) == 1


async def test_a_person_may_have_a_rejected_draft_made_anew_and_nobody_else():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint()
        first = await shop.made()
        await shop.drafts.reject(Principal(tenant_id="t1", actor="ann"), "ep1", first.id)

        assert (await shop.made(Reason.COMPILER)).id == first.id
        assert (await shop.made()).id != first.id


async def test_a_description_changed_back_is_a_new_draft_that_costs_no_token():
    other = "Check every 15 s while the error rate is above 7 percent, until it is below 2."
    calm = SURGE | {"rules": [{"id": "surge", "when": "err > 7", "until": "err < 2", "action": {"interval": "15s"}}]}
    async with a_workshop(writes(SURGE), writes(calm)) as shop:
        await shop.endpoint()
        await shop.seen_a_surge()
        first = await shop.made()
        await shop.drafts.activate(ANN, "ep1", first.id)
        await shop.described(other)
        second = await shop.made()
        await shop.drafts.activate(ANN, "ep1", second.id)
        await shop.described(DESCRIPTION)

        third = await shop.made(Reason.DESCRIPTION)
        again = await shop.made(Reason.DESCRIPTION)

        assert (third.status, third.policy, third.replaces) == (DraftStatus.DRAFT, first.policy, text_of(second.policy))
        assert (third.spent.tokens, third.spent.rounds, third.figures) == (0, 0, first.figures)
        assert again == third
        assert len(shop.model.asked) == 2
        assert (await shop.drafts.activate(ANN, "ep1", third.id)).draft.status is DraftStatus.ACTIVE


@pytest.mark.parametrize(("answer", "error"), [(refuses(401), AIFatalError), (refuses(503), AITransientError)])
async def test_a_model_that_stops_after_a_round_leaves_what_was_spent_on_record(answer, error):
    async with a_workshop(writes(FLAPPING), answer) as shop:
        await shop.endpoint()
        await shop.answered(STEADY, times=3)

        with pytest.raises(error) as raised:
            await shop.made(Reason.DESCRIBED)

        (draft,) = await shop.stores.drafts.list("t1", "ep1")
        assert draft.status is DraftStatus.NEEDS_ATTENTION
        assert draft.findings[-1].message == str(raised.value)
        assert draft.spent.tokens == (await shop.spent()).used == 120
        assert allowed_at([draft]) == draft.created_at + 2 * SPACING


async def test_a_description_that_cannot_be_expressed_is_said_to_be_so():
    async with a_workshop(writes(NOTHING)) as shop:
        await shop.endpoint(description="Write me a poem about errors.")

        draft = await shop.made()

        assert draft.unsupported == ("Nothing can be said.",)
        assert draft.policy.rules == ()


async def test_what_has_no_description_or_is_not_there_is_refused():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint(description=None)

        with pytest.raises(ConflictError, match="no description"):
            await shop.made()
        with pytest.raises(NotFoundError):
            await shop.drafting.make(Principal(tenant_id="t2", actor="bob"), "ep1", Reason.ASKED)

        assert shop.model.asked == []


async def test_in_auto_a_draft_inside_the_envelope_takes_effect_at_once():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint(compile_mode=CompileMode.AUTO)
        await shop.answered(STEADY, times=80)

        draft = await shop.made()

        assert (draft.status, draft.decided_by) == (DraftStatus.ACTIVE, "compiler")
        assert (await shop.stores.endpoints.get("t1", "ep1"))[0].policy == draft.policy


async def test_in_auto_a_draft_that_doubles_the_calls_waits_for_a_person():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint(compile_mode=CompileMode.AUTO)
        await shop.answered(HIGH, times=80)

        draft = await shop.made()

        assert draft.status is DraftStatus.DRAFT
        assert draft.figures.calls_a_day_new > 2 * draft.figures.calls_a_day_old


async def test_in_auto_a_field_that_no_answer_had_waits_for_a_person():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint(compile_mode=CompileMode.AUTO)
        await shop.answered({"rate": 1}, times=80)

        draft = await shop.made()

        assert draft.status is DraftStatus.DRAFT
        assert lines(draft.findings) == ["fields warning /fields/err"]


async def test_two_compiles_of_one_endpoint_at_once_ask_once():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint()

        ended = await asyncio.gather(shop.made(), shop.made(), return_exceptions=True)

        assert sorted(type(each).__name__ for each in ended) == ["ConflictError", "Draft"]
        assert len(shop.model.asked) == 1


async def test_an_endpoint_that_changes_while_the_model_writes_leaves_its_draft_to_a_person():
    def meanwhile(asked):
        database = shop.stores.endpoints._database
        with database.lock:
            row = database.row("t1", "ep1")
            row.endpoint = replace(row.endpoint, description="Never mind.")
        return writes(SURGE)

    async with a_workshop(meanwhile) as shop:
        await shop.endpoint(compile_mode=CompileMode.AUTO)
        await shop.answered(STEADY, times=80)

        draft = await shop.made()

        assert (draft.status, draft.decided_at) == (DraftStatus.DRAFT, None)
        assert (await shop.stores.endpoints.get("t1", "ep1"))[0].policy is None


async def test_a_deleted_endpoint_ends_the_compile_and_its_tokens_are_charged():
    def meanwhile(asked):
        database = shop.stores.endpoints._database
        with database.lock:
            database.remove(database.row("t1", "ep1"))
        return writes(SURGE)

    async with a_workshop(meanwhile) as shop:
        await shop.endpoint()

        with pytest.raises(NotFoundError):
            await shop.made()

        view = await shop.spent()
        assert (view.used, view.reserved) == (120, 0)


async def test_a_compile_that_is_cancelled_keeps_its_tokens_reserved_until_the_grant_ends():
    async with a_workshop(HANGS) as shop:
        await shop.endpoint()
        compiling = asyncio.create_task(shop.made())
        await eventually_async(lambda: shop.model.asked)
        compiling.cancel()
        await asyncio.gather(compiling, return_exceptions=True)

        held = await shop.spent()
        shop.clock.advance(timedelta(minutes=5))
        after = await shop.spent()

        assert (held.used, held.reserved) == (0, 9_000)
        assert (after.used, after.reserved) == (9_000, 0)
