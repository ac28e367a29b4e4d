"""What to run when a claimed slot may be late: the catch-up policy."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from cronicorn.domain.cadence import Grid
from cronicorn.domain.endpoint import CATCH_UP_WINDOW_MAX, BaselineKind, CatchUpMode, JobEndpoint
from cronicorn.domain.instant import MICROSECOND, shifted
from cronicorn.domain.ports import Cron

PUNCTUAL = timedelta(seconds=1)
"""A start this much after its instant still counts as on time."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether the planned slot runs, and the nominal instant it stands for."""

    run: bool
    nominal_at: datetime | None = None
    owed: tuple[datetime, ...] = ()
    """Late nominal instants that run after this one (`all`)."""


def catch_up_window(endpoint: JobEndpoint) -> timedelta:
    """How late an instant may start: the policy's window, else the interval, at most CATCH_UP_WINDOW_MAX."""
    if endpoint.catch_up.mode is CatchUpMode.NONE:
        return PUNCTUAL
    if endpoint.catch_up.window is not None:
        return endpoint.catch_up.window
    baseline = endpoint.baseline
    if baseline.kind is BaselineKind.INTERVAL and baseline.interval is not None:
        # A short interval still forgives the jitter of a busy second.
        return min(max(baseline.interval, PUNCTUAL), CATCH_UP_WINDOW_MAX)
    return CATCH_UP_WINDOW_MAX


def admit(endpoint: JobEndpoint, now: datetime, cron: Cron) -> Admission:
    """Decide at *now* what the due plan of *endpoint* runs for.

    A plan that stands for no nominal instant (hint, clamp, pause end) and a retry always run. A nominal instant runs
    when it is inside the window; of several late ones the catch-up mode picks.
    """
    plan = endpoint.state.plan
    if plan is None or plan.next_run_at is None:
        return Admission(run=False)
    if plan.nominal_at is None or endpoint.state.attempt > 1 or endpoint.state.owed_at is not None:
        return Admission(run=True, nominal_at=plan.nominal_at)
    grid = Grid(endpoint, cron)
    earliest = shifted(now, -catch_up_window(endpoint))
    planned_in_time = plan.next_run_at >= earliest
    later = grid.next(plan.next_run_at)
    if later is None or later > now:
        return Admission(run=planned_in_time, nominal_at=plan.nominal_at)
    nominal = _late(grid, endpoint, earliest, now)
    if planned_in_time:
        nominal = [plan.nominal_at, *nominal]
    policy = endpoint.catch_up
    number = policy.runs_max if policy.mode is CatchUpMode.ALL else 1
    chosen = nominal[:1] if policy.mode is CatchUpMode.EARLIEST else nominal[-number:]
    if not chosen:
        return Admission(run=False)
    return Admission(run=True, nominal_at=chosen[0], owed=tuple(chosen[1:]))


def _late(grid: Grid, endpoint: JobEndpoint, earliest: datetime, now: datetime) -> list[datetime]:
    """Nominal instants after the planned one that are inside the window, as many as the policy may pick from."""
    plan = endpoint.state.plan
    assert plan is not None
    assert plan.next_run_at is not None
    after = max(plan.next_run_at, shifted(earliest, -MICROSECOND))
    policy = endpoint.catch_up
    if policy.mode is CatchUpMode.EARLIEST:
        found = list(islice(grid.between(after, now), 1))
    else:
        found = grid.latest(after, now, policy.runs_max if policy.mode is CatchUpMode.ALL else 1)
    return [shifted(instant, -grid.offset) for instant in found]
