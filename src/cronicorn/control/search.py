"""Search: jobs and endpoints by words of their names, URLs and ids."""

from dataclasses import dataclass

from cronicorn.control.permissions import operation
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.finding.ports import EndpointFinder
from cronicorn.domain.finding.search import SearchQuery, words_of
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal

JOBS_FOUND_MAX = 20
ENDPOINTS_FOUND_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What was found; nothing where nothing was looked for."""

    jobs: tuple[Job, ...] = ()
    """JOBS_FOUND_MAX at most, oldest first."""
    more_jobs: bool = False
    endpoints: tuple[tuple[Job, JobEndpoint], ...] = ()
    """ENDPOINTS_FOUND_MAX at most, in the order in which jobs, and the endpoints of each, were made."""
    more_endpoints: bool = False
    complete: bool = True
    """Whether every endpoint of the tenant was looked at (`ENDPOINTS_SEARCHED_MAX`)."""


class Search:
    """Looks through all jobs and endpoints of a tenant."""

    def __init__(self, finder: EndpointFinder) -> None:
        self._finder = finder

    @operation(Operation.SEARCH_FIND)
    async def find(self, principal: Principal, text: str) -> SearchResult:
        """What holds every word of *text*, archived or not; capitals make no difference.

        Jobs are found by name, description and id, endpoints by name, URL, id and the name of their job.
        """
        words, tenant_id = words_of(text), principal.tenant_id
        if not words:
            return SearchResult()
        jobs = await self._finder.jobs(tenant_id, SearchQuery(words=words, limit=JOBS_FOUND_MAX + 1))
        found = await self._finder.endpoints(tenant_id, SearchQuery(words=words, limit=ENDPOINTS_FOUND_MAX + 1))
        return SearchResult(
            jobs=tuple(jobs[:JOBS_FOUND_MAX]),
            more_jobs=len(jobs) > JOBS_FOUND_MAX,
            endpoints=found.endpoints[:ENDPOINTS_FOUND_MAX],
            more_endpoints=len(found.endpoints) > ENDPOINTS_FOUND_MAX,
            complete=found.complete,
        )
