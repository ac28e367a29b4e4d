"""What every peer does: take its orders, make its jobs, wait for the start, and say when all of them are recorded.

It runs where the product is not installed: the standard library alone.
"""

import argparse
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """What a peer is to do."""

    store: str
    target: str
    slots: int

    @property
    def urls(self) -> list[str]:
        """What is to be called, once each."""
        return [f"{self.target}/{number}" for number in range(self.slots)]


def ordered() -> Order:
    """What the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument("store")
    parser.add_argument("target")
    parser.add_argument("slots", type=int)
    arguments = parser.parse_args()
    return Order(arguments.store, arguments.target, arguments.slots)


def ready() -> None:
    """Wait for the start. All jobs are due by then."""
    _say_and_wait("ready")


def done() -> None:
    """Say that every result is recorded; answers when this process may end."""
    _say_and_wait("done")


def _say_and_wait(word: str) -> None:
    print(word, flush=True)
    sys.stdin.readline()
