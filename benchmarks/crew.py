"""Several processes that do the same at the same time."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from typing import TypeVar

Order = TypeVar("Order")
Result = TypeVar("Result")

_together: list[Barrier] = []


def crew(work: Callable[[Order], Result], orders: Sequence[Order]) -> list[Result]:
    """Do *work*, a function of a module, with each of *orders* in a process of its own; answer the results.

    Each is a fork of a process that has imported that module and done nothing else.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([work.__module__])
    barrier = context.Barrier(len(orders))
    with ProcessPoolExecutor(len(orders), context, _join, (barrier,)) as pool:
        futures = [pool.submit(work, order) for order in orders]
        return [future.result() for future in futures]


def begin_together() -> None:
    """In a process of a crew: wait until all have come as far. Who is alone goes on."""
    for barrier in _together:
        barrier.wait(timeout=120)


def _join(barrier: Barrier) -> None:
    _together.append(barrier)
