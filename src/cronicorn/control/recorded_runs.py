"""Recorded runs with their bodies: of several endpoints in the order in which they began, and the last ones of one."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.history import RunQuery, SpanQuery
from cronicorn.domain.instant import LAST_INSTANT
from cronicorn.domain.ports import RunHistory, RunLog
from cronicorn.domain.run import Run

PAGE = 100
"""Runs read at once: their bodies are all in memory."""


async def recorded_runs(
    log: RunLog, tenant_id: str, endpoint_ids: Sequence[str], since: datetime, until: datetime
) -> AsyncGenerator[Run, None]:
    """The runs of *endpoint_ids* that began from *since* to *until*. Raises NotFoundError."""
    streams = [_runs_of(log, tenant_id, each, SpanQuery(since=since, until=until, limit=PAGE)) for each in endpoint_ids]
    heads = {place: run for place, stream in enumerate(streams) if (run := await anext(stream, None)) is not None}
    while heads:
        first = min(heads, key=lambda place: heads[place].started_at)
        yield heads.pop(first)
        following = await anext(streams[first], None)
        if following is not None:
            heads[first] = following


async def latest_runs(history: RunHistory, endpoint: JobEndpoint, count: int) -> Sequence[Run]:
    """The last *count* runs of *endpoint* with their bodies, oldest first. Raises NotFoundError."""
    page = await history.list(endpoint.tenant_id, endpoint.id, RunQuery(limit=count))
    if not page.runs:
        return ()
    span = SpanQuery(since=page.runs[-1].started_at, until=LAST_INSTANT, limit=count)
    return await history.recorded(endpoint.tenant_id, endpoint.id, span)


async def _runs_of(log: RunLog, tenant_id: str, endpoint_id: str, query: SpanQuery) -> AsyncGenerator[Run, None]:
    after: Run | None = None
    while True:
        asked = SpanQuery(since=query.since, until=query.until, limit=query.limit, after=after)
        page = await log.recorded(tenant_id, endpoint_id, asked)
        for run in page:
            yield run
        if len(page) < query.limit:
            return
        after = page[-1]
