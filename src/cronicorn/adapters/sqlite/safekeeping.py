"""A copy of a file as it is, beside it or elsewhere: what a migration or a person can go back to."""

import os
import shutil
import sqlite3
from pathlib import Path

from cronicorn.domain.errors import UnavailableError

_PAGES_AT_ONCE = 2_000
_MEBIBYTE = 1 << 20
ROOM_LEFT = 64 * _MEBIBYTE
"""So much stays free on the disk: whoever else writes there must not find it full."""


def safe_copy(connection: sqlite3.Connection, target: Path) -> None:
    """Write the database that *connection* sees to *target*, whole or not at all, for this user alone.

    Takes the place of a file that is there. Raises OSError and what SQLite raises; nothing is left behind then.
    """
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        copy = sqlite3.connect(part)
        try:
            connection.backup(copy, pages=_PAGES_AT_ONCE)
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def check_room(folder: Path, bytes_needed: int, what: str, instead: str) -> None:
    """Raise UnavailableError unless the disk of *folder* has room for *what*; *instead* says what else may be done."""
    free = shutil.disk_usage(folder).free
    if free < bytes_needed + ROOM_LEFT:
        wanted, there = (-(-number // _MEBIBYTE) for number in (bytes_needed + ROOM_LEFT, free))
        raise UnavailableError(
            f"{what} needs {wanted} MiB free on the disk of {folder.absolute()}, and {there} MiB are: free some space, "
            f"or {instead}."
        )


def size_of(path: Path) -> int:
    """Bytes of the database at *path*, its log included."""
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())
