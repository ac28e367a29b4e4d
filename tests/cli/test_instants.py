from datetime import timedelta

import pytest

from cronicorn.cli.instants import moment, read_instant
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.wording import distance, length


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(), "0 ms"),
        (timedelta(milliseconds=45), "45 ms"),
        (timedelta(microseconds=999_600), "1.0 s"),
        (timedelta(seconds=7), "7.0 s"),
        (timedelta(seconds=59.96), "1 min"),
        (timedelta(minutes=4, seconds=10), "4 min 10 s"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (timedelta(days=3, hours=4), "3 d 4 h"),
    ],
)
def test_a_length_is_told_in_the_units_a_person_takes_in(span, text):
    assert length(span) == text


@pytest.mark.parametrize(("seconds", "text"), [(4, "in 4 s"), (-12, "12 s ago"), (0.2, "now"), (-90, "1 min 30 s ago")])
def test_a_distance_says_which_way(seconds, text):
    assert distance(MIDNIGHT + timedelta(seconds=seconds), MIDNIGHT) == text


def test_a_moment_has_its_date_unless_it_is_of_today():
    assert moment(MIDNIGHT + timedelta(hours=1), MIDNIGHT) == "01:00:00Z (in 1 h)"
    assert moment(MIDNIGHT - timedelta(hours=1), MIDNIGHT).endswith(" 23:00:00Z (1 h ago)")


def test_a_moment_is_told_in_the_endpoints_own_zone_too():
    assert moment(MIDNIGHT, MIDNIGHT, "Asia/Tokyo") == "00:00:00Z = 09:00:00 Asia/Tokyo (now)"


@pytest.mark.parametrize(("text", "hours"), [("07:30:00Z", 7.5), ("07:30Z", 7.5), ("07:30:00+02:00", 5.5)])
def test_a_time_alone_is_that_of_the_day_where_there_is_one(text, hours):
    now = MIDNIGHT + timedelta(hours=12)

    assert read_instant(text, now) == MIDNIGHT + timedelta(hours=hours)


@pytest.mark.parametrize("text", ["07:30:00", "0730", "25:00Z", "soon"])
def test_a_time_without_an_offset_is_refused(text):
    with pytest.raises(InvalidInputError):
        read_instant(text, MIDNIGHT)


def test_a_time_alone_is_refused_where_there_is_no_day():
    with pytest.raises(InvalidInputError):
        read_instant("07:30:00Z")
