from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from cronicorn.adapters.cron.zone import read_zone

SECOND = timedelta(seconds=1)
ZONES = sorted(zone for zone in available_timezones() if zone not in {"Factory", "UTC", "localtime"})
DAYS = st.integers(-120 * 365, 120 * 365)


def offset_at(zone: str, instant: datetime) -> timedelta | None:
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()


@settings(max_examples=300)
@given(st.sampled_from(ZONES), DAYS, st.timedeltas(timedelta(0), timedelta(days=1)))
def test_a_stretch_has_the_offset_of_its_zone_from_its_first_second_to_its_last(zone, days, time):
    instant = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None) + timedelta(days=days) + time

    stretch = read_zone(zone).stretch_at(instant)

    assert stretch.starts_at <= instant < stretch.ends_at
    inside = [stretch.starts_at, instant, stretch.ends_at - SECOND]
    assert [offset_at(zone, moment) for moment in inside] == [stretch.offset] * 3
    assert offset_at(zone, stretch.starts_at - SECOND) == stretch.before
    assert offset_at(zone, stretch.ends_at) == stretch.after


@settings(max_examples=30)
@given(st.sampled_from(ZONES), st.integers(1900, 2100))
def test_stretches_follow_one_another_without_a_hole(zone, year):
    clock = read_zone(zone)
    stretch = clock.stretch_at(datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None))

    for _ in range(6):
        following = clock.stretch_at(stretch.ends_at)

        assert following.starts_at == stretch.ends_at
        assert (following.before, following.offset) == (stretch.offset, stretch.after)
        stretch = following


def test_a_day_that_was_left_out_at_the_end_of_a_year_is_one_gap():
    new_year = datetime(1995, 1, 1, 12, tzinfo=UTC).replace(tzinfo=None)

    stretch = read_zone("Pacific/Kiritimati").stretch_at(new_year)

    assert stretch.starts_at == datetime(1994, 12, 31, 10, tzinfo=UTC).replace(tzinfo=None)
    assert stretch.offset - stretch.before == timedelta(days=1)
