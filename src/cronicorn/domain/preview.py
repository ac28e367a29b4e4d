"""The next instants of an endpoint, as they would come if every run succeeded at once and nothing else happened."""

from dataclasses import replace
from datetime import datetime, timedelta

from cronicorn.domain.call import Outcome, OutcomeKind
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.plan import Plan
from cronicorn.domain.planning import plan_next_run
from cronicorn.domain.ports import Cron
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.settlement import Stored

PREVIEW_MAX = 100


def preview(endpoint: JobEndpoint, now: datetime, cron: Cron, count: int) -> tuple[Plan, ...]:
    """Up to *count* plans from *now* on, at most PREVIEW_MAX, earliest first."""
    plans: list[Plan] = []
    state = replace(endpoint.state, plan=plan_next_run(now, endpoint, cron))
    for _ in range(min(count, PREVIEW_MAX)):
        plan = state.plan
        if plan is None or plan.next_run_at is None or (plans and plan.next_run_at == plans[-1].next_run_at):
            break
        plans.append(plan)
        endpoint = endpoint.standing(state)
        facts = Facts(stored=Stored(now=plan.next_run_at), run=_imagined(endpoint, plan), manual=False, cron=cron)
        state = decide(endpoint, facts).state
    return tuple(plans)


def _imagined(endpoint: JobEndpoint, plan: Plan) -> Run:
    at = plan.next_run_at
    assert at is not None
    return Run(
        tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id, slot=endpoint.state.slot, attempt=endpoint.state.attempt,
        fence=0, source=plan.source, trace="", due_at=at, nominal_at=plan.nominal_at, started_at=at, finished_at=at,
        status=RunStatus.SUCCESS, outcome=Outcome(kind=OutcomeKind.RESPONDED, duration=timedelta(0), status_code=200),
    )  # fmt: skip
