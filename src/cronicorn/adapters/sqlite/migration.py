"""Bringing a file to the newest schema, by one process at a time."""

import sqlite3
from pathlib import Path

from cronicorn.adapters.sqlite.connection import SqliteFile
from cronicorn.adapters.sqlite.safekeeping import check_room, safe_copy, size_of
from cronicorn.adapters.sqlite.schema import REVISION
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.installation import check_known, check_revision

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(file: SqliteFile) -> None:
    """Make the file if there is none and run the migrations it lacks, all or nothing. Raises UnavailableError.

    A file that has some already is copied first (`backup_of`), where there is room for it.
    A second process that opens the file meanwhile waits, and finds the work done.
    """
    file.make()
    connection = file.connect()
    try:
        if revision_of(connection) != REVISION:
            _change(connection, file, REVISION)
    finally:
        connection.close()


def migrate_to(file: SqliteFile, revision: str) -> None:
    """Take the file forward or back to *revision*, all or nothing, for whoever opens it next: this version may not.

    A copy is kept first (`backup_of`). Raises NotFoundError where no file is, InvalidInputError for an unknown
    revision, UnavailableError.
    """
    check_file(file)
    connection = file.connect()
    try:
        if revision_of(connection) != revision:
            _change(connection, file, revision)
    finally:
        connection.close()


def inspect(file: SqliteFile) -> None:
    """Raise NotFoundError when the file holds no installation, ConflictError for another version's. Changes nothing."""
    check_file(file)
    connection = file.connect(writes=False)
    try:
        check_installation(connection, file)
    finally:
        connection.close()


def check_file(file: SqliteFile) -> None:
    """Raise NotFoundError when there is no such file: nobody made an installation in it."""
    if not file.exists():
        check_revision(None, REVISION, f"{file.path.absolute()}, which is not there")


def check_installation(connection: sqlite3.Connection, file: SqliteFile) -> None:
    """Do what `inspect` does, on a *connection* to the file."""
    check_revision(revision_of(connection), REVISION, str(file.path.absolute()))


def backup_of(path: Path, revision: str) -> Path:
    """Where a file of *revision* is kept as it was before a migration."""
    return path.with_name(f"{path.name}.{revision}.backup")


def _keep_as_it_is(file: SqliteFile, revision: str | None) -> None:
    """Copy what a migration is about to change; nobody else can write meanwhile. Raises UnavailableError."""
    if not file.backed_up or revision is None or revision > REVISION:  # What is newer is refused.
        return
    path = file.path.resolve()
    size = size_of(path)
    # The copy, and what the migration writes beside the file until it is done.
    check_room(path.parent, 2 * size, "A backup before the migration", "set CRONICORN_SQLITE_BACKUP=no to make none")
    reader = file.connect(writes=False)
    try:
        safe_copy(reader, backup_of(path, revision))
    except OSError as error:
        raise UnavailableError(
            f"The database {file.name} can't be backed up before its migration ({error.strerror}): make its folder "
            "writable, or set CRONICORN_SQLITE_BACKUP=no to make no backup."
        ) from error
    finally:
        reader.close()


def _change(connection: sqlite3.Connection, file: SqliteFile, wanted: str) -> None:
    # Alembic takes longer to import than everything else together, and hardly ever has something to do.
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy import StaticPool, create_engine  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    engine = create_engine(
        "sqlite://",
        creator=lambda: connection,
        poolclass=StaticPool,
        pool_reset_on_return=None,
        isolation_level="AUTOCOMMIT",
    )
    script = ScriptDirectory(str(MIGRATIONS))
    check_known(wanted, [each.revision for each in script.walk_revisions()])
    try:
        with engine.begin() as bound:
            connection.execute("BEGIN IMMEDIATE")
            before = revision_of(connection)
            if before != wanted:
                _keep_as_it_is(file, before)
            steps = script._downgrade_revs if before is not None and wanted < before else script._upgrade_revs  # noqa: SLF001
            with EnvironmentContext(Config(), script, fn=lambda revision, _: steps(wanted, revision)) as environment:
                environment.configure(connection=bound)
                environment.run_migrations()
    except DBAPIError as error:
        raise error.orig or error from error
    except CommandError as error:
        raise UnavailableError(
            f"The database {file.name} was written by a newer version of Cronicorn: upgrade, or name another file."
        ) from error


def revision_of(connection: sqlite3.Connection) -> str | None:
    """The newest migration that the file has seen; None when it has seen none."""
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    if known is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row is not None else None
