"""Drafts of policies: making one, looking at it beside what is in force, activating and rejecting it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cronicorn.control.permissions import operation
from cronicorn.control.quota import QuotaStanding, never_made
from cronicorn.domain.compilation.deciding import Decided, activated, rejected
from cronicorn.domain.compilation.difference import PolicyDifference, difference
from cronicorn.domain.compilation.draft import CompileReason, Draft, as_it_stands
from cronicorn.domain.compilation.ports import DraftMaker, Drafts
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import UnavailableError
from cronicorn.domain.instant import second_text
from cronicorn.domain.permission import Operation
from cronicorn.domain.ports import Cron, EndpointCatalog
from cronicorn.domain.principal import Principal
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.bounds import COMPILE_TOKENS_LEAST
from cronicorn.domain.quota.decision import Mode
from cronicorn.domain.settlement import Stored

log = logging.getLogger(__name__)

NO_MODEL = (
    "No model is connected, so no description can be compiled. Set CRONICORN_AI_MODEL (and its key) in "
    "the environment of this process, which compiles itself, and start it again; "
    "until then write the policy yourself: `cronicorn policy check` says what it means."
)

NO_DESCRIPTION = (
    "There is nothing to make rules of yet: describe when it should be called more or less often, and save."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftView:
    """A draft, and what it would change of its endpoint as that is now."""

    draft: Draft
    endpoint: JobEndpoint
    differences: PolicyDifference


class PolicyDrafts:
    """What can be asked about drafts. All raise NotFoundError."""

    def __init__(
        self,
        drafts: Drafts,
        endpoints: EndpointCatalog,
        cron: Cron,
        maker: DraftMaker | None,
        wake: Callable[[], None],
    ) -> None:
        self._drafts = drafts
        self._endpoints = endpoints
        self._cron = cron
        self.maker = maker
        """None where no model is connected."""
        self._wake = wake

    def hindrance(self, endpoint: JobEndpoint) -> str | None:
        """Why no draft can be made of the description of *endpoint*; None where one can, if tokens are left for it."""
        if self.maker is None:
            return NO_MODEL
        if not (endpoint.description or "").strip():
            return NO_DESCRIPTION
        return None

    @operation(Operation.DRAFT_MAKE)
    async def make(self, principal: Principal, endpoint_id: str) -> DraftView:
        """Compile the description of an endpoint; see `DraftMaker.make` for what is raised.

        Raises UnavailableError where no model is connected.
        """
        if self.maker is None:
            await self._endpoints.get(principal.tenant_id, endpoint_id)
            raise UnavailableError(NO_MODEL)
        draft = await self.maker.make(principal, endpoint_id, CompileReason.ASKED)
        return await self.get(principal, endpoint_id, draft.id)

    @operation(Operation.DRAFT_LIST)
    async def list(self, principal: Principal, endpoint_id: str) -> Sequence[Draft]:
        """The drafts of an endpoint, newest first."""
        drafts = await self._drafts.list(principal.tenant_id, endpoint_id)
        endpoint, _ = await self._endpoints.get(principal.tenant_id, endpoint_id)
        return [as_it_stands(draft, endpoint.policy) for draft in drafts]

    @operation(Operation.DRAFT_GET)
    async def get(self, principal: Principal, endpoint_id: str, draft_id: str) -> DraftView:
        """One draft."""
        draft = await self._drafts.get(principal.tenant_id, endpoint_id, draft_id)
        endpoint, _ = await self._endpoints.get(principal.tenant_id, endpoint_id)
        return _view(draft, endpoint)

    @operation(Operation.DRAFT_ACTIVATE)
    async def activate(self, principal: Principal, endpoint_id: str, draft_id: str) -> DraftView:
        """Give the endpoint the policy of a draft, as an edit would.

        Raises ConflictError for a draft that was decided on, and when description or policy have changed since.
        """
        by = principal.actor

        def decision(draft: Draft, endpoint: JobEndpoint, stored: Stored) -> Decided:
            return activated(draft, endpoint, stored, self._cron, by)

        draft, endpoint, _ = await self._drafts.decide(principal.tenant_id, endpoint_id, draft_id, decision, principal)
        log.info("policy_activated", extra={"endpoint": endpoint_id, "draft": draft_id, "by": by})
        self._wake()
        return _view(draft, endpoint)

    @operation(Operation.DRAFT_REJECT)
    async def reject(self, principal: Principal, endpoint_id: str, draft_id: str) -> DraftView:
        """Do not use a draft. Raises ConflictError for one that is or was in force."""
        by = principal.actor
        draft, endpoint, _ = await self._drafts.decide(
            principal.tenant_id,
            endpoint_id,
            draft_id,
            lambda draft, _endpoint, stored: rejected(draft, stored.now, by),
            principal,
        )
        log.info("policy_rejected", extra={"endpoint": endpoint_id, "draft": draft_id, "by": by})
        return _view(draft, endpoint)


def unaffordable_draft(standing: QuotaStanding) -> str | None:
    """Why the tokens of *standing* don't do for a draft, as far as that can be told before a model is asked."""
    if (never := never_made(standing).get(Budget.COMPILE)) is not None:
        return never
    left = standing.left[Budget.COMPILE]
    if standing.mode is Mode.SOFT or left >= COMPILE_TOKENS_LEAST:
        return None
    return (
        f"{left:,} tokens are left for it, and it reserves {COMPILE_TOKENS_LEAST:,}: there are more from "
        f"{second_text(standing.reset_at)} on. What was made of the same already is shown again "
        "all the same."
    )


def _view(draft: Draft, endpoint: JobEndpoint) -> DraftView:
    standing = as_it_stands(draft, endpoint.policy)
    return DraftView(draft=standing, endpoint=endpoint, differences=difference(endpoint.policy, draft.policy))
