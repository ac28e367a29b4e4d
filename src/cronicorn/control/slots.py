"""Slots: what became of each instant of an endpoint, and of each run that a person asked for, newest first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cronicorn.control.permissions import operation
from cronicorn.control.runs import UnfinishedRun, parsed_run_id, unfinished_runs
from cronicorn.domain.cadence import Grid
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.ledger import put_aside_so_far, still_owed
from cronicorn.domain.past_slots import PastSlot, RanSlot, SlotPlace, SlotQuery
from cronicorn.domain.permission import Operation
from cronicorn.domain.plan import Source
from cronicorn.domain.ports import Cron, EndpointCatalog, RunControl
from cronicorn.domain.principal import Principal
from cronicorn.domain.rollup.ports import Timeline
from cronicorn.domain.run import Run
from cronicorn.domain.slot import Skip, SlotState

SLOTS_MAX = 500
_OWED = "late, and still to be run"


class OpenState(StrEnum):
    """How a slot stands that has not ended."""

    WAITING = "waiting"
    RUNNING = "running"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """A slot, or a range of instants that did not run."""

    state: SlotState | OpenState
    at: datetime
    """By which slots are in order: when the first attempt began, or is due; the last instant of a range."""
    recorded: bool
    """False of what may still change: it waits, goes on, or was put aside by the plan in force."""
    number: int | None = None
    """None of a range."""
    source: Source | None = None
    """What decided when it is called; None of a range."""
    reason: str | None = None
    """Why it did not run; None of what did."""
    first_at: datetime | None = None
    """The first nominal instant that it stands for; None of what stands for none, such as a manual run."""
    last_at: datetime | None = None
    count: int = 0
    """How many nominal instants it stands for."""
    exact: bool = True
    """False where there are more than `count`."""
    due_at: datetime | None = None
    attempts: tuple[Run | UnfinishedRun, ...] = ()
    """The first one first, without bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotList:
    """One page of slots."""

    slots: tuple[SlotView, ...]
    next_after: SlotPlace | None
    """Where the page after begins; None when this is the last one."""


class Slots:
    """What can be asked about slots. Nothing here changes anything."""

    def __init__(self, catalog: EndpointCatalog, control: RunControl, timeline: Timeline, cron: Cron) -> None:
        self._catalog = catalog
        self._control = control
        self._timeline = timeline
        self._cron = cron

    @operation(Operation.SLOT_LIST)
    async def list(self, principal: Principal, endpoint_id: str, query: SlotQuery) -> SlotList:
        """The slots of an endpoint, newest first, each nominal instant once. Raises NotFoundError.

        What has not ended comes first, on the first page, beside what is on record. It is looked at first: what ends
        meanwhile is then found on record.
        """
        endpoint, stored = await self._catalog.get(principal.tenant_id, endpoint_id)
        lease = await self._control.held(principal.tenant_id, endpoint_id) if stored.leased else None
        unfinished = unfinished_runs(endpoint, lease)
        page = await self._timeline.slots(principal.tenant_id, endpoint_id, query)
        open_now: list[SlotView] = []
        if query.after is None:
            ended = {run.id for slot in page.slots if isinstance(slot, RanSlot) for run in slot.runs}
            waiting = [run for run in unfinished if run.id not in ended]
            open_now = [each for each in self._open(endpoint, waiting, stored.now) if _inside(each, query)]
            open_now.sort(key=lambda each: each.at, reverse=True)
        following = {parsed_run_id(run.id).slot: run for run in unfinished if run.attempt > 1}
        return SlotList(
            slots=(*open_now, *(_past(slot, following) for slot in page.slots)),
            next_after=page.slots[-1].place if page.more else None,
        )

    def _open(self, endpoint: JobEndpoint, runs: Iterable[UnfinishedRun], now: datetime) -> Iterator[SlotView]:
        """What has not ended. A slot that is tried again is told of with its first attempt."""
        plan, grid = endpoint.state.plan, Grid(endpoint, self._cron)
        for run in runs:
            if run.attempt == 1:
                yield _unfinished(run, endpoint)
        planned = plan.nominal_at if plan is not None else None
        owed = [instant for instant in still_owed(grid) if instant != planned]
        if owed:
            yield SlotView(
                state=OpenState.WAITING, at=owed[-1], recorded=False, reason=_OWED, first_at=owed[0], last_at=owed[-1],
                count=len(owed),
            )  # fmt: skip
        for skip in put_aside_so_far(grid, now):
            yield _skipped(skip, recorded=False)


def _inside(slot: SlotView, query: SlotQuery) -> bool:
    begins_at = min(slot.first_at, slot.at) if slot.first_at is not None else slot.at
    return (query.since is None or slot.at >= query.since) and (query.until is None or begins_at <= query.until)


def _unfinished(run: UnfinishedRun, endpoint: JobEndpoint) -> SlotView:
    plan, number = endpoint.state.plan, parsed_run_id(run.id).slot
    planned = plan if plan is not None and number == endpoint.state.slot else None
    nominal_at = planned.nominal_at if planned is not None else None
    return SlotView(
        state=_state_of(run), at=run.since, recorded=False, number=number, source=run.source, first_at=nominal_at,
        last_at=nominal_at, count=int(nominal_at is not None), attempts=(run,),
        due_at=planned.next_run_at if planned is not None else None,
    )  # fmt: skip


def _past(slot: PastSlot, following: dict[int, UnfinishedRun]) -> SlotView:
    """*slot*, with the attempt of it among *following* that waits or goes on."""
    if not isinstance(slot, RanSlot):
        return _skipped(slot.skip, recorded=True)
    first = slot.runs[0]
    again = following.get(first.slot)
    if again is not None and again.attempt <= slot.runs[-1].attempt:
        again = None
    return SlotView(
        state=SlotState.RAN if again is None else _state_of(again), at=slot.place.at, recorded=again is None,
        number=first.slot, source=first.source, first_at=first.nominal_at, last_at=first.nominal_at,
        count=int(first.nominal_at is not None), due_at=first.due_at,
        attempts=slot.runs if again is None else (*slot.runs, again),
    )  # fmt: skip


def _skipped(skip: Skip, *, recorded: bool) -> SlotView:
    return SlotView(
        state=skip.state, at=skip.last_at, recorded=recorded, reason=skip.reason, first_at=skip.first_at,
        last_at=skip.last_at, count=skip.count, exact=skip.exact,
    )  # fmt: skip


def _state_of(run: UnfinishedRun) -> OpenState:
    return OpenState.RUNNING if run.running else OpenState.WAITING
