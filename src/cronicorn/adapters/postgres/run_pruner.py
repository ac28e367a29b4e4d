# ruff: noqa: S608 - statements are made of constants
"""Forgetting parts of the history in PostgreSQL, row by row: days go whole once nobody keeps anything of them."""

from cronicorn.adapters.postgres.database import PostgresDatabase, Transaction
from cronicorn.adapters.postgres.pruning import remove_at
from cronicorn.adapters.postgres.queries import Connection
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.provision.ports import RunPruner
from cronicorn.domain.provision.retention import PrunedPart, RunPart

_OWNED = """
EXISTS (SELECT FROM cronicorn.endpoints AS e
         WHERE e.number = h.endpoint_number AND (e.tenant_id = ANY($3::text[])) = $4::boolean)
"""
_OLD_RUNS = f"""
SELECT h.finished_us, h.tableoid::regclass::text, h.ctid FROM cronicorn.runs AS h
 WHERE h.finished_us >= $1 AND h.finished_us < $2 AND (h.status = 'failed') = $6::boolean AND {_OWNED}
 ORDER BY h.finished_us LIMIT $5
"""
_OLD_SKIPS = f"""
SELECT h.last_us, 'cronicorn.skips', h.ctid FROM cronicorn.skips AS h
 WHERE h.last_us >= $1 AND h.last_us < $2 AND {_OWNED} ORDER BY h.last_us LIMIT $5
"""


class PostgresRunPruner(RunPruner):
    """Removes runs and skips of some tenants."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def prune_part(self, part: RunPart, limit: int) -> PrunedPart:
        which = (us(part.after), us(part.before), sorted(part.tenants), part.inside, limit)

        async def work(transaction: Transaction) -> PrunedPart:
            connection = transaction.connection
            found = [await _removed(connection, _OLD_RUNS, (*which, part.failed))]
            if not part.failed:
                found.append(await _removed(connection, _OLD_SKIPS, which))
            full = [instant_of(ended[-1]) for ended in found if len(ended) >= limit]
            return PrunedPart(sum(map(len, found)), min(full, default=part.before))

        return await self._database.write(work)


async def _removed(connection: Connection, old: str, which: tuple[object, ...]) -> list[int]:
    """When what was removed had ended, oldest first."""
    rows = [tuple(record) for record in await connection.fetch(old, *which)]
    await remove_at(connection, [(table, place) for _, table, place in rows], int(str(which[1])))
    return [ended_us for ended_us, _, _ in rows]
