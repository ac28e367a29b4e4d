"""What is told beside an answer, and can't fail what was asked for: that is done by then."""

from collections.abc import Awaitable
from typing import TypeVar

from cronicorn.domain.errors import UnavailableError

T = TypeVar("T")


async def beside(looked_up: Awaitable[T]) -> T | None:
    """What *looked_up* answers; None where the store can't be asked just now."""
    try:
        return await looked_up
    except UnavailableError:
        return None
