"""Windows hold every instant once, whatever the clocks on the wall do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.calendar import Calendar, Period
from cronicorn.domain.instant import MICROSECOND

ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)
CALENDARS = st.builds(Calendar, period=st.sampled_from(Period), zone=ZONES)
INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def _window(zone, at, period=Period.DAY):
    return Calendar(period=period, zone=ZoneInfo(zone)).window_at(datetime.fromisoformat(at))


@given(CALENDARS, INSTANTS)
def test_a_window_holds_the_instant_and_meets_its_neighbours(calendar, at):
    window = calendar.window_at(at)

    assert window.holds(at)
    assert calendar.window_at(window.start_at) == calendar.window_at(window.end_at - MICROSECOND) == window
    assert calendar.window_at(window.end_at).start_at == window.end_at
    assert calendar.window_at(window.start_at - MICROSECOND).end_at == window.start_at


@given(CALENDARS, INSTANTS)
def test_a_window_begins_with_the_first_instant_of_its_date(calendar, at):
    start = calendar.window_at(at).start_at

    local, before = (instant.astimezone(calendar.zone).date() for instant in (start, start - timedelta(seconds=1)))

    assert before < local
    assert calendar.period is Period.DAY or local.month != before.month


@pytest.mark.parametrize(
    ("zone", "at", "hours"),
    [
        ("UTC", "2026-03-29T12:00Z", 24),
        ("Europe/Berlin", "2026-03-29T12:00Z", 23),
        ("Europe/Berlin", "2026-10-25T12:00Z", 25),
        ("Australia/Lord_Howe", "2026-04-05T00:00Z", 24.5),
    ],
)
def test_a_day_is_as_long_as_the_zone_makes_it(zone, at, hours):
    window = _window(zone, at)

    assert window.end_at - window.start_at == timedelta(hours=hours)


def test_a_day_whose_midnight_is_left_out_begins_when_the_clock_jumps():
    window = _window("America/Sao_Paulo", "2018-11-04T12:00Z")

    assert window.start_at == datetime(2018, 11, 4, 3, tzinfo=UTC)
    assert window.end_at - window.start_at == timedelta(hours=23)


def test_a_jump_that_begins_before_midnight_and_ends_after_it_begins_the_day():
    window = _window("America/Toronto", "1919-03-31T12:00Z")  # from 23:30 to 00:30

    assert window.start_at == datetime(1919, 3, 31, 4, 30, tzinfo=UTC)


def test_the_end_of_a_day_that_comes_again_after_midnight_belongs_to_the_next_window():
    window = _window("America/St_Johns", "2010-11-07T02:45Z")  # from 00:01 back to 23:01, and it is 23:15 again

    assert window.start_at == datetime(2010, 11, 7, 2, 30, tzinfo=UTC)


def test_a_date_that_was_left_out_has_no_window():
    before, after = (_window("Pacific/Apia", at) for at in ("2011-12-29T12:00Z", "2011-12-30T12:00Z"))

    assert before.end_at == after.start_at == datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert after.start_at.astimezone(ZoneInfo("Pacific/Apia")).day == 31


def test_a_month_ends_with_its_last_day():
    window = _window("Europe/Berlin", "2028-02-29T22:59Z", Period.MONTH)

    assert window.start_at == datetime(2028, 1, 31, 23, tzinfo=UTC)
    assert window.end_at == datetime(2028, 2, 29, 23, tzinfo=UTC)


def test_calendars_of_other_zones_or_periods_have_other_names():
    names = {Calendar(period=period, zone=ZoneInfo(zone)).name for period in Period for zone in ("UTC", "Asia/Tokyo")}

    assert names == {"day UTC", "day Asia/Tokyo", "month UTC", "month Asia/Tokyo"}
    assert Calendar().name == "day UTC"
