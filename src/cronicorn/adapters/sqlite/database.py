"""The open file: one writer, a few readers, and a connection for the heartbeat."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar

from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.faults import translated
from cronicorn.adapters.sqlite.migration import inspect, migrate
from cronicorn.adapters.sqlite.place import Place
from cronicorn.adapters.sqlite.readers import Readers
from cronicorn.adapters.sqlite.turn import Turn
from cronicorn.adapters.sqlite.writer import Item, Many, Transaction, Writer
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.ports import Clock

READERS_DEFAULT = 2
_SCHEME = "sqlite:///"

T = TypeVar("T")


class SqliteDatabase:
    """An open database file, with its newest schema."""

    def __init__(self, file: SqliteFile, clock: Clock, *, readers: int) -> None:
        self.file = file
        self._clock = clock
        self._turn = Turn()
        self._here = file.connect()
        self._place = Place(file.path)
        self._writer = Writer(file.connect(), clock, self._turn, self._place)
        self._readers = Readers(file, clock, self._place, count=readers)

    @classmethod
    async def open(
        cls,
        where: str | Path,
        clock: Clock,
        *,
        busy_timeout: timedelta = timedelta(seconds=5),
        durable: bool = False,
        readers: int = READERS_DEFAULT,
        existing: bool = False,
        backed_up: bool = True,
    ) -> Self:
        """Open, and make if need be, the file that a path or a `sqlite:///` URL names. Raises UnavailableError.

        With *backed_up* a migration copies it first. With *existing* nothing is made: see `inspect` for what is raised
        then.
        """
        file = SqliteFile(path=_path(where), busy_timeout=busy_timeout, durable=durable, backed_up=backed_up)
        try:
            await asyncio.to_thread(inspect if existing else migrate, file)
            return cls(file, clock, readers=readers)
        except sqlite3.Error as error:
            raise translated(error, file.name) from error

    def now(self) -> datetime:
        """The instant by the store's clock."""
        return self._clock.now()

    def write(
        self,
        work: Callable[[Transaction], T],
        undo: Callable[[Transaction, T], None] | None = None,
        many: Many[Item, T] | None = None,
        item: Item | None = None,
    ) -> Coroutine[None, None, T]:
        """Do *work* in the writer's thread; see `Writer.run`."""
        return self._writer.run(work, undo, many, item)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        """Run *query* in a reader's thread."""
        return await self._readers.run(query)

    def write_here(self, work: Callable[[Transaction], T]) -> T:
        """Do *work* in this thread, on a connection kept for it. One thread at a time; blocks."""
        connection = self._here
        try:
            with self._turn:
                self._place.check()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    result = work(Transaction(connection=connection, now=self._clock.now()))
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                return result
        except sqlite3.Error as error:
            raise translated(error, self.file.told) from error

    def take_turn(self) -> None:
        """Wait until no other thread of this process writes, and keep them from it until `pass_turn`. Blocks."""
        self._place.check()
        self._turn.__enter__()

    def pass_turn(self) -> None:
        """Let the next thread write."""
        self._turn.__exit__(None, None, None)

    def rehearse_here(self, work: Callable[[Transaction], T]) -> T:
        """Do *work* in this thread, in its turn, and take back all that it wrote; answer what it came to. Blocks.

        Not in the writer's transaction: all that is committed together would have to be done again.
        """
        connection = self.file.connect()
        try:
            with self._turn:
                self._place.check()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    return work(Transaction(connection=connection, now=self._clock.now()))
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise translated(error, self.file.told) from error
        finally:
            connection.close()

    def rehearsing(self) -> "SqliteDatabase":
        """The same file, in which nothing stays that is written."""
        return _RehearsingDatabase(self)

    @property
    def keeps(self) -> bool:
        """Whether what is written stays."""
        return True

    async def aclose(self) -> None:
        """Finish what was begun, then close. Closing again does nothing."""
        await self._writer.aclose()
        await self._readers.aclose()
        self._here.close()


class _RehearsingDatabase(SqliteDatabase):
    """Does in full what is asked for, and takes it back."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.file = database.file
        self._database = database

    def now(self) -> datetime:
        return self._database.now()

    @property
    def keeps(self) -> bool:
        return False

    async def write(
        self,
        work: Callable[[Transaction], T],
        undo: Callable[[Transaction, T], None] | None = None,
        many: Many[Item, T] | None = None,
        item: Item | None = None,
    ) -> T:
        return await asyncio.to_thread(self.write_here, work)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        return await self._database.read(query)

    def write_here(self, work: Callable[[Transaction], T]) -> T:
        return self._database.rehearse_here(work)

    def take_turn(self) -> None:
        self._database.take_turn()

    def pass_turn(self) -> None:
        self._database.pass_turn()

    async def aclose(self) -> None:
        """The file stays open for whoever writes to it."""


def _path(where: str | Path) -> Path:
    text = str(where)
    if text.startswith(_SCHEME):
        text = text.removeprefix(_SCHEME)
    elif "://" in text or text.startswith("sqlite:"):
        raise InvalidInputError(f"A SQLite database is named by {_SCHEME}PATH or by a path, not {text!r}.")
    if not text or text == ":memory:":
        raise InvalidInputError("A SQLite database needs a file; for one that nobody keeps choose the memory store.")
    return Path(text).expanduser()
