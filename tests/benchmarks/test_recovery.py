"""What the benchmark of recovery counts."""

from benchmarks.recovery import Recovered, recovered
from cronicorn.cli.comparison.target import TargetCall


def test_a_slot_recovers_from_the_kill_to_the_next_call_for_it():
    calls = [TargetCall("a", 8.0, cut_at=10.1), TargetCall("b", 9.0, ended_at=12.0), TargetCall("a", 13.5)]

    found = recovered([10.0], calls, {"a": 1})

    assert found == Recovered(kills_in_calls=1, took_s=[3.5], rested=0, never=0)


def test_a_slot_that_nobody_called_again_is_counted():
    calls = [TargetCall("a", 8.0, cut_at=10.1)]

    assert recovered([10.0], calls, {}).never == 1


def test_a_call_that_ended_without_a_kill_is_left_out():
    calls = [TargetCall("a", 8.0, cut_at=9.9), TargetCall("a", 13.5)]

    assert recovered([10.0, 20.0], calls, {}) == Recovered(kills_in_calls=0, took_s=[], rested=0, never=0)


def test_a_slot_that_lost_three_leases_in_a_row_is_counted_apart_because_it_rests():
    calls = [TargetCall("a", at, cut_at=at + 1.1) for at in (0.0, 5.0, 10.0)] + [TargetCall("a", 24.0)]

    found = recovered([1.0, 6.0, 11.0], calls, {"a": 3})

    assert (found.took_s, found.rested) == ([], 3)
