import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.cron import CronSchedule, DstGap, DstOverlap

SAMPLES = Path(__file__).parents[2] / "data" / "cron_next.jsonl"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)  # a Thursday


def upcoming(expression: str, count: int, *, cron: CronsimCron | None = None, after: datetime = NOON) -> list[str]:
    cron = cron or CronsimCron()
    found = []
    for _ in range(count):
        instant = cron.next(CronSchedule(expression), after)
        assert instant is not None
        found.append(f"{instant:%m-%d %H:%M:%S}")
        after = instant
    return found


def test_every_sample_is_answered_exactly():
    cron = CronsimCron()
    samples = [json.loads(line) for line in SAMPLES.read_text().splitlines()]

    wrong = [
        sample
        for sample in samples
        if cron.next(CronSchedule(sample["expr"]), datetime.fromisoformat(sample["from"]))
        != datetime.fromisoformat(sample["next"])
    ]

    assert len(samples) == 150
    assert wrong == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("@hourly", ["01-01 13:00:00", "01-01 14:00:00"]),
        ("@daily", ["01-02 00:00:00", "01-03 00:00:00"]),
        (" @midnight ", ["01-02 00:00:00", "01-03 00:00:00"]),
        ("@weekly", ["01-04 00:00:00", "01-11 00:00:00"]),
        ("@monthly", ["02-01 00:00:00", "03-01 00:00:00"]),
        ("@yearly", ["01-01 00:00:00", "01-01 00:00:00"]),
        ("@annually", ["01-01 00:00:00", "01-01 00:00:00"]),
        ("*/20 30 9 * * *", ["01-02 09:30:00", "01-02 09:30:20", "01-02 09:30:40", "01-03 09:30:00"]),
        ("  0\t9  * jan  MON-fri ", ["01-02 09:00:00", "01-05 09:00:00"]),
        ("0 0 L * *", ["01-31 00:00:00", "02-28 00:00:00"]),
        ("0 0 LW * *", ["01-30 00:00:00", "02-27 00:00:00"]),
        ("0 0 * * 5L", ["01-30 00:00:00", "02-27 00:00:00"]),
        ("0 0 * * 1#2", ["01-12 00:00:00", "02-09 00:00:00"]),
        ("5/25 12 * * *", ["01-01 12:05:00", "01-01 12:30:00", "01-01 12:55:00", "01-02 12:05:00"]),
    ],
)
def test_debian_cron_text_means_what_debian_cron_means(expression, expected):
    found = upcoming(expression, len(expected))

    assert found == expected


def test_days_are_either_the_date_or_the_weekday():
    found = upcoming("0 0 13 * 5", 4)

    assert found == ["01-02 00:00:00", "01-09 00:00:00", "01-13 00:00:00", "01-16 00:00:00"]


def test_days_are_both_the_date_and_the_weekday_when_one_of_the_two_starts_with_a_star():
    found = upcoming("0 0 1-7 * */2", 5)

    assert found == ["01-03 00:00:00", "01-04 00:00:00", "01-06 00:00:00", "02-01 00:00:00", "02-03 00:00:00"]


def test_a_step_in_a_range_of_one_value_stays_at_that_value():
    found = upcoming("0 3-3/7 * * fri-FRI/2", 3)

    assert found == ["01-02 03:00:00", "01-09 03:00:00", "01-16 03:00:00"]


def test_the_answer_is_strictly_after_the_instant_asked_about_to_the_microsecond():
    cron, every_minute = CronsimCron(), CronSchedule("* * * * *")
    just_before = NOON - timedelta(microseconds=1)

    assert cron.next(every_minute, just_before) == NOON
    assert cron.next(every_minute, NOON) == NOON + timedelta(minutes=1)
    assert cron.next(every_minute, NOON + timedelta(microseconds=1)) == NOON + timedelta(minutes=1)


def test_the_instant_asked_about_may_be_in_any_zone_and_the_answer_is_in_utc():
    tokyo = timezone(timedelta(hours=9))

    answer = CronsimCron().next(CronSchedule("0 13 * * *"), NOON.astimezone(tokyo))

    assert answer == datetime(2026, 1, 1, 13, tzinfo=UTC)
    assert answer is not None
    assert answer.tzinfo is UTC


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/New_York"])
@pytest.mark.parametrize("gap", DstGap)
@pytest.mark.parametrize("overlap", DstOverlap)
def test_the_ends_of_the_calendar_are_no_trouble(zone, gap, overlap):
    cron, schedule = CronsimCron(), CronSchedule("30 2 * * *", zone, gap, overlap)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    east, west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))

    beginnings = [cron.next(schedule, first), cron.next(schedule, first.replace(tzinfo=east))]
    ends = [cron.next(schedule, last), cron.next(schedule, last.replace(tzinfo=west))]

    assert all(answer is not None and answer.year == 1 for answer in beginnings)
    assert ends == [None, None]


def test_the_last_minute_of_the_year_9999_is_still_answered():
    cron, every_minute = CronsimCron(), CronSchedule("* * * * *")
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)

    assert cron.next(every_minute, last - timedelta(seconds=30)) == last
    assert cron.next(every_minute, last) is None


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 */31 * 1#2", "0 0 */29 2 1#5"])
def test_a_date_that_does_not_exist_never_comes(expression):
    answer = CronsimCron().next(CronSchedule(expression), NOON)

    assert answer is None


def test_the_rarest_date_is_found_across_a_century_without_a_leap_day():
    after = datetime(2072, 3, 1, tzinfo=UTC)  # 29 February 2072 is a Monday, and 2100 is no leap year

    answer = CronsimCron().next(CronSchedule("0 0 */28 2 1#5"), after)

    assert answer == datetime(2112, 2, 29, tzinfo=UTC)


def test_a_remembered_answer_does_not_leak_into_earlier_or_later_questions():
    cron, hourly = CronsimCron(), CronSchedule("0 * * * *")
    questions = [NOON + timedelta(minutes=minutes) for minutes in (30, 45, 59, 60, 29, -30, -60, -61, 30)]

    remembering = [cron.next(hourly, question) for question in questions]
    afresh = [CronsimCron().next(hourly, question) for question in questions]

    assert remembering == afresh


def test_more_schedules_than_are_kept_are_answered_all_the_same():
    cron = CronsimCron(schedules_max=2, zones_max=1)
    zones = ["UTC", "Europe/Berlin", "Asia/Tokyo"]

    answers = [cron.next(CronSchedule(f"{minute} 12 * * *", zone), NOON) for minute in (5, 6, 7) for zone in zones * 2]

    assert len(set(answers)) == 9


def test_threads_that_ask_at_once_get_the_answers_they_would_get_alone():
    cron = CronsimCron(schedules_max=2)
    questions = [
        (CronSchedule(f"*/{step} * * * *", "America/New_York"), NOON + timedelta(minutes=minute))
        for minute in range(0, 300, 7)
        for step in (3, 5, 7)
    ]
    alone = [CronsimCron().next(*question) for question in questions[:3]]

    with ThreadPoolExecutor(4) as threads:
        rounds = list(threads.map(lambda _: [cron.next(*question) for question in questions], range(8)))

    assert all(answers == rounds[0] for answers in rounds)
    assert rounds[0][:3] == alone
