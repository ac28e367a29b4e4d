"""The port of finding. What holds of the others in `cronicorn.domain.ports` holds of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.finding.search import FoundEndpoints, SearchQuery


class EndpointFinder(Protocol):
    """Jobs and endpoints across all of a tenant, archived ones included where nothing else is said."""

    async def jobs(self, tenant_id: str, query: SearchQuery) -> Sequence[Job]:
        """The jobs that *query* finds in name, blank, description, blank, id; oldest first, no more than its limit."""
        ...

    async def endpoints(self, tenant_id: str, query: SearchQuery) -> FoundEndpoints:
        """The endpoints that *query* finds in job's name, blank, name, blank, URL, blank, id; no more than its limit.

        Looks at no more of them than it says.
        """
        ...

    async def planned(self, tenant_id: str, until: datetime, limit: int) -> Sequence[tuple[Job, JobEndpoint]]:
        """The *limit* endpoints that are due first, of those due *until* then, the earliest first."""
        ...
