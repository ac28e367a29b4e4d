"""Whether a PostgreSQL database is as this version needs it: its tables, and where its schedules lie."""

from contextlib import suppress

from cronicorn.adapters.postgres.alert_schema import metadata
from cronicorn.adapters.postgres.database import shards_of
from cronicorn.adapters.postgres.place import shard_of
from cronicorn.adapters.postgres.queries import PlainConnection
from cronicorn.adapters.postgres.tenant_schema import SCHEMA
from cronicorn.domain.cells import UNREADABLE
from cronicorn.domain.mechanism import bucket_of
from cronicorn.domain.rows import endpoint_from
from cronicorn.domain.target import host_of
from cronicorn.domain.verification import Check, Findings

_COLUMNS = """
SELECT c.relname || '.' || a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'cronicorn'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
_INDEXES = """
SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
 WHERE c.relnamespace = 'cronicorn'::regnamespace AND i.indisvalid
"""
_CONSTRAINTS = """
SELECT c.relname || '.' || k.conname FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
 WHERE k.connamespace = 'cronicorn'::regnamespace AND k.convalidated
"""
_SCHEDULES = """
SELECT s.shard, s.bucket, s.host, s.endpoint_id, s.tenant_id, s.state, e.id, e.document
  FROM cronicorn.schedule AS s JOIN cronicorn.endpoints AS e ON e.number = s.endpoint_number
"""
_PORTION_MAX = 500


async def examine(connection: PlainConnection, findings: Findings) -> None:
    """Note what is missing or in a wrong place, inside the transaction that is open on *connection*."""
    await _look_at_tables(connection, findings)
    await _look_at_places(connection, findings)


async def _look_at_tables(connection: PlainConnection, findings: Findings) -> None:
    columns, indexes, constraints = [
        {record[0] for record in await connection.fetch(statement)} for statement in (_COLUMNS, _INDEXES, _CONSTRAINTS)
    ]
    for table in metadata.sorted_tables:
        where = f"table {SCHEMA}.{table.name}"
        lacking = [column.name for column in table.c if f"{table.name}.{column.name}" not in columns]
        findings.expect(Check.STRUCTURE, not lacking, where, f"it has no {', '.join(lacking)}")
        for index in table.indexes:
            findings.expect(Check.STRUCTURE, index.name in indexes, where, f"it has no valid index {index.name}")
        for constraint in table.constraints:
            if isinstance(constraint.name, str):
                held = f"{table.name}.{constraint.name}" in constraints
                findings.expect(Check.STRUCTURE, held, where, f"it has no constraint {constraint.name}")


async def _look_at_places(connection: PlainConnection, findings: Findings) -> None:
    shards = await shards_of(connection)
    # Without prepared statements this one has no name, as a cursor made in one go would have: a pooler would keep it.
    schedules = await connection.prepare(_SCHEDULES)
    async for record in schedules.cursor(prefetch=_PORTION_MAX):
        tenant_id = record["tenant_id"]
        right = {"shard": shard_of(tenant_id, shards), "bucket": bucket_of(tenant_id), "endpoint_id": record["id"]}
        with suppress(*UNREADABLE):  # It is never called.
            right["host"] = host_of(endpoint_from(record["document"], record["state"]).request.url)
        wrong = [name for name, value in right.items() if record[name] != value]
        where = f"schedule of endpoint {record['endpoint_id']}"
        findings.expect(Check.PLACE, not wrong, where, f"its {', '.join(wrong)} is not what it must be")
