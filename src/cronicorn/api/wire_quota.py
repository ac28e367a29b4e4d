"""A token quota on the wire, in the body and in the RateLimit fields."""

import math

from cronicorn.api.wire_values import Answer, Instant
from cronicorn.control.quota import QuotaStanding
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.calendar import Period
from cronicorn.domain.quota.decision import Mode


class BudgetAnswer(Answer):
    """Tokens of one budget."""

    used: int
    reserved: int
    remaining: int
    """What it can still reserve."""


class QuotaAnswer(Answer):
    """Where the tenant stands in its present window, in tokens of a language model."""

    tier: str
    mode: Mode
    period: Period
    zone: str
    limit: int
    used: int
    reserved: int
    remaining: int
    reset_at: Instant
    budgets: dict[Budget, BudgetAnswer]


def quota_answer(standing: QuotaStanding) -> QuotaAnswer:
    """*standing* on the wire."""
    view = standing.view
    return QuotaAnswer(
        tier=standing.tier,
        mode=standing.mode,
        period=standing.calendar.period,
        zone=str(standing.calendar.zone),
        limit=view.limit,
        used=view.used,
        reserved=view.reserved,
        remaining=view.remaining,
        reset_at=view.reset_at,
        budgets={
            budget: BudgetAnswer(used=part.used, reserved=part.reserved, remaining=standing.left[budget])
            for budget, part in view.budgets.items()
        },
    )


def rate_limit_fields(standing: QuotaStanding) -> dict[str, str]:
    """The same in draft-ietf-httpapi-ratelimit-headers-11: a policy named `tokens`, whose quota unit is tokens."""
    window, reset = math.ceil(standing.window.total_seconds()), math.ceil(standing.resets_in.total_seconds())
    return {
        "RateLimit-Policy": f'"tokens";q={standing.view.limit};qu="tokens";w={window}',
        "RateLimit": f'"tokens";r={standing.view.remaining};t={reset}',
    }
