"""A few connections that read, each in a thread of its own."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.faults import closed, translated
from cronicorn.adapters.sqlite.place import Place
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.ports import Clock

T = TypeVar("T")


class Readers:
    """Runs queries. Each sees one state of the database from beginning to end."""

    def __init__(self, file: SqliteFile, clock: Clock, place: Place, *, count: int) -> None:
        self._file = file
        self._place = place
        self._clock = clock
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="sqlite-reader")
        self._closed = False

    async def run(self, query: Callable[[Transaction], T]) -> T:
        """What *query* answers."""
        if self._closed:
            raise closed(self._file.told)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, query)

    async def aclose(self) -> None:
        """Finish the queries in progress, then close the connections."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _read(self, query: Callable[[Transaction], T]) -> T:
        try:
            self._place.check()
            connection = self._connection()
            try:
                return self._answer(connection, query)
            finally:
                self._idle.put(connection)
        except (sqlite3.Error, UnicodeEncodeError) as error:
            raise translated(error, self._file.told) from error

    def _answer(self, connection: sqlite3.Connection, query: Callable[[Transaction], T]) -> T:
        connection.execute("BEGIN")
        try:
            return query(Transaction(connection=connection, now=self._clock.now()))
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _connection(self) -> sqlite3.Connection:
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = self._file.connect(writes=False)
        try:
            self._place.check()
        except UnavailableError:
            connection.close()  # It may have been opened on another file.
            raise
        return connection
