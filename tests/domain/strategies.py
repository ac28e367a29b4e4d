"""Endpoints that no door would accept: contradictory, extreme, or from another time."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hypothesis import strategies as st

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.cron import DstGap, DstOverlap
from cronicorn.domain.endpoint import (
    Baseline,
    CatchUp,
    CatchUpMode,
    EndpointState,
    JobEndpoint,
    ManualSlot,
    Overlap,
    RetryPolicy,
)
from cronicorn.domain.fixtures import MIDNIGHT, an_endpoint
from cronicorn.domain.hint import HINTS_MAX, Author, Hint, HintKind
from cronicorn.domain.instant import FIRST_INSTANT, LAST_INSTANT

CRON = CronsimCron()
T = TypeVar("T")
ODD_LENGTHS = [
    timedelta.min, timedelta.max, timedelta(days=-1), timedelta(seconds=-5), timedelta(0), timedelta(microseconds=1),
    timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=400),
]  # fmt: skip
EXPRESSIONS = [
    "* * * * *", "*/5 * * * * *", "0 0 30 2 *", "0 0 29 2 *", "0 0 L * *", "0 0 * * 5#3", "@daily", "@reboot",
    "", "nonsense",
    "30 2 * * *", "0 0 1 1 *", "* * * * * *", "\0", "1 2 3 4 5 6 7 8",
]  # fmt: skip
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Nowhere/Land", ""]

near = st.timedeltas(min_value=timedelta(days=-2), max_value=timedelta(days=2))
lengths = st.one_of(st.sampled_from(ODD_LENGTHS), near, st.timedeltas())
ends_of_time = st.sampled_from([
    FIRST_INSTANT, FIRST_INSTANT + timedelta(seconds=1), LAST_INSTANT - timedelta(days=1), LAST_INSTANT,
])  # fmt: skip
instants = st.one_of(
    near.map(lambda by: MIDNIGHT + by),
    st.datetimes(timezones=st.just(UTC)),
    ends_of_time,
)
sane_instants = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
counts = st.one_of(st.integers(-3, 12), st.sampled_from([10**6, 10**400, -(10**400)]))


def maybe(values: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.one_of(st.none(), values)


@st.composite
def hints(draw: st.DrawFn) -> Hint:
    kind = draw(st.sampled_from(HintKind))
    return Hint(
        kind=kind,
        author=draw(st.sampled_from(Author)),
        written_at=draw(instants),
        expires_at=draw(instants),
        interval=draw(lengths) if kind is HintKind.INTERVAL else None,
        at=draw(instants) if kind is not HintKind.INTERVAL else None,
        priority=draw(counts),
        key=draw(st.sampled_from(["", "a", "b"])),
    )


baselines = st.builds(
    Baseline,
    cron=maybe(st.sampled_from(EXPRESSIONS)),
    interval=maybe(lengths),
    once_at=st.one_of(st.none(), st.none(), instants),
    dormant=st.sampled_from([False, False, False, True]),
    anchor_at=maybe(instants),
    zone=st.sampled_from(ZONES),
    dst_gap=st.sampled_from(DstGap),
    dst_overlap=st.sampled_from(DstOverlap),
    window=st.one_of(st.just(timedelta(0)), lengths),
)
states = st.builds(
    EndpointState,
    attempt=st.integers(1, 4),
    slots_issued=st.integers(1, 9),
    failure_count=counts,
    hints=st.lists(hints(), max_size=HINTS_MAX).map(tuple),
    suspended=st.sampled_from([False, False, False, True]),
    last_run_at=maybe(instants),
    spaced_from=maybe(instants),
    accounted_until=maybe(instants),
    retry_at=st.one_of(st.none(), st.none(), instants),
    owed_at=st.one_of(st.none(), st.none(), instants),
    owed_count=counts,
    manual=maybe(st.builds(ManualSlot, slot=st.just(9), requested_at=instants)),
)
catch_ups = st.builds(CatchUp, mode=st.sampled_from(CatchUpMode), window=maybe(lengths), runs_max=counts)
retries = st.builds(RetryPolicy, count=counts, backoff_min=lengths, backoff_max=lengths, doublings_max=counts)


@st.composite
def wild_endpoints(draw: st.DrawFn) -> JobEndpoint:
    return an_endpoint(
        id=draw(st.text(max_size=4)),
        baseline=draw(baselines),
        interval_min=draw(maybe(lengths)),
        interval_max=draw(maybe(lengths)),
        catch_up=draw(catch_ups),
        overlap=draw(st.sampled_from(Overlap)),
        retries=draw(retries),
        state=draw(states),
    )


whole_seconds = st.integers(1, 90_000).map(lambda seconds: timedelta(seconds=seconds))
sane_baselines = st.one_of(
    st.builds(Baseline, interval=whole_seconds, anchor_at=sane_instants, window=st.sampled_from(ODD_LENGTHS[4:])),
    st.builds(
        Baseline,
        cron=st.sampled_from([text for text in EXPRESSIONS if text.count(" ") >= 4 and "30 2 *" not in text][:4]),
        zone=st.sampled_from(ZONES[:4]),
        window=st.sampled_from(ODD_LENGTHS[4:]),
    ),
)
