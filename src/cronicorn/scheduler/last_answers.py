"""Finding the last answers of an endpoint, also behind many runs that say only that nothing has changed."""

from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.history import RunQuery
from cronicorn.domain.ports import RunHistory
from cronicorn.domain.run import Run
from cronicorn.domain.signals.conditional import says_something

LOOKED_THROUGH_MAX = 2_000
"""So many of the last runs are looked through, without their bodies."""
_PAGE = 100


async def last_answers(history: RunHistory, endpoint: JobEndpoint, count: int) -> list[Run]:
    """The last *count* runs of *endpoint* that say something, newest first, without bodies. Raises NotFoundError."""
    found: list[Run] = []
    for offset in range(0, LOOKED_THROUGH_MAX, _PAGE):
        page = await history.list(endpoint.tenant_id, endpoint.id, RunQuery(limit=_PAGE, offset=offset))
        found.extend(run for run in page.runs if says_something(run.outcome))
        if len(found) >= count or len(page.runs) < _PAGE:
            break
    return found[:count]
