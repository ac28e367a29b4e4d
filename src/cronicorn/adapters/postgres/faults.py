"""asyncpg's errors in the words of the domain."""

import asyncpg

from cronicorn.domain.errors import CronicornError, InvalidInputError, UnavailableError

RETRIED: tuple[type[Exception], ...] = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.InvalidCachedStatementError,
)
"""A transaction that lost against another one, or against a change of the tables: done again it succeeds."""

FAULTS: tuple[type[Exception], ...] = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""What connecting and asking may raise."""

_POOLED = "is behind a pooler that mixes up prepared statements: set CRONICORN_POSTGRES_WITHOUT to notify,prepared"
_NO_ROOM = "has no room left: free some space on the server's disk"
_LATER = "doesn't take calls right now: it stops, starts or recovers"
_ADVICE = {
    "08": "lost the connection: it may be starting again, or the network between is down",
    "08P01": "can't be asked: it, or a pooler before it, says why",
    "25006": "may only be read: it is a standby, or was told so; name the server that takes writes",
    "25P03": "waited too long for this process to go on with what it began: try again",
    "26000": _POOLED,
    "28": "refuses this user: check name and password, and what the server allows",
    "3D000": "has no database of this name: create it, or name another",
    "3F000": "has lost its tables: put them back, or start again so that they are made",
    "40": "is too busy with others at the same rows: try again",
    "42501": "does not let this user do that: GRANT it the tables in the schema cronicorn",
    "42P05": _POOLED,
    "42P01": "has lost its tables: put them back, or start again so that they are made",
    "53100": _NO_ROOM,
    "53200": "is out of memory: give it more, or fewer connections",
    "53300": "has no connection left: allow it more, or give each process fewer",
    "53": "is short of something: see its log",
    "55P03": "kept something locked for too long: try again",
    "55": "can't do that in its present state: try again",
    "57": _LATER,
    "58": "fails at its files: see its log",
    "XX": "fails: see its log",
}
"""By SQLSTATE, or the first two letters of it (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""


def translated(error: BaseException) -> BaseException:
    """What a caller is told; *error* itself when it is a mistake of the program.

    Holds no password: a server's messages don't.
    """
    meant = _meaning(error)
    if meant is None:
        return error
    meant.__cause__ = error
    return meant


def closed() -> UnavailableError:
    """The error of a store that is no longer open."""
    return UnavailableError("The store is closed: open it again.")


def misread_url() -> InvalidInputError:
    """The error of a URL that can't be read. What the driver says of it may quote a password, and is not repeated."""
    return InvalidInputError(
        "The PostgreSQL database is named by postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
        "with %XX for whatever in the password is not a letter or a digit. After a ? come parameters that the driver "
        "or the server knows; sslmode=verify-ca and verify-full also need sslrootcert=FILE."
    )


def _meaning(error: BaseException) -> CronicornError | None:
    if isinstance(error, asyncpg.DataError):
        return _about_a_text(error)
    if isinstance(error, asyncpg.PostgresError):
        return _said_by_the_server(error)
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return _said_by_the_driver(str(error))
    if isinstance(error, TimeoutError):
        return UnavailableError(
            "The PostgreSQL database doesn't answer in time: see whether it runs and is not too busy."
        )
    if isinstance(error, OSError):
        return UnavailableError(f"The PostgreSQL database can't be reached ({error.strerror or error}).")
    return None


def _about_a_text(error: asyncpg.DataError) -> InvalidInputError | None:
    if isinstance(error, asyncpg.CharacterNotInRepertoireError):
        return InvalidInputError("A text holds a NUL character, which PostgreSQL can't keep: leave it out.")
    if isinstance(error.__cause__, UnicodeEncodeError):
        return InvalidInputError("A text holds half of a surrogate pair, which is no character: leave it out.")
    return None


def _said_by_the_server(error: asyncpg.PostgresError) -> UnavailableError | None:
    code = getattr(error, "sqlstate", None) or ""
    advice = _ADVICE.get(code, _ADVICE.get(code[:2]))
    said = str(error).partition("\nHINT")[0]  # Hints are about the driver.
    return UnavailableError(f"The PostgreSQL database {advice} ({said}).") if advice is not None else None


def _said_by_the_driver(text: str) -> UnavailableError | None:
    if "pool is clos" in text:
        return closed()
    # A connection that broke off while a statement was prepared is said to be in another state.
    lost = any(words in text for words in ("closed", "released back to the pool", "cannot switch to state"))
    return UnavailableError(f"The PostgreSQL database {_ADVICE['08']} ({text}).") if lost else None
