"""Forgetting row by row: skips, and runs of days that can't be dropped whole."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter

from cronicorn.adapters.postgres.queries import Connection, rows_touched
from cronicorn.domain.fields import us

_SKIPS = "cronicorn.skips"
OLD_RUNS = """
SELECT finished_us, tableoid::regclass::text, ctid FROM cronicorn.runs
 WHERE finished_us < $1 ORDER BY finished_us, number LIMIT $2
"""
OLD_SKIPS = """
SELECT last_us, 'cronicorn.skips', ctid FROM cronicorn.skips
 WHERE last_us < $1 ORDER BY last_us, number LIMIT $2
"""


async def prune_rows(connection: Connection, before: datetime, limit: int) -> int:
    """Remove at most *limit* runs and skips that ended before *before*, oldest first; answer how many went."""
    before_us = us(before)
    old = [tuple(record) for each in (OLD_RUNS, OLD_SKIPS) for record in await connection.fetch(each, before_us, limit)]
    oldest = sorted(old, key=itemgetter(0))[:limit]
    return await remove_at(connection, [(table, place) for _, table, place in oldest], before_us)


async def remove_at(connection: Connection, found: Sequence[tuple[str, object]], before_us: int) -> int:
    """Remove what was found in these tables and places, if it still ended before *before_us*; answer how much went."""
    places, gone = defaultdict(list), 0
    for table, place in found:
        places[table].append(place)
    for table in sorted(places):
        # Another may have removed a row meanwhile, and put a new one into its place.
        ended = "last_us" if table == _SKIPS else "finished_us"
        status = await connection.execute(
            f"DELETE FROM {table} WHERE ctid = ANY($1::tid[]) AND {ended} < $2",  # noqa: S608 - a table of ours
            places[table],
            before_us,
        )
        gone += rows_touched(status)
    return gone
