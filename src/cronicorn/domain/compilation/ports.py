"""The ports of compiling. What holds of the others in `cronicorn.domain.ports` holds of these."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from cronicorn.domain.compilation.deciding import Decided
from cronicorn.domain.compilation.draft import CompileReason, Draft
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.principal import Principal
from cronicorn.domain.replay.replayed import Replayed
from cronicorn.domain.settlement import Stored


class Drafts(Protocol):
    """Drafts of policies. Every call is confined to one tenant. They go with their endpoint."""

    async def add(self, draft: Draft, by: Principal | None = None) -> None:
        """Keep *draft*; one that waits or is unchanged supersedes those of its endpoint that wait.

        The newest DRAFTS_KEPT are kept, and an active one in any case. Raises NotFoundError when the endpoint is not
        there, ConflictError for an id that is taken.
        """
        ...

    async def get(self, tenant_id: str, endpoint_id: str, draft_id: str) -> Draft:
        """The draft. Raises NotFoundError, also for one of another endpoint."""
        ...

    async def list(self, tenant_id: str, endpoint_id: str) -> Sequence[Draft]:
        """The drafts of an endpoint, newest first. Raises NotFoundError for the endpoint."""
        ...

    async def decide(
        self,
        tenant_id: str,
        endpoint_id: str,
        draft_id: str,
        decision: Callable[[Draft, JobEndpoint, Stored], Decided],
        by: Principal | None = None,
    ) -> tuple[Draft, JobEndpoint, Stored]:
        """Store what *decision* makes of the draft and of its endpoint as they are now, all or nothing.

        One that becomes active supersedes the one that was. Raises NotFoundError, and whatever *decision* raises;
        nothing is written then. It may be called more than once: keep it pure.
        """
        ...


class Backtester(Protocol):
    """Tries a policy on the record of an endpoint."""

    async def replayed(self, principal: Principal, endpoint_id: str, policy: Policy, over: timedelta) -> Replayed:
        """What *policy* would have made of what was recorded *over* the last time.

        Raises NotFoundError, and QuotaExceededError or UnavailableError while others are under way.
        """
        ...


class DraftMaker(Protocol):
    """Makes drafts: asks a model, judges what it wrote, and keeps it."""

    async def make(self, principal: Principal, endpoint_id: str, reason: CompileReason) -> Draft:
        """Compile the description of an endpoint; a draft made of the same that waits or is in force is answered.

        So is one that was rejected, but with CompileReason.ASKED; of any other with a policy a new draft is made,
        without a model. A model that gives no policy that can be accepted, or stops after tokens were spent, ends in a
        draft that needs attention. Raises NotFoundError, ConflictError without a description, QuotaExceededError, and
        UnavailableError while the model can't be asked.
        """
        ...

    async def consider(self, principal: Principal, endpoint_id: str) -> CompileReason | None:
        """Why the description of an endpoint is to be compiled now; None while it is not. Raises NotFoundError."""
        ...
