"""Doing again what lost against another transaction."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cronicorn.adapters.postgres.faults import RETRIED, translated

ATTEMPTS_MAX = 60
"""So often a transaction that lost is tried again: some seven seconds, as long as a statement may take."""
_PAUSE_FIRST_S = 0.005
_PAUSE_MAX_S = 0.25

T = TypeVar("T")
_chance = random.Random()  # noqa: S311 - spreads those who were in each other's way


async def until_won(attempt: Callable[[], Awaitable[T]]) -> T:
    """Do *attempt*, and again after a pause as long as it raises what is in RETRIED; at last UnavailableError."""
    for number in range(ATTEMPTS_MAX):
        try:
            return await attempt()
        except RETRIED as error:
            if number == ATTEMPTS_MAX - 1:
                raise translated(error) from error
        await asyncio.sleep(_chance.uniform(0, min(_PAUSE_FIRST_S * 2**number, _PAUSE_MAX_S)))
    raise AssertionError
