import re
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from zoneinfo import ZoneInfo

from cronsim import CronSim
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.cron import CronSchedule, DstGap, DstOverlap
from cronicorn.domain.errors import InvalidInputError
from tests.adapters.cron.textbook import BOUNDS, instants, next_in_utc

HOUR = timedelta(hours=1)
DAYS_MAX = 1500
LAST = datetime.max.replace(tzinfo=UTC)
BEGINNING = datetime(2019, 1, 1, tzinfo=UTC)

# A zone, and when its clock jumps: by half an hour, over midnight, by two hours, by a day, at the end of a year.
JUMPS = [
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2026-10-03T15:30"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),
    ("America/Sao_Paulo", "2018-11-04T03:00"),
    ("America/Sao_Paulo", "2018-02-18T02:00"),
    ("America/Havana", "2026-11-01T05:00"),
    ("Antarctica/Troll", "2026-03-29T01:00"),
    ("Antarctica/Troll", "2026-10-25T01:00"),
    ("America/Caracas", "2016-05-01T07:00"),
    ("America/Caracas", "2007-12-09T07:00"),
    ("Asia/Pyongyang", "2018-05-04T15:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),
    ("Pacific/Kiritimati", "1994-12-31T10:00"),
    ("Pacific/Kwajalein", "1993-08-21T12:00"),
    ("Africa/Casablanca", "2026-02-15T02:00"),
    ("Asia/Gaza", "2040-10-20T00:00"),
    ("Asia/Gaza", "2040-10-27T00:00"),
    ("Asia/Tokyo", "2026-06-01T00:00"),
]

PLAIN_JUMPS = [
    ("America/New_York", "2026-03-08T07:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
]


@st.composite
def fields(draw, low: int, high: int) -> str:
    """One numeric field, more often `*` than not."""

    def item() -> str:
        first = draw(st.integers(low, high))
        last = draw(st.integers(first, high))
        step = draw(st.integers(1, high))
        stepped = [f"*/{step}", f"{first}-{last}/{step}", f"{first}/{step}"]
        chosen: str = draw(st.sampled_from(["*", "*", str(first), f"{first}-{last}", *stepped]))
        return chosen

    return ",".join(item() for _ in range(draw(st.integers(1, 3))))


EXPRESSIONS = st.tuples(*(fields(low, high) for low, high in BOUNDS)).map(" ".join)
NIGHTLY = st.tuples(fields(0, 59), fields(0, 23)).map(lambda parts: f"{parts[0]} {parts[1]} * * *")
POLICIES = {"dst_gap": st.sampled_from(DstGap), "dst_overlap": st.sampled_from(DstOverlap)}
ANY_INSTANT = st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")]))


def schedules(expressions: st.SearchStrategy[str], zones: st.SearchStrategy[str]) -> st.SearchStrategy[CronSchedule]:
    return st.builds(CronSchedule, expression=expressions, zone=zones, **POLICIES)


@settings(max_examples=300)
@given(
    EXPRESSIONS,
    st.timedeltas(timedelta(0), timedelta(days=12 * 365)).map(lambda distance: BEGINNING + distance),
)
@example("0 3-3/7 * * *", datetime(2026, 1, 1, 4, tzinfo=UTC))
def test_in_utc_the_answer_is_the_one_a_minute_walker_finds(expression, after):
    expected = next_in_utc(expression, after, DAYS_MAX)

    answer = CronsimCron().next(CronSchedule(expression), after)

    if expected is None:
        assert answer is None or answer >= after + timedelta(days=DAYS_MAX - 1)
    else:
        assert answer == expected


@settings(max_examples=150)
@given(st.sampled_from(JUMPS).flatmap(lambda jump: st.tuples(schedules(NIGHTLY, st.just(jump[0])), st.just(jump[1]))))
def test_around_every_kind_of_jump_the_instants_are_those_of_a_minute_walker(case):
    schedule, jump = case
    middle = datetime.fromisoformat(jump).replace(tzinfo=UTC)
    begin, end = middle - 6 * HOUR, middle + 27 * HOUR
    expected = instants(schedule, begin, end)

    cron, found, after = CronsimCron(), [], begin - timedelta(microseconds=1)
    while (instant := cron.next(schedule, after)) is not None and instant < end:
        found.append(instant)
        after = instant

    assert found == expected


@settings(max_examples=300)
@given(EXPRESSIONS, st.sampled_from(PLAIN_JUMPS), st.timedeltas(-30 * HOUR, 30 * HOUR))
def test_the_default_policy_is_that_of_cronsim_where_the_clock_jumps_by_an_hour_in_the_night(
    expression, jump, distance
):
    zone = ZoneInfo(jump[0])
    after = datetime.fromisoformat(jump[1]).replace(tzinfo=UTC) + distance
    assume(not re.search(r"\b(\d+)-\1/", expression))  # cronsim reads `3-3/7` as `3/7`, Debian's cron does not
    answer = CronsimCron().next(CronSchedule(expression, jump[0]), after)
    assume(answer is not None)

    expected = next(local for local in CronSim(expression, after.astimezone(zone)) if local.astimezone(UTC) > after)

    assert answer == expected.astimezone(UTC)


@settings(max_examples=300)
@given(schedules(EXPRESSIONS, st.sampled_from(sorted({zone for zone, _ in JUMPS}))), ANY_INSTANT)
def test_the_answer_is_strictly_later_in_utc_and_on_a_whole_second(schedule, after):
    answer = CronsimCron().next(schedule, after)

    if answer is not None:
        assert answer > after
        assert answer.tzinfo is UTC
        assert answer.microsecond == 0


@settings(max_examples=200)
@given(
    schedules(NIGHTLY, st.sampled_from(sorted({zone for zone, _ in JUMPS}))),
    st.sampled_from(JUMPS),
    st.lists(st.timedeltas(-30 * HOUR, 30 * HOUR), min_size=2, max_size=8),
)
def test_a_later_question_never_gets_an_earlier_answer_and_memory_changes_none(schedule, jump, distances):
    middle = datetime.fromisoformat(jump[1]).replace(tzinfo=UTC)
    remembering = CronsimCron()

    answers = [(middle + distance, remembering.next(schedule, middle + distance)) for distance in distances]

    afresh = [(after, CronsimCron().next(schedule, after)) for after, _ in answers]
    assert answers == afresh
    ordered = [answer or LAST for _, answer in sorted(afresh, key=itemgetter(0))]
    assert ordered == sorted(ordered)


@settings(max_examples=500)
@given(
    st.one_of(
        st.text(max_size=40),
        st.text("0123456789*/,-#LW@ ", max_size=30),
        st.lists(st.text("0123456789*/,-#LWANSUMO", max_size=8), min_size=4, max_size=7).map(" ".join),
    ),
    st.one_of(st.just("UTC"), st.text(max_size=20)),
)
def test_any_text_is_either_answered_or_refused_with_a_printable_sentence(expression, zone):
    after = datetime(2026, 1, 1, tzinfo=UTC)

    answer = answered_or_refused(CronSchedule(expression, zone), after)

    if isinstance(answer, str):
        assert answer.isprintable()
        assert answer.endswith((".", "?"))
    else:
        assert answer is None or answer > after


def answered_or_refused(schedule: CronSchedule, after: datetime) -> datetime | str | None:
    try:
        return CronsimCron().next(schedule, after)
    except InvalidInputError as error:
        return str(error)
