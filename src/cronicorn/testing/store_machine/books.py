"""Where each nominal instant of an endpoint went, counted without the ledger."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from cronicorn.domain.endpoint import BaselineKind, JobEndpoint
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.run import Run
from cronicorn.domain.slot import Skip, SlotState
from cronicorn.testing.store_machine.fleet import promise

MINUTE = timedelta(minutes=1)


def instants(endpoint: JobEndpoint, after: datetime, until: datetime) -> list[datetime]:
    """The nominal instants in (*after*, *until*] of a baseline without window, whose cron means every minute."""
    baseline = endpoint.baseline
    if baseline.kind is BaselineKind.ONCE and baseline.once_at is not None:
        return [baseline.once_at] if after < baseline.once_at <= until else []
    if baseline.kind is BaselineKind.DORMANT:
        return []
    step = baseline.interval if baseline.interval is not None else MINUTE
    anchor_at = baseline.anchor_at if baseline.anchor_at is not None else MIDNIGHT
    count, first = (until - anchor_at) // step, (after - anchor_at) // step + 1
    return [anchor_at + number * step for number in range(first, count + 1)]


def check_books(
    endpoint: JobEndpoint, since: datetime, now: datetime, runs: Sequence[Run], skips: Sequence[Skip]
) -> None:
    """Every instant since *since* that is accounted for ran or was skipped, once; those that wait are in no record."""
    watermark = endpoint.state.accounted_until
    assert watermark is not None
    nominal = instants(endpoint, since, max(now, watermark))
    places = Counter(nominal_at for _, nominal_at in {(run.slot, run.nominal_at) for run in runs})
    for skip in skips:
        if skip.state is not SlotState.CANCELLED and skip.count:
            held = [instant for instant in nominal if skip.first_at <= instant <= skip.last_at]
            promise(len(held) == skip.count or not skip.exact, "a range counts its instants", skip, held)
            places.update(held)
    waiting = _waiting(endpoint, nominal)
    for instant in nominal:
        closed = instant <= watermark and instant not in waiting
        promise(
            places[instant] == (1 if closed else 0),
            "every instant is in exactly one place", endpoint.id, instant, places[instant], watermark, endpoint.state,
            skips, runs,
        )  # fmt: skip


def _waiting(endpoint: JobEndpoint, nominal: Sequence[datetime]) -> set[datetime | None]:
    state = endpoint.state
    waiting = {state.plan.nominal_at} if state.plan is not None and state.attempt == 1 else set()
    if state.owed_at is not None:
        owed = [instant for instant in nominal if instant >= state.owed_at]
        waiting |= set(owed[: 1 + state.owed_count])
    return waiting
