from datetime import UTC, datetime, timedelta

import pytest

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.cron import CronSchedule, DstGap, DstOverlap

# Each row: zone, expression, a moment some hours before the jump, and the next instants (UTC) by policy.
GAPS = [
    (  # 02:00 becomes 03:00 at 07:00Z.
        ("America/New_York", "30 2 * * *", "2026-03-07T12:00"),
        {
            DstGap.RUN_AFTER: ["2026-03-08T07:00", "2026-03-09T06:30"],
            DstGap.SKIP: ["2026-03-09T06:30", "2026-03-10T06:30"],
            DstGap.SHIFT: ["2026-03-08T07:30", "2026-03-09T06:30"],
        },
    ),
    (  # Skipped times that meet shown ones, moved or not: each instant comes once.
        ("America/New_York", "0,20,40 2,3 8 3 *", "2026-03-07T12:00"),
        {
            DstGap.RUN_AFTER: ["2026-03-08T07:00", "2026-03-08T07:20", "2026-03-08T07:40", "2027-03-08T07:00"],
            DstGap.SKIP: ["2026-03-08T07:00", "2026-03-08T07:20", "2026-03-08T07:40", "2027-03-08T07:00"],
            DstGap.SHIFT: ["2026-03-08T07:00", "2026-03-08T07:20", "2026-03-08T07:40", "2027-03-08T07:00"],
        },
    ),
    (  # 02:00 becomes 03:00 at 01:00Z.
        ("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00"),
        {
            DstGap.RUN_AFTER: ["2026-03-29T01:00", "2026-03-30T00:30"],
            DstGap.SKIP: ["2026-03-30T00:30", "2026-03-31T00:30"],
            DstGap.SHIFT: ["2026-03-29T01:30", "2026-03-30T00:30"],
        },
    ),
    (  # Half an hour: 02:00 becomes 02:30 at 15:30Z.
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T12:00"),
        {
            DstGap.RUN_AFTER: ["2026-10-03T15:30", "2026-10-04T15:15"],
            DstGap.SKIP: ["2026-10-04T15:15", "2026-10-05T15:15"],
            DstGap.SHIFT: ["2026-10-03T15:45", "2026-10-04T15:15"],
        },
    ),
    (  # Midnight is missing: 00:00 becomes 01:00 at 03:00Z.
        ("America/Sao_Paulo", "30 0 * * *", "2018-11-03T12:00"),
        {
            DstGap.RUN_AFTER: ["2018-11-04T03:00", "2018-11-05T02:30"],
            DstGap.SKIP: ["2018-11-05T02:30", "2018-11-06T02:30"],
            DstGap.SHIFT: ["2018-11-04T03:30", "2018-11-05T02:30"],
        },
    ),
    (  # Two hours: 01:00 becomes 03:00 at 01:00Z.
        ("Antarctica/Troll", "30 2 * * *", "2026-03-28T12:00"),
        {
            DstGap.RUN_AFTER: ["2026-03-29T01:00", "2026-03-30T00:30"],
            DstGap.SKIP: ["2026-03-30T00:30", "2026-03-31T00:30"],
            DstGap.SHIFT: ["2026-03-29T02:30", "2026-03-30T00:30"],
        },
    ),
    (  # Not daylight saving: a new standard time. 02:30 becomes 03:00 at 07:00Z.
        ("America/Caracas", "45 2 * * *", "2016-04-30T12:00"),
        {
            DstGap.RUN_AFTER: ["2016-05-01T07:00", "2016-05-02T06:45"],
            DstGap.SKIP: ["2016-05-02T06:45", "2016-05-03T06:45"],
            DstGap.SHIFT: ["2016-05-01T07:15", "2016-05-02T06:45"],
        },
    ),
    (  # A whole day is missing: 30 December never was, the next begins at 10:00Z.
        ("Pacific/Apia", "0 12 30 12 *", "2011-12-01T00:00"),
        {
            DstGap.RUN_AFTER: ["2011-12-30T10:00", "2012-12-29T22:00"],
            DstGap.SKIP: ["2012-12-29T22:00", "2013-12-29T22:00"],
            DstGap.SHIFT: ["2011-12-30T22:00", "2012-12-29T22:00"],
        },
    ),
]

OVERLAPS = [
    (  # 02:00 becomes 01:00 at 06:00Z.
        ("America/New_York", "30 1 * * *", "2026-10-31T12:00"),
        {
            DstOverlap.DEBIAN: ["2026-11-01T05:30", "2026-11-02T06:30"],
            DstOverlap.FIRST: ["2026-11-01T05:30", "2026-11-02T06:30"],
            DstOverlap.SECOND: ["2026-11-01T06:30", "2026-11-02T06:30"],
            DstOverlap.BOTH: ["2026-11-01T05:30", "2026-11-01T06:30", "2026-11-02T06:30"],
        },
    ),
    (  # A wildcard hour: Debian's cron lets the job follow the clock.
        ("America/New_York", "30 * * * *", "2026-11-01T04:30"),
        {
            DstOverlap.DEBIAN: ["2026-11-01T05:30", "2026-11-01T06:30", "2026-11-01T07:30"],
            DstOverlap.FIRST: ["2026-11-01T05:30", "2026-11-01T07:30", "2026-11-01T08:30"],
            DstOverlap.SECOND: ["2026-11-01T06:30", "2026-11-01T07:30", "2026-11-01T08:30"],
            DstOverlap.BOTH: ["2026-11-01T05:30", "2026-11-01T06:30", "2026-11-01T07:30"],
        },
    ),
    (  # 03:00 becomes 02:00 at 01:00Z.
        ("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00"),
        {
            DstOverlap.DEBIAN: ["2026-10-25T00:30", "2026-10-26T01:30"],
            DstOverlap.FIRST: ["2026-10-25T00:30", "2026-10-26T01:30"],
            DstOverlap.SECOND: ["2026-10-25T01:30", "2026-10-26T01:30"],
            DstOverlap.BOTH: ["2026-10-25T00:30", "2026-10-25T01:30", "2026-10-26T01:30"],
        },
    ),
    (  # Half an hour: 02:00 becomes 01:30 at 15:00Z.
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-04T12:00"),
        {
            DstOverlap.DEBIAN: ["2026-04-04T14:45", "2026-04-05T15:15"],
            DstOverlap.FIRST: ["2026-04-04T14:45", "2026-04-05T15:15"],
            DstOverlap.SECOND: ["2026-04-04T15:15", "2026-04-05T15:15"],
            DstOverlap.BOTH: ["2026-04-04T14:45", "2026-04-04T15:15", "2026-04-05T15:15"],
        },
    ),
    (  # Over midnight: 00:00 becomes 23:00 of the day before at 02:00Z.
        ("America/Sao_Paulo", "30 23 * * *", "2018-02-17T12:00"),
        {
            DstOverlap.DEBIAN: ["2018-02-18T01:30", "2018-02-19T02:30"],
            DstOverlap.FIRST: ["2018-02-18T01:30", "2018-02-19T02:30"],
            DstOverlap.SECOND: ["2018-02-18T02:30", "2018-02-19T02:30"],
            DstOverlap.BOTH: ["2018-02-18T01:30", "2018-02-18T02:30", "2018-02-19T02:30"],
        },
    ),
    (  # Two hours: 03:00 becomes 01:00 at 01:00Z.
        ("Antarctica/Troll", "30 2 * * *", "2026-10-24T12:00"),
        {
            DstOverlap.DEBIAN: ["2026-10-25T00:30", "2026-10-26T02:30"],
            DstOverlap.FIRST: ["2026-10-25T00:30", "2026-10-26T02:30"],
            DstOverlap.SECOND: ["2026-10-25T02:30", "2026-10-26T02:30"],
            DstOverlap.BOTH: ["2026-10-25T00:30", "2026-10-25T02:30", "2026-10-26T02:30"],
        },
    ),
]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def upcoming(schedule: CronSchedule, after: datetime, count: int) -> list[str]:
    cron, found = CronsimCron(), []
    for _ in range(count):
        instant = cron.next(schedule, after)
        assert instant is not None
        found.append(f"{instant:%Y-%m-%dT%H:%M}")
        after = instant
    return found


@pytest.mark.parametrize("overlap", DstOverlap)
@pytest.mark.parametrize(
    ("case", "policy", "expected"),
    [(case, policy, expected) for case, answers in GAPS for policy, expected in answers.items()],
)
def test_a_skipped_time_runs_as_the_gap_policy_says(case, policy, expected, overlap):
    zone, expression, after = case
    schedule = CronSchedule(expression, zone, policy, overlap)

    found = upcoming(schedule, moment(after), len(expected))

    assert found == expected


@pytest.mark.parametrize("gap", DstGap)
@pytest.mark.parametrize(
    ("case", "policy", "expected"),
    [(case, policy, expected) for case, answers in OVERLAPS for policy, expected in answers.items()],
)
def test_a_time_that_comes_twice_runs_as_the_overlap_policy_says(case, policy, expected, gap):
    zone, expression, after = case
    schedule = CronSchedule(expression, zone, gap, policy)

    found = upcoming(schedule, moment(after), len(expected))

    assert found == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("*/10 2 * * *", "2026-03-09T06:00"), ("30 */2 * * *", "2026-03-08T08:30")],
)
def test_a_wildcard_schedule_has_no_run_to_make_up_for_a_skipped_time(expression, expected):
    schedule = CronSchedule(expression, "America/New_York")

    found = upcoming(schedule, moment("2026-03-08T06:00"), 1)

    assert found == [expected]


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01"])
def test_every_half_hour_is_every_half_hour_on_the_days_the_clock_jumps(day):
    schedule, begin = CronSchedule("*/30 * * * *", "America/New_York"), moment(f"{day}T03:00")

    found = upcoming(schedule, begin, 12)

    assert found == [f"{begin + (count + 1) * timedelta(minutes=30):%Y-%m-%dT%H:%M}" for count in range(12)]


@pytest.mark.parametrize("after", ["2026-03-07T12:00", "2026-10-31T12:00"])
def test_seconds_written_out_as_zero_change_nothing(after):
    with_seconds = CronSchedule("0 30 1,2 * * *", "America/New_York")
    without = CronSchedule("30 1,2 * * *", "America/New_York")

    assert upcoming(with_seconds, moment(after), 4) == upcoming(without, moment(after), 4)


def test_in_the_second_pass_of_an_hour_the_first_does_not_come_back():
    schedule = CronSchedule("30 1,3 * * *", "America/New_York")
    in_second_pass = moment("2026-11-01T06:15")  # 01:15 for the second time

    found = upcoming(schedule, in_second_pass, 1)

    assert found == ["2026-11-01T08:30"]
