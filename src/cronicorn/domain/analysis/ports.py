"""The port of what watches endpoints. What holds of the others in `cronicorn.domain.ports` holds of this."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.watch import AnalysisPage, Look, Watch


class WatchStore(Protocol):
    """The endpoints that are watched, and the analyses of all. It stands beside the leases of runs.

    Watched are those whose analysis is switched on or whose description may be compiled again
    (`JobEndpoint.is_watched`).
    """

    async def claim_due(self, *, claim_id: str, limit: int, ttl: timedelta) -> Sequence[Watch]:
        """Claim up to *limit* watches to look at now by the store's clock, the longest due first, for *ttl*.

        *claim_id* names the claim and no other one. Never a watch under a live claim.
        An endpoint is watched from the edit on that makes it so.
        """
        ...

    async def settle(self, watch: Watch, look: Look) -> None:
        """Write what became of a look and end the claim, all or nothing: memory, analysis, and edit of the endpoint.

        With `Look.claim_stays` the claim does not end, and *watch* may be settled again.
        The analysis is kept as `Look.analysis_after` tells it of the edit.
        Raises LeaseLostError when another claim came after *watch*, or the endpoint is watched no more; nothing is
        written then. Raises whatever the edit raises, which sees the endpoint as stored now.
        """
        ...

    async def request(self, tenant_id: str, endpoint_id: str, by: str) -> timedelta:
        """Ask for an analysis at the next look, which is due at once. Asking again before it changes nothing.

        Answers for how long a planner could have looked before and did not; negative while one looks, or has looked so
        lately that no other look was due yet.
        Raises NotFoundError, and ConflictError when the endpoint's analysis is off.
        """
        ...

    async def list(
        self, tenant_id: str, endpoint_id: str, *, limit: int, offset: int = 0, after: str | None = None
    ) -> AnalysisPage:
        """Analyses of an endpoint, newest first, and from when on to look again, as the last look settled it.

        With *after* those that come after the one with this id: none where that is forgotten, as then those are too.
        Raises NotFoundError.
        """
        ...

    async def get(self, tenant_id: str, analysis_id: str) -> Analysis:
        """One analysis. Raises NotFoundError."""
        ...
