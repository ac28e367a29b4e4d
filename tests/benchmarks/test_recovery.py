"""What the benchmark of recovery counts."""

from benchmarks.recovery import Held, Recovered, recovered
from cronicorn.cli.comparison.target import TargetCall


def _held(*claimed):
    """Leases on one slot, each claimed a moment before the instant given, all lost but the last."""
    return [Held(claimed_at=at - 0.01, losses=losses) for losses, at in enumerate(claimed)]


def _found(kills_in_calls, took_s=(), longer_s=(), *, rested=0, lost_again=0, never=0):
    return Recovered(
        kills_in_calls=kills_in_calls, took_s=list(took_s), longer_s=list(longer_s), rested=rested,
        lost_again=lost_again, never=never,
    )  # fmt: skip


def test_a_slot_recovers_from_the_kill_to_the_next_call_for_it():
    calls = [TargetCall("a", 8.0, cut_at=10.1), TargetCall("b", 9.0, ended_at=12.0), TargetCall("a", 13.5)]

    assert recovered([10.0], calls, {"a": _held(8.0, 13.5), "b": _held(9.0)}) == _found(1, [3.5])


def test_a_slot_that_nobody_called_again_is_counted():
    calls = [TargetCall("a", 8.0, cut_at=10.1)]

    assert recovered([10.0], calls, {"a": _held(8.0)}).never == 1


def test_a_call_that_ended_without_a_kill_is_left_out():
    calls = [TargetCall("a", 8.0, cut_at=9.9), TargetCall("a", 13.5)]

    assert recovered([10.0, 20.0], calls, {"a": _held(8.0, 13.5)}) == _found(0)


def test_only_the_wait_after_the_third_lease_that_a_slot_lost_in_a_row_is_counted_apart_because_it_rests():
    calls = [TargetCall("a", at, cut_at=at + 1.1) for at in (0.0, 5.0, 10.0)] + [TargetCall("a", 24.0)]

    found = recovered([1.0, 6.0, 11.0], calls, {"a": _held(0.0, 5.0, 10.0, 24.0)})

    assert found == _found(3, [4.0, 4.0], [13.0], rested=1)


def test_a_slot_rests_also_for_leases_that_were_lost_before_their_calls_began():
    calls = [TargetCall("a", 10.0, cut_at=11.1), TargetCall("a", 24.0)]

    found = recovered([11.0], calls, {"a": _held(0.0, 5.0, 10.0, 24.0)})

    assert found == _found(1, [], [13.0], rested=1)


def test_a_slot_whose_next_worker_was_killed_before_it_called_is_counted_apart():
    calls = [TargetCall("a", 0.0, cut_at=1.1), TargetCall("a", 8.0)]

    found = recovered([1.0], calls, {"a": _held(0.0, 4.0, 8.0)})

    assert found == _found(1, [], [7.0], lost_again=1)


def test_a_slot_that_still_rests_at_the_end_is_not_one_that_nobody_called_again():
    calls = [TargetCall("a", 10.0, cut_at=11.1)]

    assert recovered([11.0], calls, {"a": _held(0.0, 5.0, 10.0)}) == _found(1, rested=1)
