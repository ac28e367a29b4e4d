"""The slots of an endpoint in PostgreSQL: two pages from indexes, whatever else is on record."""

from cronicorn.adapters.postgres.database import Transaction
from cronicorn.adapters.postgres.endpoint_rows import number_of
from cronicorn.domain.archive import COLUMNS, Table
from cronicorn.domain.fields import us
from cronicorn.domain.past_slots import (
    SPANNING_MAX,
    SkippedSlots,
    SlotPage,
    SlotQuery,
    retried,
    skipped_from,
    slot_page,
    with_retries,
)
from cronicorn.domain.rows import run_of
from cronicorn.domain.run import Run

_COLUMNS = ", ".join(f"r.{name}" for name in COLUMNS[Table.RUNS] if name != "body")
_ABOUT_US = 86_400_000_000
"""An attempt ended after the ones before it, by clocks that differ less than this: other partitions are passed over."""
FIRST_ATTEMPTS = f"""
SELECT {_COLUMNS} FROM cronicorn.runs AS r
 WHERE r.endpoint_number = $1 AND r.started_us >= $2 AND r.started_us <= $3
   AND (r.started_us < $4 OR (r.started_us = $4 AND r.slot < $5))
   AND (r.attempt = 1 OR NOT EXISTS (SELECT 1 FROM cronicorn.runs AS b
                                      WHERE b.endpoint_number = r.endpoint_number AND b.slot = r.slot
                                        AND b.attempt < r.attempt AND b.finished_us <= r.finished_us + {_ABOUT_US}))
 ORDER BY r.started_us DESC, r.slot DESC LIMIT $6
"""  # noqa: S608 (made of constants)
MORE_ATTEMPTS = f"""
SELECT {_COLUMNS} FROM cronicorn.runs AS r
 WHERE r.endpoint_number = $1 AND r.slot = ANY($2::bigint[]) AND r.attempt > 1
   AND r.finished_us >= $3 - {_ABOUT_US}
 ORDER BY r.slot, r.attempt
"""  # noqa: S608 (made of constants)
SKIPPED = """
SELECT * FROM cronicorn.skips
 WHERE endpoint_number = $1 AND last_us >= $2 AND last_us <= $3
   AND (last_us < $4 OR (last_us = $4 AND number < $5))
 ORDER BY last_us DESC, number DESC LIMIT $6
"""
SPANNING = """
SELECT * FROM cronicorn.skips WHERE endpoint_number = $1 AND last_us > $2 ORDER BY last_us, number LIMIT $3
"""


async def past_slots(transaction: Transaction, tenant_id: str, endpoint_id: str, query: SlotQuery) -> SlotPage:
    """What `Timeline.slots` answers."""
    number = await number_of(transaction, tenant_id, endpoint_id)

    async def runs(statement: str, *arguments: object) -> list[Run]:
        found = await transaction.connection.fetch(statement, number, *arguments)
        return [run_of(tenant_id, endpoint_id, dict(record)) for record in found]

    first = await runs(FIRST_ATTEMPTS, *query.ran_row().values())
    slots = retried(first)
    more = await runs(MORE_ATTEMPTS, slots, us(min(run.finished_at for run in first))) if slots else []
    return slot_page(query, with_retries(first, more), await _skipped(transaction, number, query))


async def _skipped(transaction: Transaction, number: int, query: SlotQuery) -> list[SkippedSlots]:
    asked = query.skipped_row()
    rows = await transaction.connection.fetch(SKIPPED, number, *asked.values())
    if query.spans_end:
        rows += await transaction.connection.fetch(SPANNING, number, asked["until_us"], SPANNING_MAX)
    return [skipped_from(dict(record)) for record in rows]
