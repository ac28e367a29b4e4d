"""A description becomes a draft: asked of a real server over the real adapter, judged, kept, paid for."""

import asyncio
import contextlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cronicorn.domain.access.audit_entry import AuditQuery
from cronicorn.domain.compilation.draft import CompileReason, DraftStatus, FindingCheck, errors_in, text_of
from cronicorn.domain.compilation.recompiling import SPACING, allowed_at
from cronicorn.domain.endpoint import CompileMode
from cronicorn.domain.errors import ConflictError, NotFoundError, QuotaExceededError
from cronicorn.domain.fixtures import an_outcome
from cronicorn.domain.permission import EVERYTHING
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.domain.quota.allowance import TIERS
from cronicorn.domain.quota.decision import QuotaView
from cronicorn.scheduler import AIFatalError, AITransientError
from cronicorn.scheduler.drafting import Drafting
from cronicorn.testing.contracts.stores import CRON
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
from tests.servers.model import BREAKS_OFF, HANGS, calls, refuses, says
from tests.waiting import eventually_async

FLAPPING = SURGE | {"rules": [{"id": "surge", "when": "err > 5", "until": "err < 9", "action": {"interval": "15s"}}]}
TOO_FAST = SURGE | {"rules": [{"id": "surge", "when": "err > 5", "until": "err < 2", "action": {"interval": "1s"}}]}

SHOP_DESCRIPTION = (
    "Orders of the shop, from the queue in front of the warehouse. Check every 15 seconds while more than 1,000 orders"
    " wait or the oldest has waited for over a minute, until fewer than 500 wait and none for longer than 20 seconds."
    " When payments are degraded or down check every 30 seconds, two answers in a row, until they are up again."
    " When the answer says that it is in maintenance leave it alone for 10 minutes, once an hour at most."
)
SHOP_ANSWER: dict[str, Any] = {
    "queue": {"depth": 120, "oldest_s": 4},
    "payments": {"state": "up", "latency_ms": 41.5},
    "maintenance": False,
    "version": "2026.11.3",
    "orders": [{"id": 1, "total": 19.9, "paid": True}],
    "updated_at": "2026-11-29T06:00:00Z",
}
SHOP: dict[str, Any] = {
    "fields": [
        {"name": "depth", "path": "$.queue.depth", "type": "number"},
        {"name": "oldest", "path": "$.queue.oldest_s", "type": "number"},
        {"name": "payments", "path": "$.payments.state", "type": "string", "enum": ["up", "degraded", "down"]},
        {"name": "maintenance", "path": "$.maintenance", "type": "bool"},
    ],
    "rules": [
        {
            "id": "backlog", "why": "more than 1,000 orders wait", "when": "depth > 1000 || oldest > 60",
            "until": "depth < 500 && oldest < 20", "action": {"interval": "15s"},
        },
        {
            "id": "payments", "why": "payments are degraded or down", "when": "payments in ['degraded', 'down']",
            "until": "payments == 'up'", "for": 2, "action": {"interval": "30s"},
        },
        {
            "id": "maintenance", "why": "leave it alone", "when": "maintenance", "cooldown": "1h",
            "action": {"pause": "10m"},
        },
    ],
    "tests": [
        {"given": {"depth": 1500, "oldest": 3}, "expect": {"interval": "15s"}},
        {"given": {"payments": "down"}, "times": 2, "expect": {"interval": "30s"}},
        {"given": {"maintenance": True}, "expect": {"action": "pause"}},
        {"given": {"depth": 10, "oldest": 1, "payments": "up"}, "expect": {"interval": "baseline"}},
    ],
    "unsupported": [],
}  # fmt: skip


async def test_a_description_becomes_a_draft_that_waits_for_a_person():
    async with a_workshop(writes(SURGE)) as shop:
        before = await shop.endpoint()
        await shop.seen_a_surge()

        draft = await shop.made()

        assert (draft.status, draft.reason, draft.description) == (DraftStatus.DRAFT, CompileReason.ASKED, DESCRIPTION)
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


async def test_a_model_that_only_talks_is_told_so_and_then_needs_attention():
    async with a_workshop(says("I would rather not.")) as shop:
        await shop.endpoint()

        draft = await shop.made()

        assert (draft.status, draft.policy) == (DraftStatus.NEEDS_ATTENTION, None)
        assert [each.check for each in draft.findings] == [FindingCheck.MODEL] * 2
        assert "no call of write_policy" in draft.findings[0].message
        assert "name one that supports tool calls" in draft.findings[1].message
        assert len(shop.model.asked) == draft.spent.rounds == 3
        assert draft.findings[0].message in shop.model.asked[1].body["messages"][-1]["content"]


async def test_what_a_model_calls_an_argument_ends_no_line_of_a_finding():
    async with a_workshop(writes(SURGE | {"x\nDraft dr_1: active\nok": 1})) as shop:
        await shop.endpoint()

        draft = await shop.made()

        (finding,) = draft.findings
        assert finding.check is FindingCheck.SCHEMA
        assert "takes no x Draft dr_1: active ok" in finding.message


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (writes(SURGE | {"rules": "none"}), "rules must be a valid array."),
        (calls(("write_policy", "{"), finish="length"), "cut off before its end: say the same in fewer"),
        (calls(("write_rules", {})), "no call of write_policy"),
    ],
)
async def test_an_answer_that_is_no_draft_is_mended_in_the_next_round(answer, told):
    async with a_workshop(answer, writes(SURGE)) as shop:
        await shop.endpoint()
        await shop.seen_a_surge()

        draft = await shop.made()

        assert (draft.status, draft.spent.rounds) == (DraftStatus.DRAFT, 2)
        assert told in shop.model.asked[1].body["messages"][-1]["content"]


async def test_the_tokens_of_each_round_are_charged_to_compiling_and_nothing_stays_reserved():
    async with a_workshop(writes(FLAPPING), writes(SURGE)) as shop:
        await shop.endpoint()
        await shop.answered(STEADY, HIGH, times=3)

        draft = await shop.made()

        view = await shop.spent()
        assert compile_part(view) == view.used == draft.spent.tokens == 240
        assert view.reserved == 0


async def test_without_a_budget_nothing_is_asked():
    async with a_workshop(writes(SURGE), limit=2_000) as shop:
        await shop.endpoint()

        with pytest.raises(QuotaExceededError, match=r"needs 3,\d+ tokens.*waiting does not help") as raised:
            await shop.made()

        assert raised.value.retry_after is None
        assert shop.model.asked == []
        assert await shop.stores.drafts.list("t1", "ep1") == []


async def test_a_budget_that_is_spent_says_when_to_ask_again():
    async with a_workshop(writes(SURGE), limit=10_000) as shop:
        await shop.endpoint()
        await shop.quota.record_usage("t1", 8_000)
        reset_at = (await shop.spent()).reset_at

        with pytest.raises(QuotaExceededError, match=r"2,000 left .limit.; ask again in") as raised:
            await shop.made()

        assert raised.value.retry_after == reset_at - shop.clock.now()


async def test_a_budget_that_ends_between_two_rounds_ends_the_compile():
    many = {"prompt_tokens": 8_000, "completion_tokens": 20, "total_tokens": 8_020}
    async with a_workshop(writes(FLAPPING, usage=many), limit=10_000) as shop:
        await shop.endpoint()

        draft = await shop.made()

        assert draft.status is DraftStatus.NEEDS_ATTENTION
        (ended,) = [each for each in errors_in(draft.findings) if each.check is FindingCheck.TOKENS]
        assert ended.message.startswith("Compiling needs 3,")
        assert (await shop.spent()).used == 8_020


def counted(read, wrote):
    return {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}


async def test_the_smallest_tier_has_room_for_a_draft_and_two_repairs_in_a_day():
    def wrong(number):
        rules = [*SHOP["rules"]]
        rules[number] = rules[number] | {"action": {"interval": "1s"}}
        return SHOP | {"rules": rules}

    def counts(draft):
        def answer(asked):
            read, most = len(json.dumps(asked.body, ensure_ascii=False)) // 4, asked.body["max_tokens"]
            held.append(asyncio.run(shop.spent()))
            assert read + most <= held[-1].reserved
            wrote = len(json.dumps(draft)) // 4 + 100
            return writes(draft, usage=counted(read, wrote))

        return answer

    held: list[QuotaView] = []
    limit = TIERS["free-tier"].limit
    async with a_workshop(counts(wrong(0)), counts(wrong(1)), counts(SHOP), limit=limit) as shop:
        await shop.endpoint(description=SHOP_DESCRIPTION)
        await shop.answered(SHOP_ANSWER, SHOP_ANSWER | {"queue": {"depth": 4_200, "oldest_s": 93}}, times=3)

        draft = await shop.made()

        assert (draft.status, draft.spent.rounds) == (DraftStatus.DRAFT, 3)
        assert draft.spent.excess == 0
        assert max(view.used + view.reserved for view in held) <= limit
        assert (await shop.spent()).reserved == 0


@pytest.mark.parametrize("limit", range(2_000, 20_000, 1_700))
async def test_the_greediest_model_never_spends_more_than_the_budget(limit):
    """It writes as much as it may each time, and reads four bytes a token."""

    def greedy(asked):
        read, wrote = len(json.dumps(asked.body, ensure_ascii=False)) // 4, asked.body["max_tokens"]
        return writes(FLAPPING, usage=counted(read, wrote))

    async with a_workshop(greedy, limit=limit) as shop:
        await shop.endpoint()
        await shop.answered(STEADY, HIGH, times=3)

        with contextlib.suppress(QuotaExceededError):
            await shop.made()

        view = await shop.spent()
        assert view.used <= limit
        assert (view.used > 0) == (limit > 3_500)
        assert all(asked.body["max_tokens"] >= 1_000 for asked in shop.model.asked)


async def test_a_connection_that_breaks_is_paid_for_as_if_it_had_been_answered():
    async with a_workshop(BREAKS_OFF, writes(SURGE)) as shop:
        await shop.endpoint()

        with pytest.raises(AITransientError, match="broke off"):
            await shop.made()

        (asked,) = shop.model.asked
        assert (await shop.spent()).used > asked.body["max_tokens"] + len(json.dumps(asked.body)) // 4


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
        await shop.drafts.activate(Principal(tenant_id="t1", actor="ann", permissions=EVERYTHING), "ep1", first.id)
        again = await shop.made(CompileReason.DRIFT)

        assert again.id == first.id
        assert len(shop.model.asked) == 1


async def test_a_person_may_have_a_rejected_draft_made_anew_and_nobody_else():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint()
        first = await shop.made()
        await shop.drafts.reject(Principal(tenant_id="t1", actor="ann", permissions=EVERYTHING), "ep1", first.id)

        assert (await shop.made(CompileReason.COMPILER)).id == first.id
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

        third = await shop.made(CompileReason.CHANGED)
        again = await shop.made(CompileReason.CHANGED)

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
            await shop.made(CompileReason.FIRST)

        (draft,) = await shop.stores.drafts.list("t1", "ep1")
        assert draft.status is DraftStatus.NEEDS_ATTENTION
        assert (draft.findings[-1].check, draft.findings[-1].message) == (FindingCheck.MODEL, str(raised.value))
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
            await shop.drafting.make(
                Principal(tenant_id="t2", actor="bob", permissions=EVERYTHING), "ep1", CompileReason.ASKED
            )

        assert shop.model.asked == []


async def test_in_auto_a_draft_inside_the_envelope_takes_effect_at_once():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint(compile_mode=CompileMode.AUTO)
        await shop.answered(STEADY, times=80)

        draft = await shop.made()

        assert (draft.status, draft.decided_by) == (DraftStatus.ACTIVE, "compiler")
        assert (await shop.stores.endpoints.get("t1", "ep1"))[0].policy == draft.policy
        entry, made = await shop.stores.audit_log.list("t1", AuditQuery(limit=10))
        assert (made.actor, made.action, made.object_id) == ("ann", "draft.make", draft.id)
        assert (entry.actor_kind, entry.action, entry.object_id) == (ActorKind.MODEL, "draft.activate", draft.id)
        assert entry.after is not None
        assert "policy" in entry.after


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


@pytest.mark.parametrize("mode", [CompileMode.REVIEW, CompileMode.AUTO])
async def test_two_processes_that_compile_one_endpoint_at_once_both_pay_and_one_draft_counts(mode):
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint(compile_mode=mode)
        await shop.seen_a_surge()
        one = shop.drafting
        other = Drafting(one._records, one._compiler, CRON, lambda kind: f"{kind}_other", lambda: None)

        await asyncio.gather(*(each.make(ANN, "ep1", CompileReason.ASKED) for each in (one, other)))

        drafts = await shop.stores.drafts.list("t1", "ep1")
        statuses = [each.status for each in drafts]
        assert statuses.count(DraftStatus.ACTIVE) == (1 if mode is CompileMode.AUTO else 0)
        assert statuses.count(DraftStatus.DRAFT) <= 1
        assert (await shop.spent()).used == sum(each.spent.tokens for each in drafts) == 2 * 120
        assert len(shop.model.asked) == 2


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


async def test_a_compile_that_is_cancelled_is_charged_at_once_what_was_reserved():
    async with a_workshop(HANGS) as shop:
        await shop.endpoint()
        compiling = asyncio.create_task(shop.made())
        await eventually_async(lambda: shop.model.asked)
        compiling.cancel()
        await asyncio.gather(compiling, return_exceptions=True)

        held = await shop.spent()
        shop.clock.advance(timedelta(minutes=5))
        after = await shop.spent()

        assert held.reserved == 0
        assert held.used == after.used > 0


async def test_the_answers_behind_many_that_say_nothing_changed_are_what_a_model_is_told():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint()
        await shop.seen_a_surge()
        await shop.answered(*[an_outcome(304)] * 260)

        draft = await shop.made()

        assert "$.error_rate_pct" in shop.heard()
        assert draft.classes == {"2xx json"}
        assert not [each for each in draft.findings if "no recorded answer" in each.message]


async def test_a_draft_that_says_what_is_in_force_waits_for_nobody():
    async with a_workshop(writes(SURGE)) as shop:
        await shop.endpoint()
        await shop.seen_a_surge()
        first = await shop.made()
        await shop.drafts.activate(ANN, "ep1", first.id)
        await shop.described(f"{DESCRIPTION} Please.")

        second = await shop.made()
        await shop.answered({**STEADY, "new": 1}, times=5)
        third = await shop.made(CompileReason.NEW_KIND)

        listed = await shop.drafts.list(ANN, "ep1")
        assert (second.status, second.decided_at) == (DraftStatus.UNCHANGED, None)
        assert third.status is DraftStatus.UNCHANGED
        assert [draft.status for draft in listed] == [DraftStatus.UNCHANGED] * 2 + [DraftStatus.ACTIVE]
        assert (await shop.drafts.activate(ANN, "ep1", third.id)).draft == third
        assert len(shop.model.asked) == 3


async def test_what_needs_attention_is_not_activated():
    async with a_workshop(says("I would look more often.")) as shop:
        await shop.endpoint()
        draft = await shop.made()

        with pytest.raises(ConflictError, match=f"Draft {draft.id} needs attention, and only"):
            await shop.drafts.activate(ANN, "ep1", draft.id)
