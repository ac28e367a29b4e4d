"""Asking a model inside the budget of a tenant: reserve, ask, and charge what it took."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from cronicorn.domain.errors import QuotaExceededError
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import Denied, Reason
from cronicorn.domain.quota.ports import Quota
from cronicorn.scheduler.ai import AIClient, AIFatalError, AITransientError, Question, Session, TokenUsage

GRANT_SLACK = timedelta(minutes=1)
"""A grant lasts so much longer than its question."""
_WHAT = {Budget.COMPILE: "Compiling", Budget.ANALYSIS: "An analysis"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a question is charged to."""

    tenant_id: str
    budget: Budget
    key: str
    """Names the question in the tenant's books."""


class TokensDeniedError(QuotaExceededError):
    """The budget of tokens does not cover the question."""

    def __init__(self, denied: Denied, account: Account, tokens: int) -> None:
        takes, reason = f"{_WHAT[account.budget]} takes up to {tokens:,} tokens", denied.reason.value
        if denied.reason is Reason.TOO_LARGE:
            message = f"{takes}, and the budget has less in a whole window ({reason}); waiting does not help: raise the"
            super().__init__(f"{message} limit, as `cronicorn tenant set NAME --limit TOKENS` does.")
        else:
            wait = ceil(denied.retry_after.total_seconds())
            message = f"{takes}, and the budget has {denied.remaining:,} left ({reason}); ask again in {wait:,} s, or"
            super().__init__(f"{message} raise the limit.", retry_after=denied.retry_after)
        self.denied = denied


async def asked_within(quota: Quota, account: Account, client: AIClient, question: Question) -> Session:
    """Ask once `tokens_max` of *question* are reserved; afterwards what it took is charged, also where it failed.

    Raises TokensDeniedError, and the errors of `AIClient`. A call that is cut short is charged the reserved tokens in
    time, when its grant runs out.
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
    try:
        session = await client.plan_with_tools(question)
    except (AIFatalError, AITransientError) as error:
        await _charge(quota, decision.grant_id, error.usage)
        raise
    await _charge(quota, decision.grant_id, session.usage)
    return session


async def _charge(quota: Quota, grant_id: str, usage: TokenUsage) -> None:
    """End a grant: with nothing where no request was worked on, with all that was reserved where one is not counted."""
    if usage.requests == 0:
        await quota.release(grant_id)
    else:
        await quota.commit(grant_id, None if usage.unmeasured else usage.tokens)
