"""What to run when a claimed slot may be late: the catch-up policy."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from cronicorn.domain.cadence import Grid
from cronicorn.domain.endpoint import CATCH_UP_RUNS_MAX, CATCH_UP_WINDOW_MAX, BaselineKind, CatchUpMode, JobEndpoint
from cronicorn.domain.instant import ALL_TIME, MICROSECOND, shifted
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
    # A short window or interval still forgives the jitter of a busy second: otherwise nothing would ever run.
    if endpoint.catch_up.window is not None:
        return min(max(endpoint.catch_up.window, PUNCTUAL), ALL_TIME)
    baseline = endpoint.baseline
    if baseline.kind is BaselineKind.INTERVAL:
        return min(max(baseline.length, PUNCTUAL), CATCH_UP_WINDOW_MAX)
    return CATCH_UP_WINDOW_MAX


def admit(endpoint: JobEndpoint, now: datetime, cron: Cron, *, taken_over: bool = False) -> Admission:
    """Decide at *now* what the due plan of *endpoint* runs for.

    A plan that stands for no nominal instant (hint, clamp, pause end), a retry, an instant already taken on as owed,
    one that was held back and a slot *taken_over* from a worker that may have called it always run. A nominal instant
    runs when it is inside the window; of several late ones the catch-up mode picks.
    """
    plan, state = endpoint.state.plan, endpoint.state
    if plan is None or plan.next_run_at is None:
        return Admission(run=False)
    if (
        taken_over
        or plan.nominal_at is None
        or state.attempt > 1
        or state.owed_at is not None
        or state.held is not None
    ):
        return Admission(run=True, nominal_at=plan.nominal_at)
    grid = Grid(endpoint, cron)
    earliest = shifted(now, -catch_up_window(endpoint))
    planned_in_time = plan.next_run_at >= earliest
    # After an edit the books may be closed beyond the planned instant: what is recorded there is not taken up again.
    after = max(plan.next_run_at, endpoint.state.accounted_until or plan.next_run_at)
    later = grid.next(after)
    if later is None or later > now:
        return Admission(run=planned_in_time, nominal_at=plan.nominal_at)
    nominal = _late(grid, max(after, shifted(earliest, -MICROSECOND)), now)
    if planned_in_time:
        nominal = [plan.nominal_at, *nominal]
    if not nominal:
        return Admission(run=False)
    chosen = nominal[:1] if endpoint.catch_up.mode is CatchUpMode.EARLIEST else nominal[-_runs_max(endpoint) :]
    return Admission(run=True, nominal_at=chosen[0], owed=tuple(chosen[1:]))


def _late(grid: Grid, after: datetime, now: datetime) -> list[datetime]:
    """Nominal instants of the effective stretch (*after*, *now*], as many as the policy may pick from."""
    if grid.endpoint.catch_up.mode is CatchUpMode.EARLIEST:
        found = list(islice(grid.between(after, now), 1))
    else:
        found = grid.latest(after, now, _runs_max(grid.endpoint))
    return list(map(grid.nominal, found))


def _runs_max(endpoint: JobEndpoint) -> int:
    policy = endpoint.catch_up
    return min(max(policy.runs_max, 1), CATCH_UP_RUNS_MAX) if policy.mode is CatchUpMode.ALL else 1
