"""What is said of an installation, and what to do."""

from datetime import timedelta

import pytest

from cronicorn.domain.diagnosis import (
    Wellness,
    clock_against,
    ending_keys,
    incidents,
    is_well,
    lag,
    room,
    secrecy,
    versions,
)
from cronicorn.domain.fixtures import MIDNIGHT

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("theirs_s", "exact_to_s", "told"),
    [
        (0, 0, None),
        (-2, 0, None),
        (5, 0, None),
        (-2.1, 0, "ahead"),
        (5.1, 0, "behind"),
        (-3, 1, None),
        (-3.1, 1, "ahead"),
    ],
)
def test_a_clock_is_only_blamed_for_what_the_time_of_asking_does_not_explain(theirs_s, exact_to_s, told):
    asked = (MIDNIGHT, MIDNIGHT + 3 * SECOND)

    found = clock_against("it", MIDNIGHT + theirs_s * SECOND, asked, exact_to_s * SECOND)

    assert (found.wellness is Wellness.OK) == (told is None)
    assert told is None or found.told.endswith(told)


@pytest.mark.parametrize(
    ("workers", "wellness", "told"),
    [
        ([], Wellness.BROKEN, "none is alive"),
        ([("a", "2", False)], Wellness.BROKEN, "none is alive"),
        ([("a", "2", True), ("b", "1", False)], Wellness.OK, "1 alive, of version 2"),
        ([("a", "2", True), ("b", None, True)], Wellness.OK, "2 alive"),
        ([("a", "2", True), ("b", "1", True)], Wellness.LOOK, "b (1)"),
    ],
)
def test_workers_are_alive_and_of_one_version(workers, wellness, told):
    found = versions("2", workers)

    assert found.wellness is wellness
    assert told in found.told
    assert (found.advice is None) == (wellness is Wellness.OK)


def test_what_needs_nobody_has_no_advice_and_all_else_has():
    day = timedelta(days=1)
    well = [
        lag(0, SECOND), incidents(0), room("x", 2**40), secrecy("x", 0o100600),
        ending_keys([("old", MIDNIGHT - day), ("late", MIDNIGHT + 15 * day)], MIDNIGHT),
    ]  # fmt: skip
    odd = [
        lag(1, SECOND), incidents(2), room("x", 2**29), secrecy("x", 0o100640),
        ending_keys([("soon", MIDNIGHT + day)], MIDNIGHT),
    ]  # fmt: skip
    ill = room("x", 2**20)

    assert {(each.wellness, each.advice) for each in well} == {(Wellness.OK, None)}
    assert {(each.wellness, each.advice is None) for each in odd} == {(Wellness.LOOK, False)}
    assert is_well([*well, *odd])
    assert not is_well([*well, ill])
