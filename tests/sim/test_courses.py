"""How values run: the lines, the draws, and what others are worked out from."""

import math
from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from cronicorn.sim.world import World
from tests.sim.scenarios import document, read


def course(signal, times, **rest):
    """What *signal* is at *times*."""
    world = World(read(document(length="30d", signals={"it": signal}, **rest)))
    return [world.value("it", float(time)) for time in times]


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (7, {0: 7.0, 600: 7.0}),
        ("calm", {0: "calm"}),
        ("==5", {0: "=5"}),
        ({"steps": {"60s": 2, "0s": 1, "2m": 3}}, {0: 1, 59.9: 1, 60: 2, 119: 2, 120: 3, 9999: 3}),
        ({"steps": {"10s": True, "20s": False}}, {0: True, 15: True, 20: False}),
        ({"ramp": {"10s": 0, "20s": 100, "40s": 0}}, {0: 0, 10: 0, 15: 50, 20: 100, 30: 50, 40: 0, 50: 0}),
        ({"steps": {"0s": 1, "10s": {"ramp": {"10s": 1, "20s": 11}}}}, {5: 1, 15: 6, 99: 11}),
        ({"decay": {"from": 12, "to": 2, "at": "1m", "tau": "30s"}}, {0: 12, 60: 12, 90: 2 + 10 / math.e}),
        ({"sine": {"mean": 5, "amplitude": 2, "period": "4m", "phase": "1m"}}, {60: 5, 120: 7, 180: 5, 240: 3}),
        ("=elapsed / 60", {0: 0, 90: 1.5}),
        ("=now - 1767225600", {5: 5}),
        ('=elapsed > 60 ? "late" : "early"', {60: "early", 61: "late"}),
        ("=elapsed > 1m && elapsed < 2m", {60: False, 90: True}),
        ("=1.0 % 0.0", {0: 0.0}),
    ],
    ids=str,
)
def test_a_signal_is_what_it_says_at_every_time(signal, expected):
    values = course(signal, expected)

    wanted = list(expected.values())
    assert values == (pytest.approx(wanted) if isinstance(values[0], float) else wanted)


def test_signals_may_rest_on_others_wherever_these_stand():
    signals = {"c": "=b + a", "b": "=a * 2", "a": 3}

    world = World(read(document(signals=signals)))

    assert world.value("c", 0.0) == 9


def test_noise_has_the_mean_and_the_spread_that_it_is_given():
    uniform = course({"uniform": {"min": 10, "max": 20}}, range(4_000))
    normal = course({"normal": {"mean": 5, "sd": 2}}, range(4_000))
    remembering = course({"ar1": {"mean": 5, "sd": 2, "phi": 0.8}}, range(20_000))

    assert min(uniform) >= 10
    assert max(uniform) < 20
    assert fmean(uniform) == pytest.approx(15, abs=0.2)
    assert (fmean(normal), pstdev(normal)) == pytest.approx((5, 2), abs=0.15)
    assert (fmean(remembering), pstdev(remembering)) == pytest.approx((5, 2), abs=0.2)
    later = [(a - 5) * (b - 5) for a, b in pairwise(remembering)]
    assert fmean(later) / 4 == pytest.approx(0.8, abs=0.06)


def test_a_draw_stays_until_the_next():
    values = course({"normal": {"sd": 1, "each": "10s"}}, range(30))

    assert [len(set(values[start : start + 10])) for start in (0, 10, 20)] == [1, 1, 1]
    assert len(set(values)) == 3


def test_events_come_as_often_and_last_as_long_as_they_shall():
    times = range(0, 30 * 86_400, 10)

    on = course({"events": {"every": "10m", "lasts": "60s"}}, times)
    counted = course({"events": {"every": "10m", "count": True}}, [30 * 86_400])
    sized = course({"events": {"every": "10m", "lasts": "60s", "value": {"min": 3, "max": 4}, "otherwise": 1}}, times)

    assert fmean(on) == pytest.approx(1 - math.exp(-0.1), rel=0.1)
    assert counted[0] == pytest.approx(30 * 144, rel=0.06)
    assert all(value == 1 or 3 <= value < 4 for value in sized)
    assert {value == 1 for value in sized} == {True, False}


def test_levels_are_left_for_a_neighbour_after_a_stay():
    levels = {"levels": {"values": ["low", "middle", "high"], "start": "high", "stay": {"min": "60s", "max": "120s"}}}

    values = course(levels, range(20_000))

    changes = [place for place in range(1, len(values)) if values[place] != values[place - 1]]
    stays = [after - before for before, after in pairwise(changes)]
    assert values[0] == "high"
    assert set(values) == {"low", "middle", "high"}
    assert all(59 <= stay <= 121 for stay in stays)
    assert all("middle" in {values[place], values[place - 1]} for place in changes)


def test_calls_are_counted_and_their_age_is_known():
    signals = {"n": {"calls": "stock"}, "age": {"since_call": "stock", "never": -1}}
    world = World(read(document(signals=signals)))

    before = (world.value("n", 10.0), world.value("age", 10.0))
    world.call("stock", 60.0)
    world.call("stock", 90.0)

    assert before == (0, -1)
    assert (world.value("n", 90.0), world.value("age", 100.0)) == (2, 10)
    assert (world.value("n", 89.0), world.value("age", 89.0)) == (1, 29)


def test_what_many_rest_on_is_worked_out_once_and_a_text_grows_no_longer_than_a_thousand():
    doubling = {"s0": "=elapsed"} | {f"s{number}": f"=s{number - 1} + s{number - 1}" for number in range(1, 20)}
    growing = {"t0": "0123456789"} | {f"t{number}": f"=t{number - 1} + t{number - 1}" for number in range(1, 20)}

    world = World(read(document(signals={**doubling, **growing})))

    assert world.value("s19", 3.0) == 3 * 2**19
    assert len(str(world.value("t19", 3.0))) == 1_000
