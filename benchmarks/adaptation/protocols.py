"""Scenarios in which the answer itself says what to do, by status, header or field: S4, S5 and S6."""

from bisect import bisect_right

import numpy as np

from benchmarks.adaptation.noise import autoregressive, each_second, generator, no_labels, spans
from benchmarks.adaptation.thresholds import HOURS_6, MINUTE
from benchmarks.adaptation.world import Advice, Response, World, stated, watched, weight_for
from cronicorn.domain.json_body import Json


def outages(seed: int) -> World:
    """S4: two outages of 25 to 40 minutes, each followed by 10 minutes degraded."""
    chance = generator(seed, "S4")
    label = no_labels(HOURS_6)
    for hour in (1.2, 4.0):
        begins = round((hour + chance.uniform(0, 0.8)) * 3_600)
        ends = begins + round(chance.uniform(25, 40) * MINUTE)
        label[begins:ends] = 1
        label[ends : ends + 10 * MINUTE] = 2
    endpoint = watched(
        "shop", (300, 30, 900), label, {"healthy": 300, "down": 60, "degraded": 60},
        description="While it is down or degraded call every minute.",
    )  # fmt: skip

    def answer(_name: str, t: int) -> Response:
        word = endpoint.states[label[t]]
        body: dict[str, Json] = {"status": word, "message": "see the status page"}
        return Response(status=503 if word == "down" else 200, body=body)

    return World(
        name="S4", seed=seed, horizon=HOURS_6, endpoints={"shop": endpoint}, answer=answer, words=frozenset({"status"})
    )


def batches(seed: int) -> World:
    """S5: batches that say how long they will still take, roughly; each end must be seen soon.

    The error of the estimate steps every 60 s. A perfect reader takes "closely" for every minute; perfect knowledge
    comes back at the very end. These are ours.
    """
    chance = generator(seed, "S5")
    runs: list[tuple[int, int]] = []
    begins = round(chance.uniform(20, 40) * MINUTE)
    while begins < HOURS_6:
        ends = begins + round(chance.uniform(50, 80) * MINUTE)
        runs.append((begins, ends))
        begins = ends + round(chance.uniform(60, 90) * MINUTE)
    label = spans(HOURS_6, runs).astype(np.int64)
    error = each_second(autoregressive(chance, HOURS_6 // 60, memory=0.5, sd=0.1), 60, HOURS_6)
    endpoint = watched(
        "batch", (600, 15, 1_800), label, {"idle": 600, "running": 600},
        events=tuple(ends for _, ends in runs if ends < HOURS_6), event_weight=1 / 15,
        description="Watch a running batch closely, and look at its result as soon as it ends.",
    )  # fmt: skip

    def running(t: int) -> tuple[int, int] | None:
        begun = bisect_right(runs, (t, HOURS_6))
        return runs[begun - 1] if begun and t < runs[begun - 1][1] else None

    def answer(_name: str, t: int) -> Response:
        run = running(t)
        if run is None:
            return Response(body={"status": "idle", "message": "no batch is running"})
        eta = max(1, round((run[1] - t) * (1 + float(error[t]))))
        progress = round((t - run[0]) / (run[1] - run[0]), 3)
        return Response(
            body={"status": "running", "progress": progress, "eta_seconds": eta, "message": "a batch is running"}
        )

    def advise(name: str, t: int) -> dict[str, Advice]:
        run = running(t)
        return {name: Advice(once_at=run[1]) if run and run[1] < HOURS_6 else Advice()}

    def read(name: str, t: int) -> dict[str, Advice]:
        return {name: Advice(interval=MINUTE) if running(t) else Advice()}

    return World(
        name="S5", seed=seed, horizon=HOURS_6, endpoints={"batch": endpoint}, answer=answer, advise=advise, read=read,
        words=frozenset({"status"}),
    )  # fmt: skip


def rate_limit(seed: int) -> World:
    """S6: four times the server refuses for 15 minutes and says for how long. A refused request tells nothing, costs 5.

    The windows begin around 45, 130, 215 and 300 minutes, up to 15 earlier or later; the age of the last answer costs
    during them what it always does. The instants and the items are ours.
    """
    chance = generator(seed, "S6")
    begins = [round((minute + chance.uniform(-15, 15)) * MINUTE) for minute in (45, 130, 215, 300)]
    windows = [(at, at + 15 * MINUTE) for at in begins]
    limited = spans(HOURS_6, windows)
    cost = np.where(limited, 5.0, 1.0)
    items = 100 + np.cumsum(chance.integers(-3, 4, HOURS_6))
    usual = np.full(HOURS_6, 60.0)
    endpoint = watched(
        "items", (60, 10, 900), limited.astype(np.int64), {"open": 60, "limited": 60}, cost=cost, informative=~limited,
        weight=weight_for(usual, np.ones(HOURS_6)), description="Call every minute, and keep to the server's limits.",
    )  # fmt: skip

    def ends(t: int) -> int | None:
        return next((last for first, last in windows if first <= t < last), None)

    def answer(_name: str, t: int) -> Response:
        until = ends(t)
        if until is None:
            return Response(body={"items": int(items[t]), "message": "counted just now"})
        return Response(status=429, headers={"Retry-After": str(until - t)}, body={"message": "too many requests"})

    def advise(name: str, t: int) -> dict[str, Advice]:
        until = ends(t)
        return {name: stated(endpoint, t) if until is None else Advice(pause_until=until)}

    return World(name="S6", seed=seed, horizon=HOURS_6, endpoints={"items": endpoint}, answer=answer, advise=advise)
