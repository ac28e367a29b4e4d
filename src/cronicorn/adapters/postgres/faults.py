"""What asyncpg raises, as the domain's errors."""

import asyncpg

from cronicorn.domain.errors import UnavailableError

RETRIED: tuple[type[Exception], ...] = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""A transaction that lost against another one: done again it succeeds."""

FAULTS: tuple[type[Exception], ...] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
"""What connecting and asking may raise."""
OPENING_FAULTS: tuple[type[Exception], ...] = (*FAULTS, ValueError)
"""What a URL may raise besides."""


def translated(error: BaseException) -> UnavailableError:
    """What a caller is told. Never holds the password: asyncpg's messages don't."""
    return UnavailableError(f"The PostgreSQL database can't be used: {str(error) or type(error).__name__}.")
