"""Scenarios whose state is a number above or below a threshold: S1, S2, S3, S7, S9 and S11."""

import numpy as np

from benchmarks.adaptation.noise import autoregressive, each_second, generator, hysteresis
from benchmarks.adaptation.world import Integers, Reals, Response, World, watched
from cronicorn.domain.json_body import Json

HOURS_6 = 21_600
HOURS_24 = 86_400
MINUTE = 60
_MESSAGE = "all figures are of the last minute"


def surge(seed: int) -> World:
    """S1: three flash sales. Surge and strain want 30 s, the critical peak 20 s; the recovery is like any other time.

    The name of the field and the whole seconds of the bounds are ours.
    """
    chance = generator(seed, "S1")
    level = np.full(HOURS_6, 1_000.0)
    label = np.zeros(HOURS_6, dtype=np.int64)
    for minute in (40, 150, 260):
        at = round((minute + chance.uniform(-10, 10)) * MINUTE)
        for minutes, visitors, state in ((4, 5_000, 1), (4, 5_500, 1), (8, 6_600, 2), (19, 1_500, 0)):
            level[at : at + minutes * MINUTE] = visitors
            label[at : at + minutes * MINUTE] = state
            at += minutes * MINUTE
    noise = each_second(autoregressive(chance, HOURS_6 // 10, memory=0.5, sd=0.05), 10, HOURS_6)
    visitors = np.rint(level * np.exp(noise))
    endpoint = watched(
        "traffic", (60, 20, 300), label, {"normal": 60, "surge": 30, "critical": 20},
        description="From 6000 visitors on call every 20 s, from 4000 on every 30 s, otherwise every minute.",
    )  # fmt: skip

    def answer(_name: str, t: int) -> Response:
        return Response(body={"visitors": int(visitors[t]), "message": _MESSAGE})

    return World(name="S1", seed=seed, horizon=HOURS_6, endpoints={"traffic": endpoint}, answer=answer)


def slow_degradation(seed: int) -> World:
    """S2: the share of errors climbs for an hour, stays, and falls back with a time constant of 10 minutes."""
    chance = generator(seed, "S2")
    error = _climb(chance.uniform(60, 90) * MINUTE)
    return _errors(seed, "S2", chance, error, renamed_at=HOURS_6)


def schema_drift(seed: int) -> World:
    """S11: S2 twice. The second climb begins 7,200 s after the first, and 600 s into it the field gets another name.

    That the second begins there is ours: it puts the new name after the first incident and before the second.
    """
    chance = generator(seed, "S11")
    begins = chance.uniform(60, 90) * MINUTE
    error = np.maximum(_climb(begins), _climb(begins + 7_200))
    return _errors(seed, "S11", chance, error, renamed_at=round(begins + 7_800))


def _climb(begins: float) -> Reals:
    """0.5 %, then to 12 % within an hour, there for 40 minutes, then back."""
    t = np.arange(HOURS_6, dtype=np.float64)
    falls = begins + 100 * MINUTE
    rising = 0.5 + 11.5 * np.clip((t - begins) / 3_600, 0, 1)
    falling = 0.5 + 11.5 * np.exp(-np.maximum(0, t - falls) / (10 * MINUTE))
    return np.where(t < falls, rising, falling)


def _errors(seed: int, name: str, chance: np.random.Generator, error: Reals, *, renamed_at: int) -> World:
    noise = each_second(autoregressive(chance, HOURS_6 // 20, memory=0.3, sd=0.4), 20, HOURS_6)
    shown = np.round(np.maximum(0, error + noise), 2)
    label = hysteresis(error, enter=5, leave=2).astype(np.int64)
    endpoint = watched(
        "api", (300, 30, 900), label, {"healthy": 300, "degraded": 30},
        description="While more than 5 % of requests fail call every 30 s, until it is below 2 % again.",
    )  # fmt: skip

    def answer(_name: str, t: int) -> Response:
        field = "error_rate_pct" if t < renamed_at else "errorRatePct"
        return Response(body={field: float(shown[t]), "message": _MESSAGE})

    return World(name=name, seed=seed, horizon=HOURS_6, endpoints={"api": endpoint}, answer=answer)


def flapping_noise(seed: int) -> World:
    """S3: one true shift of an hour under noise and short spikes that mean nothing.

    The shift comes and goes with a time constant of 4 minutes. The noise steps every 10 s; what `avg_5min` averages is
    the mean without noise and spikes, with slow noise of its own (steps of 30 s). These are ours.
    """
    chance = generator(seed, "S3")
    begins = chance.uniform(2.5, 3.5) * 3_600
    t = np.arange(HOURS_6, dtype=np.float64)
    up = 1 - np.exp(-np.clip(t - begins, 0, 3_600) / (4 * MINUTE))
    mean = 500 + 280 * up * np.exp(-np.maximum(0, t - begins - 3_600) / (4 * MINUTE))
    noise = each_second(autoregressive(chance, HOURS_6 // 10, memory=0.7, sd=60), 10, HOURS_6)
    instant = mean + noise + _spikes(chance)
    slow = each_second(autoregressive(chance, HOURS_6 // 30, memory=0.9, sd=12), 30, HOURS_6)
    average = _trailing_mean(mean, 5 * MINUTE) + slow
    endpoint = watched(
        "latency", (60, 30, 120), hysteresis(mean, enter=600, leave=590).astype(np.int64), {"normal": 60, "high": 30},
        description="While the average of five minutes is above 600 call every 30 s. Ignore single spikes.",
    )  # fmt: skip

    def answer(_name: str, t: int) -> Response:
        body: dict[str, Json] = {
            "latency_ms": round(float(instant[t])), "avg_5min": round(float(average[t]), 1),
            "within_normal_range": bool(average[t] <= 600), "message": _MESSAGE,
        }  # fmt: skip
        return Response(body=body)

    return World(name="S3", seed=seed, horizon=HOURS_6, endpoints={"latency": endpoint}, answer=answer)


def _spikes(chance: np.random.Generator) -> Reals:
    """Six an hour on average, each 300 to 450 high and 10 to 20 s long."""
    spikes = np.zeros(HOURS_6)
    for at in chance.integers(0, HOURS_6, chance.poisson(6 * HOURS_6 / 3_600)):
        spikes[at : at + int(chance.integers(10, 21))] = chance.uniform(300, 450)
    return spikes


def _trailing_mean(values: Reals, seconds: int) -> Reals:
    sums = np.concatenate(([0.0], np.cumsum(values)))
    ends = np.arange(1, values.size + 1)
    begins = np.maximum(0, ends - seconds)
    return np.asarray((sums[ends] - sums[begins]) / (ends - begins), dtype=np.float64)


def diurnal(seed: int) -> World:
    """S7: a day of users, with a peak and a night. The first state follows from the first value."""
    chance = generator(seed, "S7")
    phase = chance.uniform(8, 10) * 3_600
    users = 500 + 450 * np.sin(2 * np.pi * (np.arange(HOURS_24) - phase) / HOURS_24)
    peak = hysteresis(users, enter=800, leave=750)
    night = hysteresis(users, enter=300, leave=350)
    noise = each_second(autoregressive(chance, HOURS_24 // 30, memory=0.6, sd=30), 30, HOURS_24)
    shown = np.maximum(0, np.rint(users + noise))
    label: Integers = np.where(peak, 1, np.where(night, 2, 0)).astype(np.int64)
    endpoint = watched(
        "users", (300, 30, 1_800), label, {"day": 300, "peak": 60, "night": 900},
        description="Above 800 users every minute (until below 750), below 300 every 15 minutes (until above 350).",
    )  # fmt: skip

    def answer(_name: str, t: int) -> Response:
        return Response(body={"active_users": int(shown[t]), "message": _MESSAGE})

    return World(name="S7", seed=seed, horizon=HOURS_24, endpoints={"users": endpoint}, answer=answer)


def inverse_scaling(seed: int) -> World:
    """S9: the busier the machine, the more rarely it wants to be asked; while hot a request costs 5.

    It starts cool. From the middle it goes up or down with equal chance; the noise steps every 10 s. These are ours.
    """
    chance = generator(seed, "S9")
    label = np.zeros(HOURS_6, dtype=np.int64)
    at, state = 0, 0
    while at < HOURS_6:
        ends = at + round(chance.uniform(20, 50) * MINUTE)
        label[at:ends] = state
        state = 1 if state != 1 else int(chance.choice((0, 2)))
        at = ends
    cpu = np.array([35.0, 65.0, 91.0])[label]
    noise = each_second(autoregressive(chance, HOURS_6 // 10, memory=0.6, sd=4), 10, HOURS_6)
    shown = np.round(np.clip(cpu + noise, 0, 100), 1)
    endpoint = watched(
        "cpu", (60, 10, 300), label, {"cool": 30, "warm": 120, "hot": 300}, cost=np.where(label == 2, 5.0, 1.0),
        description="Below 50 % CPU every 30 s, above that every 2 minutes, above 80 % every 5 minutes.",
    )  # fmt: skip

    def answer(_name: str, t: int) -> Response:
        return Response(body={"cpu_pct": float(shown[t]), "message": _MESSAGE})

    return World(name="S9", seed=seed, horizon=HOURS_6, endpoints={"cpu": endpoint}, answer=answer)
