"""The slots of an endpoint in a SQLite file: two pages from indexes, whatever else is on record."""

import json

from cronicorn.adapters.sqlite.endpoint_rows import number_of
from cronicorn.adapters.sqlite.queries import dicts
from cronicorn.adapters.sqlite.writer import Transaction
from cronicorn.domain.archive import COLUMNS, Table
from cronicorn.domain.cells import Cell
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
FIRST_ATTEMPTS = f"""
SELECT {_COLUMNS} FROM runs AS r
 WHERE r.endpoint_number = :endpoint AND r.started_us >= :since_us AND r.started_us <= :until_us
   AND (r.started_us, r.slot) < (:after_us, :after_number)
   AND (r.attempt = 1 OR NOT EXISTS (SELECT 1 FROM runs AS b WHERE b.endpoint_number = r.endpoint_number
                                                               AND b.slot = r.slot AND b.attempt < r.attempt))
 ORDER BY r.started_us DESC, r.slot DESC LIMIT :most
"""  # noqa: S608 (made of constants)
MORE_ATTEMPTS = f"""
SELECT {_COLUMNS} FROM json_each(:slots) AS told CROSS JOIN runs AS r
    ON r.endpoint_number = :endpoint AND r.slot = told.value
 WHERE r.attempt > 1 ORDER BY r.slot, r.attempt
"""  # noqa: S608 (made of constants)
SKIPPED = """
SELECT * FROM skips
 WHERE endpoint_number = :endpoint AND last_us >= :since_us AND last_us <= :until_us
   AND (last_us, number) < (:after_us, :after_number)
 ORDER BY last_us DESC, number DESC LIMIT :most
"""
SPANNING = """
SELECT * FROM skips WHERE endpoint_number = :endpoint AND last_us > :until_us ORDER BY last_us, number LIMIT :most
"""


def past_slots(transaction: Transaction, tenant_id: str, endpoint_id: str, query: SlotQuery) -> SlotPage:
    """What `Timeline.slots` answers."""
    number = number_of(transaction, tenant_id, endpoint_id)

    def runs(statement: str, **parameters: Cell) -> list[Run]:
        found = dicts(transaction.connection.execute(statement, {"endpoint": number, **parameters}))
        return [run_of(tenant_id, endpoint_id, row) for row in found]

    first = runs(FIRST_ATTEMPTS, **query.ran_row())
    slots = retried(first)
    more = runs(MORE_ATTEMPTS, slots=json.dumps(slots)) if slots else []
    return slot_page(query, with_retries(first, more), _skipped(transaction, number, query))


def _skipped(transaction: Transaction, number: int, query: SlotQuery) -> list[SkippedSlots]:
    asked: dict[str, Cell] = {"endpoint": number, **query.skipped_row()}
    rows = dicts(transaction.connection.execute(SKIPPED, asked))
    if query.spans_end:
        rows += dicts(transaction.connection.execute(SPANNING, asked | {"most": SPANNING_MAX}))
    return [skipped_from(row) for row in rows]
