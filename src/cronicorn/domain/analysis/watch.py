"""An endpoint that is watched, claimed for a look, and what became of the look."""

from dataclasses import dataclass, replace
from datetime import datetime

from cronicorn.domain.analysis.analysis import Analysis
from cronicorn.domain.analysis.proposing import written
from cronicorn.domain.analysis.watching import WatchMemory
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, LeaseLostError
from cronicorn.domain.ports import EndpointEdit


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A watched endpoint that one planner looks at. The right to do so ends at `claimed_until`."""

    endpoint: JobEndpoint
    claim_id: str
    claimed_at: datetime
    claimed_until: datetime
    cursor: datetime
    """Runs that began up to this instant were looked at."""
    memory: WatchMemory
    requested_by: str | None = None
    """Who asked for an analysis; None when nobody did."""

    def lost(self) -> LeaseLostError:
        """The error of a look that comes too late."""
        return LeaseLostError(f"Endpoint {self.endpoint.id} is looked at by another planner, or by none.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What became of a look."""

    memory: WatchMemory
    cursor: datetime
    look_at: datetime
    """When to look again."""
    answers_request: bool = False
    """Whether what was asked for is done."""
    analysis: Analysis | None = None
    """What is to be kept, but for what `edit` writes: only the store knows that."""
    edit: EndpointEdit | None = None
    claim_stays: bool = False
    """Whether the claim stays as it is: more is to be done under it, and settled after that."""

    def analysis_after(self, before: JobEndpoint, after: JobEndpoint, now: datetime) -> Analysis | None:
        """The analysis as a store keeps it after `edit` made *after* of *before*.

        `applied` says what was written, and says nothing when the analysis was switched off by then.
        """
        if self.analysis is None:
            return None
        told = (*written(before, after, now), *self.analysis.applied) if before.analysis.enabled else ()
        return replace(self.analysis, applied=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisPage:
    """One page of analyses, the newest first, and how many there are in all."""

    analyses: tuple[Analysis, ...]
    total: int
    follow_up_at: datetime | None = None
    """From then on the planner asks again if answers are unlike those of the last analysis, which asked for that."""


def analysis_off(endpoint_id: str) -> ConflictError:
    """What whoever asks for an analysis is told where none may be made."""
    return ConflictError(
        f"The analysis of endpoint {endpoint_id} is off; switch it on first: `analysis: true` in its file, or"
        ' `{"analysis": true}` in a PATCH of the endpoint.'
    )
