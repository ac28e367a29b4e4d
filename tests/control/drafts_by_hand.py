"""Drafts without a model: what a person wrote stands in for what one would write."""

from itertools import count

from cronicorn.domain.compilation.draft import CompileReason, CompileUsage, Draft, DraftStatus, text_of
from cronicorn.domain.compilation.ports import DraftMaker, Drafts
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.ports import EndpointCatalog
from cronicorn.domain.principal import Principal

SURGE = policy_of(
    {
        "version": 1,
        "fields": {"err": {"path": "$.err", "type": "number"}},
        "rules": [{"id": "surge", "when": "err > 5", "until": "err < 2", "action": {"interval": "30s"}}],
    }
)


class DraftsByHand(DraftMaker):
    """Keeps a draft with *policy* whenever it is asked for one."""

    def __init__(self, endpoints: EndpointCatalog, drafts: Drafts, policy: Policy = SURGE) -> None:
        self.policy = policy
        self._endpoints = endpoints
        self._drafts = drafts
        self._numbers = count(1)

    async def make(self, principal: Principal, endpoint_id: str, reason: CompileReason) -> Draft:
        endpoint, stored = await self._endpoints.get(principal.tenant_id, endpoint_id)
        draft = Draft(
            id=f"dr_{endpoint_id}_{next(self._numbers)}", tenant_id=endpoint.tenant_id, endpoint_id=endpoint.id,
            hash="0" * 64, status=DraftStatus.DRAFT, policy=self.policy, description=described(endpoint),
            replaces=text_of(endpoint.policy), reason=reason, spent=CompileUsage(model="by hand"),
            created_at=stored.now, created_by=principal.actor,
        )  # fmt: skip
        await self._drafts.add(draft, principal)
        return draft

    async def consider(self, principal: Principal, endpoint_id: str) -> CompileReason | None:
        return None


def described(endpoint: JobEndpoint) -> str:
    return endpoint.description or ""
