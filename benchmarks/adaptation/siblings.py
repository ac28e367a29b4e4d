"""S8: an endpoint whose answers ask for a call of its sibling, which ends the incident."""

import numpy as np

from benchmarks.adaptation.noise import generator, no_labels, spans
from benchmarks.adaptation.thresholds import HOURS_6, MINUTE
from benchmarks.adaptation.world import Advice, Response, World, watched

DOWNTIME_PRICE = 0.1
NEEDLESS_PRICE = 20.0
RECOVER_PRICE = 5.0
RECOVERY_SECONDS = 30
UNAIDED_SECONDS = 3_600

Span = tuple[int, int]


def sibling_recovery(seed: int) -> World:
    """S8: three incidents, one in each third of the time, 20 to 40 minutes after its start (ours).

    Each ends 30 s after a recovery run, else after an hour. A second of it costs 0.1, a recovery run 5, and a needless
    one 20 more. Needless is one that ends nothing sooner: no incident is on, or a run is already ending it (ours).
    """
    chance = generator(seed, "S8")
    begins = [round(third * HOURS_6 / 3 + chance.uniform(20, 40) * MINUTE) for third in range(3)]
    incidents = tuple((at, at + UNAIDED_SECONDS) for at in begins)
    return _world(seed, incidents, tuple(begins), 0)


def _world(seed: int, incidents: tuple[Span, ...], begins: tuple[int, ...], needless: int) -> World:
    label = spans(HOURS_6, list(incidents)).astype(np.int64)
    health = watched(
        "health", (300, 30, 900), label, {"up": 300, "down": 30},
        description="While recovery is needed call every 30 s, and run `recover` at once.",
    )  # fmt: skip
    recover = watched(
        "recover", (86_400, 300, None), no_labels(HOURS_6), {"waiting": 86_400}, weight=np.zeros(HOURS_6),
        cost=np.full(HOURS_6, RECOVER_PRICE), description="Runs when `health` needs recovery.",
    )  # fmt: skip

    def answer(name: str, t: int) -> Response:
        if name == "recover":
            return Response(status=202, body={"message": "recovery has begun"})
        down = bool(label[t])
        return Response(status=500 if down else 200, body={"needs_recovery": down, "message": "checked just now"})

    def advise(name: str, t: int) -> dict[str, Advice]:
        if name == "recover" or not label[t]:
            return {name: Advice()}
        helps = _helped(incidents, t) is not None
        return {"health": Advice(interval=30), "recover": Advice(once_at=t if helps else None)}

    def changed(name: str, t: int) -> World:
        if name != "recover":
            return world
        shorter = _helped(incidents, t)
        return _world(seed, shorter or incidents, begins, needless + (shorter is None))

    world = World(
        name="S8", seed=seed, horizon=HOURS_6, endpoints={"health": health, "recover": recover}, answer=answer,
        advise=advise, changed=changed, ideal_calls={"recover": begins},
        extra=DOWNTIME_PRICE * float(label.sum()) + NEEDLESS_PRICE * needless,
    )  # fmt: skip
    return world


def _helped(incidents: tuple[Span, ...], t: int) -> tuple[Span, ...] | None:
    """The incidents once a recovery run at second *t* has ended one sooner; None when it would end none sooner."""
    for number, (begins, ends) in enumerate(incidents):
        if begins <= t < ends - RECOVERY_SECONDS:
            return (*incidents[:number], (begins, t + RECOVERY_SECONDS), *incidents[number + 1 :])
    return None
