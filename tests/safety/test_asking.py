"""What a question is charged, whoever asks it."""

import json
from datetime import timedelta

import pytest

from cronicorn.domain.compilation.draft import CompileReason, DraftStatus
from cronicorn.domain.compilation.recompiling import allowed_at
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.permission import EVERYTHING, Operation
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.bounds import CALL_TOKENS_MAX
from cronicorn.domain.quota.decision import DenialReason, Denied
from cronicorn.scheduler.ai import AIClient, AITransientError, Question, Session, TokenUsage
from cronicorn.scheduler.analysing import AnalysisBounds
from cronicorn.scheduler.asking import Account, TokensDeniedError
from cronicorn.scheduler.compiling import ROUNDS_MAX
from cronicorn.testing.contracts.stores import TENANT
from tests.safety.analyst import an_analyst, submits
from tests.servers.model import calls

ALICE = Principal(tenant_id=TENANT, actor="alice", permissions=EVERYTHING, operation=Operation.DRAFT_MAKE)
DESCRIPTION = "Hurry while errors are high."
HINT = ("propose_interval", {"interval_s": 90, "reason": "why"})
ENDS = ("submit_analysis", {"reasoning": "Looked.", "confidence": 0.9})
NO_POLICY = ("write_policy", {"fields": [], "rules": [], "tests": [], "unsupported": ["Nothing can be said."]})


@pytest.mark.parametrize(
    ("reason", "end"),
    [
        (
            DenialReason.LIMIT,
            "ask again in 7 h 12 min, or raise the limit, as `cronicorn tenant set NAME --limit TOKENS` does.",
        ),
        (DenialReason.RESERVED, "ask again in 7 h 12 min: by then calls in progress may have ended."),
        (DenialReason.BURST, "ask again in 7 h 12 min."),
        (DenialReason.TOO_LARGE, "as `cronicorn tenant set NAME --limit TOKENS` does."),
    ],
)
def test_a_denial_says_what_helps(reason: DenialReason, end: str) -> None:
    denied = Denied(remaining=20, retry_after=timedelta(hours=7, minutes=12), reset_at=MIDNIGHT, reason=reason)
    account = Account(tenant_id=TENANT, budget=Budget.ANALYSIS, key="k1")

    assert str(TokensDeniedError(denied, account, 8_000)).endswith(end)


async def test_an_analysis_that_the_provider_does_not_count_is_charged_what_was_reserved() -> None:
    async with an_analyst(calls(("get_history", {})), calls(ENDS, usage=None)) as analyst:
        await analyst.watch()
        await analyst.asked()

        (analysis,) = await analyst.analyses()
        assert len(analyst.model.asked) == 2
        assert analysis.spent.tokens < analysis.spent.charged == AnalysisBounds().tokens_max
        assert await analyst.used() == (AnalysisBounds().tokens_max, 0)


async def test_a_compile_that_the_provider_does_not_count_is_charged_what_was_reserved() -> None:
    async with an_analyst(calls(NO_POLICY, usage=None)) as analyst:
        await analyst.watch(description=DESCRIPTION)
        await analyst.answer({"status": "ok"}, times=5)
        draft = await analyst.drafts().make(ALICE, "ep1", CompileReason.ASKED)

        assert 1 <= draft.spent.rounds == len(analyst.model.asked) <= ROUNDS_MAX
        used, reserved = await analyst.used()
        sent = sum(len(json.dumps(asked.body)) // 4 + asked.body["max_tokens"] for asked in analyst.model.asked)
        assert sent <= used <= CALL_TOKENS_MAX * draft.spent.rounds
        assert (used, reserved) == (draft.spent.tokens, 0)


async def test_an_analysis_that_is_billed_more_than_was_reserved_is_charged_it_and_says_so() -> None:
    billed = {"prompt_tokens": 7_000, "completion_tokens": 5_000, "total_tokens": 12_000}
    async with an_analyst(calls(ENDS, usage=billed)) as analyst:
        await analyst.watch()
        await analyst.asked()

        (analysis,) = await analyst.analyses()
        assert analysis.warnings == ("grant_exceeded",)
        assert await analyst.used() == (12_000, 0)


async def test_an_analysis_that_met_a_bound_because_of_its_bill_is_charged_it_and_says_so() -> None:
    billed = {"prompt_tokens": 90_000, "completion_tokens": 10, "total_tokens": 90_010}
    async with an_analyst(calls(("get_history", {}), usage=billed)) as analyst:
        await analyst.watch()
        await analyst.asked()

        (analysis,) = await analyst.analyses()
        assert analysis.warnings == ("tokens_max", "grant_exceeded")
        assert await analyst.used() == (90_010, 0)


class _BilledInVain(AIClient):
    """Fails after the provider has counted *usage*."""

    def __init__(self, usage: TokenUsage) -> None:
        self._usage = usage

    async def plan_with_tools(self, question: Question) -> Session:
        raise AITransientError("It took too long.", usage=self._usage)


@pytest.mark.parametrize("unmeasured", [0, 1])
async def test_a_failed_analysis_that_is_billed_more_than_was_reserved_is_charged_it_and_says_so(
    unmeasured: int,
) -> None:
    usage = TokenUsage(input=8_000, output=500, requests=2, unmeasured=unmeasured, estimated=100 * unmeasured)
    async with an_analyst(submits()) as analyst:
        analyst.client = _BilledInVain(usage)
        await analyst.watch()
        await analyst.asked()

        (analysis,) = await analyst.analyses()
        assert (analysis.error, analysis.warnings) == ("It took too long.", ("grant_exceeded",))
        assert analysis.spent.charged == 8_500
        assert await analyst.used() == (8_500, 0)


async def test_a_compile_that_is_billed_more_than_was_reserved_is_charged_it_and_says_so() -> None:
    billed = {"prompt_tokens": 7_000, "completion_tokens": 5_000, "total_tokens": 12_000}
    async with an_analyst(calls(NO_POLICY, usage=billed)) as analyst:
        await analyst.watch(description=DESCRIPTION)
        await analyst.answer({"status": "ok"}, times=5)
        draft = await analyst.drafts().make(ALICE, "ep1", CompileReason.ASKED)

        excess = draft.spent.excess
        assert draft.spent.tokens - CALL_TOKENS_MAX * draft.spent.rounds <= excess < draft.spent.tokens
        assert await analyst.used() == (draft.spent.tokens, 0)
        assert [each.check for each in draft.findings][-1] == "tokens"
        assert f"billed {excess:,} tokens more than were reserved" in draft.findings[-1].message


def _bug(*_: object) -> None:
    raise TypeError("not thought of")


async def test_a_bug_while_asking_ends_the_grant_and_the_failed_analysis_is_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("cronicorn.adapters.ai.conversation._arguments", _bug)
    async with an_analyst(submits()) as analyst:
        await analyst.watch()
        await analyst.asked()

        (analysis,) = await analyst.analyses()
        assert analysis.error is not None
        assert "question_crashed" in analysis.error
        assert analysis.spent.charged == AnalysisBounds().tokens_max
        assert await analyst.used() == (AnalysisBounds().tokens_max, 0)
        assert [each.getMessage() for each in caplog.records if each.levelname == "ERROR"] == ["question_crashed"]


@pytest.mark.parametrize(
    ("place", "event"),
    [
        ("cronicorn.adapters.ai.conversation._arguments", "question_crashed"),
        ("cronicorn.scheduler.drafting.judged", "draft_not_judged"),
    ],
)
async def test_a_compile_that_a_bug_ends_is_kept_as_a_draft_that_counts(
    monkeypatch: pytest.MonkeyPatch, place: str, event: str
) -> None:
    monkeypatch.setattr(place, _bug)
    async with an_analyst(calls(NO_POLICY)) as analyst:
        await analyst.watch(description=DESCRIPTION)
        await analyst.answer({"status": "ok"}, times=5)
        with pytest.raises(AITransientError, match=event):
            await analyst.drafts().make(ALICE, "ep1", CompileReason.CHANGED)

        (draft,) = await analyst.stores.drafts.list(TENANT, "ep1")
        assert (draft.status, draft.spent.rounds) == (DraftStatus.NEEDS_ATTENTION, 1)
        assert allowed_at([draft]) is not None
        assert await analyst.used() == (draft.spent.tokens, 0)


async def test_a_round_without_room_is_not_counted_and_says_what_takes_it() -> None:
    long = ("write_policy", {**NO_POLICY[1], "rules": ["x" * 50_000]})
    async with an_analyst(calls(long)) as analyst:
        await analyst.watch(description=DESCRIPTION)
        await analyst.answer({"status": "ok"}, times=5)
        draft = await analyst.drafts().make(ALICE, "ep1", CompileReason.ASKED)

        assert draft.spent.rounds == len(analyst.model.asked) == 1
        assert draft.findings[-1].message.startswith("The draft and what is wrong with it are so long")


async def test_a_whole_number_may_be_written_with_a_point() -> None:
    ends = ("submit_analysis", {**ENDS[1], "next_analysis_in_minutes": 90.0})
    async with an_analyst(calls(ends)) as analyst:
        await analyst.watch()
        await analyst.asked()

        (analysis,) = await analyst.analyses()
        assert analysis.next_analysis == timedelta(minutes=90)
        assert len(analyst.model.asked) == 1
