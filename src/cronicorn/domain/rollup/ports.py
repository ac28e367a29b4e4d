"""The ports of counted runs. What holds of the others in `cronicorn.domain.ports` holds of them.

`JobStore.settle` and `RunControl.record_test` count each run in the write that records it, by the hour in which it
began. A run that is pruned stays counted, and so does one of a deleted endpoint for its job.
"""

from collections.abc import Sequence
from typing import Protocol

from cronicorn.domain.past_slots import SlotPage, SlotQuery
from cronicorn.domain.plan import Source
from cronicorn.domain.rollup.tallies import (
    AnalysisTally,
    Census,
    EndpointTally,
    HourPart,
    HourSpan,
    JobTally,
    PastAnalysis,
    PastRun,
    StepTally,
)


class Rollups(Protocol):
    """How many runs there were. No call reads a run. Every call is confined to one tenant."""

    async def census(self, tenant_id: str, job_id: str | None = None) -> Census:
        """What there is now, of the tenant or of one job."""
        ...

    async def by_job(self, tenant_id: str, span: HourSpan) -> Sequence[JobTally]:
        """The runs of each job in all of *span*, in the order in which the jobs were made."""
        ...

    async def by_step(self, tenant_id: str, span: HourSpan) -> Sequence[StepTally]:
        """The runs of each step of *span*, the earliest first. Steps without runs are left out."""
        ...

    async def busiest(
        self, tenant_id: str, span: HourSpan, limit: int, source: Source | None = None, every: int = 1
    ) -> Sequence[EndpointTally]:
        """By steps, the runs of those *limit* endpoints that had most in *span*, the busiest first; of one *source*.

        Which have most is found out by each *every*th hour that has runs, from the newest on: it costs what the rows of
        those hours cost. Deleted endpoints are not among them.
        """
        ...

    async def analyses(self, tenant_id: str, span: HourSpan) -> Sequence[AnalysisTally]:
        """The analyses of each endpoint that had some, by steps, the earliest first."""
        ...


class Timeline(Protocol):
    """What happened, hour by hour. Every call is confined to one tenant."""

    async def runs(self, tenant_id: str, part: HourPart, limit: int) -> Sequence[PastRun]:
        """The newest *limit* runs that began in *part* and are still kept, newest first, without bodies.

        Of those that began at once the endpoint made later comes first, and of one endpoint the later slot.
        Reads the runs in *part* alone, of endpoints with runs in its hour, whatever else there is.
        """
        ...

    async def analyses(self, tenant_id: str, part: HourPart, limit: int) -> Sequence[PastAnalysis]:
        """The newest *limit* analyses that began in *part*, newest first."""
        ...

    async def slots(self, tenant_id: str, endpoint_id: str, query: SlotQuery) -> SlotPage:
        """Slots of an endpoint that are on record, newest first, each once: its attempts, or why it did not run.

        Costs what is told, not what else is on record. What is added meanwhile moves nothing that is still to come.
        Raises NotFoundError.
        """
        ...
