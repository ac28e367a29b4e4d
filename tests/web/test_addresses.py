"""What addresses say: whatever somebody types there leads to a page of this site."""

from datetime import UTC, datetime

import pytest

from cronicorn.web.addresses import instant_in, number_in, own_path, page_in


@pytest.mark.parametrize(
    ("text", "page"),
    [("", 1), ("1", 1), ("27", 27), ("0", 1), ("-3", 1), ("two", 1), ("1.5", 1), ("٣", 1), ("²", 1), ("9" * 400, 1)],
)
def test_what_names_no_page_is_the_first(text: str, page: int) -> None:
    assert page_in(text) == page


def test_a_number_has_so_many_digits_at_most() -> None:
    assert (number_in("1234567"), number_in("1234567", 7), number_in(" 7")) == (None, 1_234_567, None)


@pytest.mark.parametrize("text", ["2026-01-31T09:30", "2026-01-31T10:30+01:00", "2026-01-31T10:30 01:00"])
def test_an_instant_is_read_with_its_plus_as_a_blank_and_without_a_zone_as_utc(text: str) -> None:
    assert instant_in(text) == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "//elsewhere.example", "/\\elsewhere.example", "https://elsewhere.example", "/a\nb"]
)
def test_no_way_back_leads_elsewhere(text: str) -> None:
    assert (own_path(text), own_path(text, "/jobs"), own_path("/runs/r1?a=b")) == ("/", "/jobs", "/runs/r1?a=b")
