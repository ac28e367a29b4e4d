"""Connections to the file, and what all of them agree on."""

import os
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

_RETRY_S = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFile:
    """A database file and how it is used."""

    path: Path
    busy_timeout: timedelta = timedelta(seconds=5)
    """How long to wait for another process to release the file."""
    durable: bool = False
    """Whether a commit survives a power cut (`synchronous=FULL`). If not, the last ones may be lost; nothing breaks."""
    backed_up: bool = True
    """Whether a migration copies it first."""

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def told(self) -> str:
        """Its name without the folders, for what is told while it is in use, to strangers too."""
        return self.path.name

    def exists(self) -> bool:
        """Whether it is there. One that can't be seen may be: opening it says what is wrong."""
        try:
            return self.path.exists()
        except OSError:
            return True

    def make(self) -> None:
        """Make the file if there is none, for this user alone: it holds what owners send in headers.

        SQLite gives its two other files the same rights. What keeps it from being made shows when it is opened.
        """
        with suppress(OSError):
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    def connect(self, *, writes: bool = True) -> sqlite3.Connection:
        """A connection in autocommit mode, usable from any thread, one at a time."""
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",  # A file that went away is not made anew.
            uri=True,
            timeout=self.busy_timeout.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        try:
            self._configure(connection, writes=writes)
        except BaseException:
            connection.close()
            raise
        return connection

    def _configure(self, connection: sqlite3.Connection, *, writes: bool) -> None:
        if writes:  # Who only reads takes a file as it is, even one that is not ours.
            self._enter_wal(connection)
        connection.execute(f"PRAGMA synchronous = {'FULL' if self.durable else 'NORMAL'}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        if not writes:
            connection.execute("PRAGMA query_only = ON")

    def _enter_wal(self, connection: sqlite3.Connection) -> None:
        """Switch to a write-ahead log. SQLite does not wait by itself when two processes try to at once."""
        deadline = time.monotonic() + self.busy_timeout.total_seconds()
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_S)
            else:
                return
