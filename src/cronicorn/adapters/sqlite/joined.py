"""Writing through many ports in one transaction, on a connection of its own."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.faults import translated
from cronicorn.adapters.sqlite.writer import Item, Many, Transaction

T = TypeVar("T")


class SqliteJoinedDatabase(SqliteDatabase):
    """The same file, in which all that is written stays together or not at all.

    What is asked for is done piece by piece in a thread of its own: what is asked for last, its end, comes last even
    when whoever asks is cancelled in between. Everybody else who writes waits for that.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self.file = database.file
        self._database = database
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cronicorn-joined")
        self._connection = self.file.connect()
        self._begun = False

    async def together(self, work: Callable[[SqliteDatabase], Awaitable[T]]) -> T:
        """Do *work* with this database, and end it. Nothing stays when that raises something."""
        try:
            await self._do(self._begin)
            done = await work(self)
            if self._database.keeps:
                await self._do(lambda: self._connection.execute("COMMIT"))
            return done
        finally:
            self._thread.submit(self._end)
            self._thread.shutdown(wait=False)

    async def write(
        self,
        work: Callable[[Transaction], T],
        undo: Callable[[Transaction, T], None] | None = None,
        many: Many[Item, T] | None = None,
        item: Item | None = None,
    ) -> T:
        def nested() -> T:
            self._connection.execute("SAVEPOINT piece")
            try:
                return work(self._transaction())
            except BaseException:
                self._connection.execute("ROLLBACK TO piece")
                raise
            finally:
                self._connection.execute("RELEASE piece")

        return await self._do(nested)

    async def read(self, query: Callable[[Transaction], T]) -> T:
        return await self._do(lambda: query(self._transaction()))

    def now(self) -> datetime:
        return self._database.now()

    async def aclose(self) -> None:
        """The file stays open for whoever else writes to it."""

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise translated(error, self.file.told) from error

    def _transaction(self) -> Transaction:
        return Transaction(connection=self._connection, now=self.now())

    def _begin(self) -> None:
        self._database.take_turn()
        self._begun = True
        self._connection.execute("BEGIN IMMEDIATE")

    def _end(self) -> None:
        try:
            self._connection.close()  # What was not committed is taken back.
        finally:
            if self._begun:
                self._database.pass_turn()
