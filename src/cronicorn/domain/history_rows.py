"""What statements about history take, the same in all stores that keep rows."""

from cronicorn.domain.cells import Row
from cronicorn.domain.fields import us
from cronicorn.domain.history import RunPlace, RunQuery, SpanQuery
from cronicorn.domain.run import Run

BEGINNING_US, END_US = -(1 << 62), 1 << 62
"""Before and after every instant that there is."""


def run_page_row(query: RunQuery) -> Row:
    """A page of an endpoint's runs, newest first; of which endpoint and status is said beside it."""
    return {**_after(query.after, END_US), "page_limit": query.limit, "page_offset": query.offset}


def run_span_row(query: SpanQuery) -> Row:
    """A page of the runs of an endpoint in a span, oldest first; of which endpoint is said beside it."""
    return {
        **_after(query.after, BEGINNING_US),
        "since_us": us(query.since),
        "until_us": us(query.until),
        "page_limit": query.limit,
    }


def _after(run: Run | RunPlace | None, otherwise_us: int) -> Row:
    """The place of the last *run* of the page before."""
    return {
        "after_us": us(run.started_at) if run is not None else otherwise_us,
        "after_slot": run.slot if run is not None else 0,
        "after_attempt": run.attempt if run is not None else 0,
    }
