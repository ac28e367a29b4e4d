"""Routes of drafts: compiling a description, proposing a policy, and deciding about what came of it."""

from fastapi import APIRouter

from cronicorn.api.parameters import Asker, DraftId, Id
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_drafts import DraftAnswer, DraftsAnswer, draft_answer, drafts_answer
from cronicorn.control.drafts import PolicyDrafts
from cronicorn.control.policies import PolicyDocument
from cronicorn.control.proposals import Proposals


def draft_routes(drafts: PolicyDrafts) -> APIRouter:
    """What can be asked about the drafts of an endpoint."""
    router = APIRouter(prefix="/endpoints/{id}/policy/drafts", tags=["policies"], route_class=StrictRoute)

    @router.post("")
    async def compile_policy(asker: Asker, endpoint_id: Id) -> DraftAnswer:
        """Compile the endpoint's description with the connected model; what was compiled already is answered again."""
        return draft_answer(await drafts.make(asker, endpoint_id))

    @router.get("")
    async def list_drafts(asker: Asker, endpoint_id: Id) -> DraftsAnswer:
        """The drafts of an endpoint, newest first."""
        return drafts_answer(await drafts.list(asker, endpoint_id))

    return router


def proposal_routes(proposals: Proposals) -> APIRouter:
    """What can be asked about policies that somebody wrote."""
    router = APIRouter(prefix="/endpoints/{id}/policy/proposals", tags=["policies"], route_class=StrictRoute)

    @router.post("")
    async def propose_policy(asker: Asker, endpoint_id: Id, document: PolicyDocument) -> DraftAnswer:
        """Keep a policy as a draft that waits for somebody to activate it, judged as one of a model; none is asked."""
        return draft_answer(await proposals.propose(asker, endpoint_id, document))

    return router


def one_draft_routes(drafts: PolicyDrafts) -> APIRouter:
    """What can be asked about one draft."""
    router = APIRouter(prefix="/endpoints/{id}/policy/drafts/{draftId}", tags=["policies"], route_class=StrictRoute)

    @router.get("")
    async def get_draft(asker: Asker, endpoint_id: Id, draft_id: DraftId) -> DraftAnswer:
        """One draft, in words, and what it would change."""
        return draft_answer(await drafts.get(asker, endpoint_id, draft_id))

    @router.post("/activate")
    async def activate_draft(asker: Asker, endpoint_id: Id, draft_id: DraftId) -> DraftAnswer:
        """Give the endpoint the policy of a draft; refused when description or policy have changed since."""
        return draft_answer(await drafts.activate(asker, endpoint_id, draft_id))

    @router.post("/reject")
    async def reject_draft(asker: Asker, endpoint_id: Id, draft_id: DraftId) -> DraftAnswer:
        """Do not use a draft."""
        return draft_answer(await drafts.reject(asker, endpoint_id, draft_id))

    return router
