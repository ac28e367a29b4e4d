"""What is written of a call that was made under a lease."""

import logging
from dataclasses import replace
from datetime import datetime

from cronicorn.domain.call import Outcome
from cronicorn.domain.decision import Facts, decide
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.execution.limits import month_of
from cronicorn.domain.lease import Lease
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import Cron, Decide
from cronicorn.domain.run import Run, judged, run_status
from cronicorn.domain.settlement import Settlement, Stored
from cronicorn.scheduler.held import HeldLease

log = logging.getLogger(__name__)

_BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What stores raise is not among them: they stop a decision to begin it again, or can't be reached."""


def run_of(hold: HeldLease, started_at: datetime, nominal_at: datetime | None, outcome: Outcome) -> Run:
    """The record of a call made under *hold*, which has just ended."""
    lease = hold.lease
    outcome = judged(lease.endpoint, outcome)
    endpoint, plan = lease.endpoint, lease.endpoint.state.plan
    return Run(
        tenant_id=endpoint.tenant_id,
        endpoint_id=endpoint.id,
        slot=lease.slot,
        attempt=lease.attempt,
        fence=lease.fence,
        source=Source.MANUAL if lease.manual or plan is None else plan.source,
        trace="" if lease.manual or plan is None else plan.trace.encode(),
        due_at=lease.due_at or started_at,
        nominal_at=nominal_at,
        started_at=started_at,
        finished_at=max(started_at, hold.now()),
        status=run_status(endpoint, outcome),
        outcome=outcome,
    )


def deciding(lease: Lease, run: Run | None, cron: Cron, seed: str = "") -> Decide:
    """What follows from *run* (None: no call was made: too late, or no run left this month), whatever is stored.

    A run that a limit speaks of is counted in the month in which it began.
    """
    ration = lease.ration
    over_limit = ration.reason if ration is not None and lease.exhausted else None
    month_at = month_of(run.started_at).start_at if ration is not None and run is not None else None

    def decided(endpoint: JobEndpoint, stored: Stored) -> Settlement:
        facts = Facts(
            stored=stored, run=run, manual=lease.manual, cron=cron, watched=lease.watched, over_limit=over_limit,
            seed=seed,
        )  # fmt: skip
        settlement = decided_on(endpoint, facts)
        return settlement if month_at is None else settlement._replace(month_at=month_at)

    def decided_on(endpoint: JobEndpoint, facts: Facts) -> Settlement:
        try:
            return decide(endpoint, facts)
        except _BUGS:
            if run is None:
                raise
            # A bug in what is made of an answer costs its steering, not the record of the call.
            log.exception("steering_crashed", extra=lease.facts())
            return decide(endpoint, replace(facts, steers=False))

    return decided
