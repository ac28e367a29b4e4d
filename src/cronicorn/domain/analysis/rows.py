"""Rows of watches and analyses, and what they mean."""

import json
from collections.abc import Mapping
from datetime import datetime

from cronicorn.domain.analysis.analysis import Analysis, analysis_of
from cronicorn.domain.analysis.watch import Look, Watch
from cronicorn.domain.analysis.watching import NOTHING_WATCHED, WatchMemory, watch_memory_of
from cronicorn.domain.cells import UNREADABLE, Cell, Row, instant_in
from cronicorn.domain.fields import us
from cronicorn.domain.rows import endpoint_from

ANALYSES_KEPT = 500
"""So many analyses of an endpoint are kept, the newest."""


def watch_of(row: Mapping[str, Cell], claim_id: str, claimed_at: datetime, claimed_until: datetime) -> Watch:
    """A claimed watch from the columns of `watches`, `endpoints.document` and `schedule.state`.

    Raises one of UNREADABLE for an endpoint that can't be read; of a memory that can't be, nothing is remembered.
    """
    memory, requested_by = row["memory"], row["requested_by"]
    return Watch(
        endpoint=endpoint_from(str(row["document"]), str(row["state"])),
        claim_id=claim_id,
        claimed_at=claimed_at,
        claimed_until=claimed_until,
        cursor=instant_in(row["cursor_us"]),
        memory=_memory_of(memory) if isinstance(memory, str) else NOTHING_WATCHED,
        requested_by=requested_by if isinstance(requested_by, str) else None,
    )


def follow_up_at(memory: Cell) -> datetime | None:
    """When to look again at the earliest, by the column `memory` of `watches`."""
    follow_up = _memory_of(memory).follow_up if isinstance(memory, str) else None
    return follow_up.at if follow_up is not None else None


def _memory_of(text: str) -> WatchMemory:
    """What was remembered; nothing where that can't be read, so that it is learnt anew."""
    try:
        return watch_memory_of(json.loads(text))
    except UNREADABLE:
        return NOTHING_WATCHED


def look_row(look: Look) -> Row:
    """The columns of `watches` that a look writes."""
    return {
        "look_us": us(look.look_at),
        "cursor_us": us(look.cursor),
        "memory": _encode(look.memory.document()),
        "answered": int(look.answers_request),
        "stays": int(look.claim_stays),
    }


def analysis_row(analysis: Analysis) -> Row:
    """The row of `analyses`, but for its numbers."""
    return {
        "id": analysis.id,
        "tenant_id": analysis.tenant_id,
        "endpoint_id": analysis.endpoint_id,
        "at_us": us(analysis.at),
        "tokens": analysis.spent.tokens,
        "document": _encode(analysis.document()),
    }


def analysis_from(row: Mapping[str, Cell]) -> Analysis:
    """The analysis in a row."""
    document = json.loads(str(row["document"]))
    return analysis_of(str(row["tenant_id"]), str(row["endpoint_id"]), str(row["id"]), document)


_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
