"""Backups: whole stores as one SQLite file each, whatever database they come from and go to."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cronicorn.adapters.sqlite.archive import SqliteArchive
from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.faults import translated
from cronicorn.adapters.sqlite.migration import migrate, revision_of
from cronicorn.adapters.sqlite.safekeeping import check_room, safe_copy, size_of
from cronicorn.adapters.sqlite.schema import REVISION
from cronicorn.control.copying import Copied, Copier, TellProgress
from cronicorn.domain.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from cronicorn.wiring.archives import whole_store
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.timekeeping import system_clock


async def back_up(settings: Settings, path: Path, told: TellProgress) -> Sequence[Copied]:
    """Write what the store that *settings* name holds now to a new file at *path*, whole or not at all.

    Work on the store goes on; its leases are dropped in the file. Raises ConflictError where *path* is taken,
    UnavailableError for no room, and what `Copier.copy_to` does.
    """
    _check_target(path, settings)
    copier = Copier(source=whole_store(settings).archive, drop_leases=True, live=True, told=told)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        copied = await copier.copy_to(SqliteArchive(SqliteFile(path=part), system_clock()))
        await asyncio.to_thread(_close_up, part)
        part.replace(path)
    finally:
        for left in (part, *(part.with_name(f"{part.name}{end}") for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)
    return copied


async def restore(settings: Settings, path: Path, told: TellProgress) -> Sequence[Copied]:
    """Fill the store that *settings* name, which must be empty, with what *path* holds, all or nothing.

    The file stays as it is; one of an older version is brought up to date on the way. Raises NotFoundError where it is
    not there, InvalidInputError where it is no backup, and what `Copier.copy_to` does.
    """
    _check_source(path)
    async with _up_to_date(path) as file:
        copier = Copier(source=SqliteArchive(file, system_clock()), drop_leases=True, told=told)
        return await copier.copy_to(whole_store(settings).archive)


@asynccontextmanager
async def _up_to_date(path: Path) -> AsyncIterator[SqliteFile]:
    """A copy of the file at *path* with the newest schema, for as long as the block lasts."""
    with TemporaryDirectory(prefix="cronicorn-") as folder:
        file = SqliteFile(path=Path(folder) / "backup.db", backed_up=False)
        check_room(file.path.parent, 2 * size_of(path), "The backup", "set TMPDIR to a folder on another disk")
        try:
            await asyncio.to_thread(_brought_up, path, file)
        except sqlite3.Error as error:
            raise translated(error, str(path)) from error
        yield file


def _check_target(path: Path, settings: Settings) -> None:
    if not path.absolute().parent.is_dir():
        raise NotFoundError(f"There is no folder {path.absolute().parent}: make it, or name another file.")
    if path.exists():
        raise ConflictError(f"There is a file {path} already: name another one, or remove it.")
    source = settings.database_url
    if source.backend == "sqlite" and source.file.exists():
        check_room(path.absolute().parent, size_of(source.file), "The backup", "name a file on another disk")


def _check_source(path: Path) -> None:
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}: name one that `cronicorn backup` made.")


def _brought_up(path: Path, file: SqliteFile) -> None:
    source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        revision = revision_of(source)
        if revision is None:  # An empty file is a SQLite database too, of nothing.
            raise InvalidInputError(f"{path} is no backup: name a file that `cronicorn backup` made.")
        if revision > REVISION:
            raise UnavailableError(f"The backup {path} was written by a newer version of Cronicorn: upgrade.")
        safe_copy(source, file.path)
    finally:
        source.close()
    migrate(file)


def _close_up(path: Path) -> None:
    """Leave one file, with nothing beside it, that a power cut does not take."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()
    with path.open("rb") as written:
        os.fsync(written.fileno())
