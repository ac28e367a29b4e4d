"""SQLite's errors in the words of the domain."""

import sqlite3

from cronicorn.domain.errors import CronicornError, InvalidInputError, UnavailableError

_ADVICE = {
    sqlite3.SQLITE_BUSY: "is locked by another process for too long: end that process or whatever makes it slow",
    sqlite3.SQLITE_LOCKED: "is locked for too long: try again",
    sqlite3.SQLITE_FULL: "has no room left: free some space on its disk, or lift the limit on its size",
    sqlite3.SQLITE_READONLY: "can't be written: make the file, its folder and its disk writable for this user",
    sqlite3.SQLITE_CANTOPEN: "can't be opened: name a file in a folder that exists and that this user may write",
    sqlite3.SQLITE_PERM: "may not be used: give this user the right to read and write it",
    sqlite3.SQLITE_AUTH: "may not be used: give this user the right to read and write it",
    sqlite3.SQLITE_CORRUPT: "is damaged: put a backup in its place",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database: name another file, or put a backup in its place",
    sqlite3.SQLITE_IOERR: "can't be read or written because its disk fails: check the disk and the system's log",
    sqlite3.SQLITE_NOMEM: "can't be used for want of memory: give the process more",
    sqlite3.SQLITE_PROTOCOL: "is being opened by too many at once: try again",
}
_PRIMARY = 0xFF
"""An extended result code holds its primary one in the lowest byte (https://www.sqlite.org/rescode.html)."""


def closed(name: str) -> UnavailableError:
    """The error of a store that is no longer open."""
    return UnavailableError(f"The store {name} is closed: open it again.")


def translated(error: BaseException, name: str) -> BaseException:
    """What a caller of the store in the file *name* is told; *error* itself when it is nothing SQLite says."""
    meant = _meaning(error, name)
    if meant is None:
        return error
    meant.__cause__ = error
    return meant


def _meaning(error: BaseException, name: str) -> CronicornError | None:
    if isinstance(error, UnicodeEncodeError):
        return InvalidInputError("A text holds half of a surrogate pair, which is no character: leave it out.")
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return closed(name)
    if not isinstance(error, sqlite3.Error):
        return None
    advice = _ADVICE.get(getattr(error, "sqlite_errorcode", 0) & _PRIMARY)
    return UnavailableError(f"The database {name} {advice} ({error}).") if advice is not None else None
