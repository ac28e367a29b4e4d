"""Asking a model inside the budget of a tenant: reserve, ask, and charge what it took."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from cronicorn.domain.durations import coarse
from cronicorn.domain.errors import CronicornError, QuotaExceededError, UnavailableError
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import DenialReason, Denied
from cronicorn.domain.quota.ports import Quota
from cronicorn.scheduler.ai import (
    AIClient,
    AIFatalError,
    AITransientError,
    Question,
    Session,
    SessionWarning,
    TokenUsage,
)

log = logging.getLogger(__name__)

GRANT_SLACK = timedelta(minutes=1)
"""A grant lasts so much longer than its question."""
_CHARGING_S = 3.0
"""So long the books may take to end the grant of a call that was cut short."""
_BUG = "A bug of the scheduler ended the question to the model; its log says more under `question_crashed`."
_WHAT = {Budget.COMPILE: "Compiling", Budget.ANALYSIS: "An analysis"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a question is charged to."""

    tenant_id: str
    budget: Budget
    key: str
    """Names the question in the tenant's books."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grant:
    """What was reserved for a question."""

    id: str
    tokens: int


_RAISE = "raise the limit, as `cronicorn tenant set NAME --limit TOKENS` does"
_OR_ELSE = {
    DenialReason.LIMIT: f", or {_RAISE}.",
    DenialReason.BUDGET: f", or {_RAISE}.",
    DenialReason.RESERVED: ": by then calls in progress may have ended.",
}
"""What else helps, or why waiting does."""


class TokensDeniedError(QuotaExceededError):
    """The budget of tokens does not cover the question."""

    def __init__(self, denied: Denied, account: Account, tokens: int) -> None:
        takes, reason = f"{_WHAT[account.budget]} needs {tokens:,} tokens", denied.reason.value
        if denied.reason is DenialReason.TOO_LARGE:
            message = f"{takes}, and the budget has less in a whole window ({reason}); waiting does not help: {_RAISE}."
            super().__init__(message, raising_helps=True)
        else:
            message = f"{takes}, and the budget has {denied.remaining:,} left ({reason}); ask again in"
            wait = f"{coarse(denied.retry_after)}{_OR_ELSE.get(denied.reason, '.')}"
            raising_helps = denied.reason in {DenialReason.LIMIT, DenialReason.BUDGET}
            super().__init__(f"{message} {wait}", retry_after=denied.retry_after, raising_helps=raising_helps)
        self.denied = denied


async def asked_within(quota: Quota, account: Account, client: AIClient, question: Question) -> Session:
    """Ask once `tokens_max` of *question* are reserved; afterwards what it took is charged, also where it failed.

    What the provider bills beyond them is charged, too, and told: GRANT_EXCEEDED among the warnings, and `excess` in
    the usage, also in that of an error. Raises TokensDeniedError, and the errors of `AIClient`. A call that is cut
    short, or that a bug ends, is charged the reserved tokens: at once, or when its grant runs out. The bug is told in
    the log, and rises as an AITransientError with what it cost, so that whoever keeps failures keeps this one, too.
    """
    decision = await quota.reserve(
        account.tenant_id,
        question.tokens_max,
        budget=account.budget,
        key=account.key,
        ttl=question.deadline + GRANT_SLACK,
    )
    if isinstance(decision, Denied):
        raise TokensDeniedError(decision, account, question.tokens_max)
    granted = _Grant(id=decision.grant_id, tokens=question.tokens_max)
    try:
        session = await client.plan_with_tools(question)
    except (AIFatalError, AITransientError) as error:
        error.usage = await _charged(quota, granted, error.usage)
        raise
    except (CronicornError, asyncio.CancelledError):
        await _charged_in_full(quota, granted)
        raise
    except Exception as error:
        log.exception("question_crashed", extra={"tenant": account.tenant_id, "budget": account.budget.value})
        await _charged_in_full(quota, granted)
        usage = TokenUsage(requests=1, unmeasured=1, estimated=granted.tokens, charged=granted.tokens)
        raise AITransientError(_BUG, usage=usage) from error
    usage = await _charged(quota, granted, session.usage)
    more = (SessionWarning.GRANT_EXCEEDED,) if usage.excess else ()
    return replace(session, usage=usage, warnings=(*session.warnings, *more))


async def _charged_in_full(quota: Quota, grant: _Grant) -> None:
    """End a grant of which nobody knows what it took; where the books are away, its time ends it."""
    with suppress(UnavailableError, TimeoutError):
        async with asyncio.timeout(_CHARGING_S):
            await quota.commit(grant.id, None)


async def _charged(quota: Quota, grant: _Grant, usage: TokenUsage) -> TokenUsage:
    """End a grant, and *usage* with what was charged and what of it is beyond the grant.

    It is charged nothing where no request was worked on, and what the provider counted, even beyond the grant; where it
    did not count each request, all that was reserved at least.
    """
    if usage.requests == 0:
        await quota.release(grant.id)
        return usage
    counted = usage.input + usage.output
    guessed = usage.unmeasured > 0 and counted <= grant.tokens
    await quota.commit(grant.id, None if guessed else counted)
    return replace(usage, charged=grant.tokens if guessed else counted, excess=max(0, counted - grant.tokens))
