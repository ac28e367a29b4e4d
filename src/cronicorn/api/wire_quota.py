"""A tenant's quota of tokens and of runs on the wire."""

from cronicorn.api.wire_values import Answer, Instant, whole_milliseconds
from cronicorn.control.execution_tiers import ExecutionStanding
from cronicorn.control.quota import QuotaStanding
from cronicorn.domain.calendar import Period
from cronicorn.domain.execution.limits import Ration
from cronicorn.domain.instant import shifted
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.decision import Mode
from cronicorn.domain.rate import LimitStanding


class BudgetAnswer(Answer):
    """Tokens of one budget."""

    used: int
    reserved: int
    remaining: int
    """What it can still reserve."""


class RationAnswer(Answer):
    """Runs of the present month."""

    limit: int
    used: int
    remaining: int
    reset_at: Instant


class ExecutionAnswer(Answer):
    """What the tenant's tier lets it do; null is no limit."""

    endpoints_max: int | None
    min_interval_ms: int | None
    runs: RationAnswer | None


class QuotaAnswer(Answer):
    """Where the tenant stands: in its present window, in tokens of a language model, and in its runs."""

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
    execution: ExecutionAnswer


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
        execution=_execution_answer(standing.execution),
    )


def _execution_answer(execution: ExecutionStanding) -> ExecutionAnswer:
    limits, runs = execution.limits, execution.runs
    return ExecutionAnswer(
        endpoints_max=limits.endpoints,
        min_interval_ms=whole_milliseconds(limits.interval_min),
        runs=None if runs is None else _runs_answer(runs),
    )


def _runs_answer(runs: Ration) -> RationAnswer:
    return RationAnswer(limit=runs.limit, used=runs.used, remaining=runs.remaining, reset_at=runs.month.end_at)


def quota_limits(standing: QuotaStanding) -> tuple[LimitStanding, ...]:
    """The limits of a tenant, in tokens and in runs."""
    runs, resets_in = standing.execution.runs, standing.resets_in
    tokens = LimitStanding(
        name="tokens", limit=standing.view.limit, window=standing.window, remaining=standing.view.remaining,
        resets_in=resets_in, unit="tokens",
    )  # fmt: skip
    return (tokens,) if runs is None else (tokens, runs.standing(shifted(standing.reset_at, -resets_in)))
