"""Bringing a database to the newest schema, by one process at a time."""

import asyncio
from io import StringIO
from pathlib import Path
from threading import Lock

import asyncpg

from cronicorn.adapters.postgres.connecting import connect
from cronicorn.adapters.postgres.database import shards_of
from cronicorn.adapters.postgres.faults import FAULTS, translated
from cronicorn.adapters.postgres.options import PostgresOptions
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.adapters.postgres.schema import REVISION
from cronicorn.adapters.postgres.tenant_schema import SCHEMA
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.installation import check_known, check_revision

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = "LOCK TABLE cronicorn.alembic_version IN SHARE ROW EXCLUSIVE MODE"
"""Tables are made and dropped by one transaction at a time. Nothing else waits for it."""
_RIGHTS = """
SELECT there, CASE WHEN there THEN has_schema_privilege('cronicorn', 'CREATE')
                   ELSE has_database_privilege(current_database(), 'CREATE') END, current_user, current_database()
  FROM (SELECT to_regnamespace('cronicorn') IS NOT NULL AS there) AS found
"""
_PATIENCE_S = 600.0
"""A table may be large, and another process may be at it already."""
_OVERTAKEN = (
    asyncpg.UniqueViolationError,
    asyncpg.DuplicateSchemaError,
    asyncpg.DuplicateTableError,
    asyncpg.DuplicateObjectError,
)
"""Another process made the same thing first: what is made is unique by its name."""
_ATTEMPTS_MAX = 10
_IDLE_MAX = "SET LOCAL idle_in_transaction_session_timeout = '60s'"
"""A process that freezes on the way must not keep the tables locked; making the script takes a second or two."""
_ALONE = Lock()
"""Alembic keeps what it is about in global variables."""


async def migrate(url: str, options: PostgresOptions | None = None) -> int:
    """Run the migrations that the database lacks, all or nothing; answer into how many shards its schedule falls.

    A second process that opens the database meanwhile waits, and finds the work done. Raises UnavailableError.
    """
    options = options if options is not None else PostgresOptions()
    connection = await connect(url, options)
    try:
        for _ in range(_ATTEMPTS_MAX):
            if await _revision(connection) == REVISION:
                break
            await _change(connection, options, REVISION)
        else:
            raise UnavailableError(
                "The database's tables are made or dropped by others at the same time, again and again: see who, and "
                "start again."
            )
        return await shards_of(connection)
    except FAULTS as error:
        raise translated(error) from error
    finally:
        connection.terminate()


async def migrate_to(url: str, options: PostgresOptions, revision: str) -> None:
    """Take the database forward or back to *revision*, all or nothing, for whoever opens it next: this version may not.

    Raises NotFoundError where no installation is, InvalidInputError for an unknown revision, UnavailableError.
    """
    connection = await connect(url, options)
    try:
        if await _revision(connection) is None:
            await check_installation(connection)  # It raises.
        await _change(connection, options, revision)
    except FAULTS as error:
        raise translated(error) from error
    finally:
        connection.terminate()


async def inspect(url: str, options: PostgresOptions) -> None:
    """Raise NotFoundError when the database holds no installation, ConflictError for another version's.

    Changes nothing. Raises UnavailableError as well.
    """
    connection = await connect(url, options)
    try:
        await check_installation(connection)
    except FAULTS as error:
        raise translated(error) from error
    finally:
        connection.terminate()


async def check_installation(connection: Connection) -> None:
    """Do what `inspect` does, on a *connection* to the database; raises the driver's errors as they are."""
    place = await connection.fetchval("SELECT current_database()")
    check_revision(await _revision(connection), REVISION, f"{place} on its PostgreSQL server")


async def _change(connection: Connection, options: PostgresOptions, wanted: str) -> None:
    """Run what leads to the revision *wanted*; nothing when another process is quicker."""
    try:
        async with connection.transaction(isolation="read_committed"):
            await connection.execute(_IDLE_MAX)
            before = await _revision(connection, alone=True)
            script = await asyncio.to_thread(_script, before, wanted)
            await _make_schema(connection)
            await connection.execute(script, timeout=_PATIENCE_S)
            if before is None:
                await connection.execute("INSERT INTO cronicorn.installation (shards) VALUES ($1)", options.shards)
    except _OVERTAKEN:
        return


async def _revision(connection: Connection, *, alone: bool = False) -> str | None:
    """What the database was brought to last; with *alone* nobody else can change it before the transaction ends."""
    if not await connection.fetchval("SELECT to_regclass('cronicorn.alembic_version') IS NOT NULL"):
        return None
    if alone:
        await connection.execute(LOCK, timeout=_PATIENCE_S)
    revision = await connection.fetchval("SELECT version_num FROM cronicorn.alembic_version")
    return revision if isinstance(revision, str) else None


async def _make_schema(connection: Connection) -> None:
    """Make the schema if there is none. Raises UnavailableError where this role may not."""
    found = await connection.fetchrow(_RIGHTS)
    assert found is not None
    there, allowed, role, database = found
    if not allowed:
        what = f"SCHEMA {SCHEMA}" if there else f'DATABASE "{database}"'
        raise UnavailableError(
            f"The role {role} may not make tables in the database {database}: "
            f'GRANT CREATE ON {what} TO "{role}", or open the database once with a role that may.'
        )
    if not there:
        await connection.execute(f"CREATE SCHEMA {SCHEMA}", timeout=_PATIENCE_S)


def _script(before: str | None, wanted: str) -> str:
    """The statements that lead from the revision *before* to the one *wanted*.

    Raises InvalidInputError where *wanted* is not known, UnavailableError where *before* is not.
    """
    # Alembic takes longer to import than everything else together, and hardly ever has something to do.
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    script, text = ScriptDirectory(str(MIGRATIONS)), StringIO()
    check_known(wanted, [each.revision for each in script.walk_revisions()])
    back = before is not None and wanted < before <= REVISION
    steps = script._downgrade_revs if back else script._upgrade_revs  # noqa: SLF001
    try:
        with (
            _ALONE,
            EnvironmentContext(
                Config(),
                script,
                fn=lambda revision, _: steps(wanted, revision),
                as_sql=True,
                starting_rev=before,
            ) as environment,
        ):
            environment.configure(
                dialect_name="postgresql", output_buffer=text, version_table_schema=SCHEMA, literal_binds=True
            )
            environment.run_migrations()
    except CommandError as error:
        raise UnavailableError(
            "The database was written by a newer version of Cronicorn: upgrade, or name another database."
        ) from error
    return text.getvalue()
