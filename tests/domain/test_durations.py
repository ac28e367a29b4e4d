from datetime import timedelta

import pytest

from cronicorn.domain.durations import parse_duration, show_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("10s", 10), ("5m", 300), ("2h", 7_200), ("30d", 2_592_000), ("7", 7), ("1.5", 1.5), ("0s", 0)],
)
def test_a_duration_means_what_it_says(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "-1s", "ten", "5 weeks", "1e9", "1_000s", "٣s", "9" * 13 + "d", "inf"])
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["500ms", "10s", "5m", "2h", "30d", "90s", "0s"])
def test_a_shown_duration_reads_as_the_same(text):
    assert show_duration(parse_duration(text)) == text
