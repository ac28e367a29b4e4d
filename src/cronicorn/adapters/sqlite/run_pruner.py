"""Forgetting parts of the history in a SQLite file, in small batches."""

import json
import sqlite3

from cronicorn.adapters.sqlite.database import SqliteDatabase
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of
from cronicorn.domain.provision.ports import RunPruner
from cronicorn.domain.provision.retention import PrunedPart, RunPart

_OWNED = """
EXISTS (SELECT 1 FROM endpoints AS e WHERE e.number = h.endpoint_number
           AND (e.tenant_id IN (SELECT value FROM json_each(:tenants))) = :inside)
"""
OLD_RUNS = f"""
SELECT h.number, h.finished_us FROM runs AS h
 WHERE h.finished_us >= :after_us AND h.finished_us < :before_us AND (h.status = 'failed') = :failed AND {_OWNED}
 ORDER BY h.finished_us LIMIT :limit
"""  # noqa: S608 (made of constants)
OLD_SKIPS = f"""
SELECT h.number, h.last_us FROM skips AS h
 WHERE h.last_us >= :after_us AND h.last_us < :before_us AND {_OWNED} ORDER BY h.last_us LIMIT :limit
"""  # noqa: S608 (made of constants)
_DELETE_RUN, _DELETE_SKIP = "DELETE FROM runs WHERE number = ?", "DELETE FROM skips WHERE number = ?"


class SqliteRunPruner(RunPruner):
    """Removes runs and skips of some tenants."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def prune_part(self, part: RunPart, limit: int) -> PrunedPart:
        parameters: dict[str, str | int] = {
            "tenants": json.dumps(sorted(part.tenants)),
            "inside": int(part.inside),
            "failed": int(part.failed),
            "after_us": us(part.after),
            "before_us": us(part.before),
            "limit": limit,
        }

        def work(transaction: Transaction) -> PrunedPart:
            connection = transaction.connection
            found = [_removed(connection, OLD_RUNS, _DELETE_RUN, parameters)]
            if not part.failed:
                found.append(_removed(connection, OLD_SKIPS, _DELETE_SKIP, parameters))
            full = [instant_of(ended[-1]) for ended in found if len(ended) >= limit]
            return PrunedPart(sum(map(len, found)), min(full, default=part.before))

        return await self._database.write(work)


def _removed(connection: sqlite3.Connection, old: str, delete: str, parameters: dict[str, str | int]) -> list[int]:
    """When what was removed had ended, oldest first."""
    rows = connection.execute(old, parameters).fetchall()
    connection.executemany(delete, [(number,) for number, _ in rows])
    return [ended_us for _, ended_us in rows]
