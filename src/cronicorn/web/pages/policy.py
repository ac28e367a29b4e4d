"""The rules of an endpoint: written beside its description, understood, tried on its history, and put in force."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from cronicorn.control.document import EndpointPatch
from cronicorn.control.drafts import unaffordable_draft
from cronicorn.control.findings import invalid, refused
from cronicorn.control.identity import possible_id
from cronicorn.control.plane import ControlPlane
from cronicorn.control.policies import HOURS_MAX, Backtest, PolicyDocument
from cronicorn.control.policy_text import PolicyFault, write_policy_text
from cronicorn.control.statuses import status_of
from cronicorn.domain.durations import parse_duration
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import (
    CronicornError,
    FieldError,
    InvalidInputError,
    PreconditionFailedError,
    UnavailableError,
)
from cronicorn.domain.instant import ZERO
from cronicorn.domain.permission import Operation
from cronicorn.domain.policy.json_schema import policy_schema
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.principal import Principal
from cronicorn.domain.unchanged import version_of_endpoint
from cronicorn.web.errors import retry_fields
from cronicorn.web.form_shown import TOLD_ELSEWHERE
from cronicorn.web.forms import faults_of
from cronicorn.web.owned import owned_fields
from cronicorn.web.policy_desk import PolicyDesk, policy_desk
from cronicorn.web.policy_examples import POLICY_EXAMPLES, example_named
from cronicorn.web.policy_looking import LookedPolicy, inside, summary_of
from cronicorn.web.site import WebSite, see
from cronicorn.web.timeline.replayed import TABLE_ROWS, reaction_drawing, replay_drawing, slices_of
from cronicorn.web.view import Looked, ThingId, View

EPISODES_SHOWN = 8
DRAFTS_SHOWN = 8
_PAGE = "policy.html"
_FIELDS = ("description", "policy", "over")


def policy_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """How policies are looked at and changed."""
    router = APIRouter()

    @router.get("/policies/schema.json")
    async def schema(_: Looked) -> Response:
        return JSONResponse(policy_schema(), media_type="application/schema+json")

    @router.get("/endpoints/{endpoint_id}/policy")
    async def show(
        view: Looked, endpoint_id: ThingId, example: str = "", draft: str = "", drafts: str = ""
    ) -> Response:
        stored = await policy_desk(control, view.asker, endpoint_id)
        text = await _begun(control, view.asker, endpoint_id, example, draft)
        desk = stored if text is None else await policy_desk(control, view.asker, endpoint_id, {"policy": text})
        return await policy_page(site, control, view, desk, all_drafts=drafts == "all")

    @router.post("/endpoints/{endpoint_id}/policy")
    async def work(view: Looked, endpoint_id: ThingId) -> Response:
        desk = await policy_desk(control, view.asker, endpoint_id, view.form)
        looked = await desk.look(control, view.asker)
        try:
            if view.entered("do") == "save":
                await _save(control, view, desk, looked)
                return see(f"/endpoints/{endpoint_id}")
            if view.entered("do") == "propose":
                return see(await _proposed(control, view, desk, looked))
            if view.entered("do") == "replay":
                replay = await _replay(control, view.asker, desk, looked)
                return await policy_page(site, control, view, desk, looked=looked, replay=replay)
        except PreconditionFailedError as error:
            anew = await policy_desk(control, view.asker, endpoint_id, view.form)
            return await policy_page(site, control, view, anew, error=error, meanwhile=True)
        except TOLD_ELSEWHERE:
            raise
        except CronicornError as error:
            return await policy_page(site, control, view, desk, looked=looked, error=error)
        return await policy_page(site, control, view, desk, looked=looked)

    return router


async def policy_page(
    site: WebSite, control: ControlPlane, view: View, desk: PolicyDesk, *, looked: LookedPolicy | None = None,
    replay: Backtest | None = None, error: CronicornError | None = None, draft_error: CronicornError | None = None,
    meanwhile: bool = False, all_drafts: bool = False,
) -> Response:  # fmt: skip
    """The page with what was entered and, where it was *looked* at, understood; and with the *error* that ended it."""
    asker, endpoint = view.asker, desk.endpoint
    looked = looked or await desk.look(control, asker)
    failed = error or draft_error
    version = view.entered("version")
    values: dict[str, Any] = {
        "job": await control.jobs.get(asker, endpoint.job_id),
        "endpoint": endpoint,
        "entered": {"description": desk.description, "policy": desk.text, "over": desk.over},
        "version": version_of_endpoint(endpoint) if meanwhile or not version else version,
        "looked": looked,
        "refusals": looked.faults or _placed(looked, error),
        "faults": _faults(looked, error),
        "meanwhile": meanwhile,
        "replay": replay,
        "draft_fault": "" if draft_error is None else str(draft_error),
        "examples": POLICY_EXAMPLES,
    }
    if replay is not None:
        values |= _drawn(replay)
    if not view.live:  # Who only wants to know whether it is sound waits for none of this.
        values |= await _beside(control, asker, endpoint, None if all_drafts else DRAFTS_SHOWN)
    status = HTTPStatus.OK if failed is None or view.live else status_of(failed)
    headers = {} if failed is None else retry_fields(failed)
    return site.page(view, _PAGE, status=status, headers=headers, **values)


async def _begun(control: ControlPlane, asker: Principal, endpoint_id: str, example: str, draft: str) -> str | None:
    """The text that the address wants to begin with; None for what is in force."""
    if (known := example_named(example)) is not None:
        return known.text
    if not draft:
        return None
    policy = (await control.drafts.get(asker, endpoint_id, possible_id(draft))).draft.policy
    return None if policy is None else write_policy_text(policy)


async def _save(control: ControlPlane, view: View, desk: PolicyDesk, looked: LookedPolicy) -> None:
    """Store what differs from what is stored. Raises what an edit raises, and InvalidInputError for faults."""
    _check(looked)
    fields: dict[str, Any] = {}
    if looked.text.policy != desk.endpoint.policy:
        fields["policy"] = looked.text.document
    if desk.description.strip() != (desk.endpoint.description or "").strip():
        fields["description"] = desk.description.strip() or None
    if not fields:
        view.asker.check(Operation.ENDPOINT_EDIT)
        return
    await control.endpoints.edit(
        view.asker, desk.endpoint.id, EndpointPatch.model_validate(fields), unchanged=view.unchanged
    )


async def _proposed(control: ControlPlane, view: View, desk: PolicyDesk, looked: LookedPolicy) -> str:
    """The path of the draft that the entered rules are now. Raises what proposing raises, and InvalidInputError."""
    _check(looked)
    if looked.text.document is None:
        raise refused("/policy", "Write the rules that you propose; to have none, take them away.")
    if desk.description.strip() != (desk.endpoint.description or "").strip():
        raise refused("/description", "Save the description first: rules are proposed for the one that is stored.")
    document = PolicyDocument(policy=looked.text.document)
    draft = (await control.proposals.propose(view.asker, desk.endpoint.id, document)).draft
    return f"/endpoints/{desk.endpoint.id}/policy/drafts/{draft.id}"


async def _replay(control: ControlPlane, asker: Principal, desk: PolicyDesk, looked: LookedPolicy) -> Backtest:
    """What the entered rules would have made of the record. Raises what that raises, and InvalidInputError."""
    _check(looked)
    try:
        over = parse_duration(desk.over)
    except ValueError:
        raise refused("/over", "Say how far back, such as 12h, 7d or 30d.") from None
    if not ZERO < over <= timedelta(hours=HOURS_MAX):
        raise refused("/over", f"Must be more than nothing and at most {HOURS_MAX // 24}d.")
    return await control.policies.backtest(asker, desk.endpoint.id, looked.text.policy or Policy(), over)


def _check(looked: LookedPolicy) -> None:
    """Raise InvalidInputError for a text with faults."""
    if looked.faults:
        raise invalid(
            tuple(FieldError(pointer=f"/policy{each.pointer}", message=each.message) for each in looked.faults)
        )


def _placed(looked: LookedPolicy, error: CronicornError | None) -> tuple[PolicyFault, ...]:
    """What *error* says of the rules, each with its line."""
    return looked.text.placed(inside(error.fields)) if isinstance(error, InvalidInputError) else ()


def _faults(looked: LookedPolicy, error: CronicornError | None) -> Mapping[str, str]:
    """What is wrong beside which field. Faults of rules stand beside their lines, so the field only says how many."""
    told = error is not None and not isinstance(error, PreconditionFailedError)
    faults = dict(faults_of(error, _FIELDS)) if error is not None and told else {}
    if summary := summary_of(looked.faults or _placed(looked, error)):
        faults["policy"] = summary
    if looked.description_fault:
        faults["description"] = looked.description_fault
    return faults


def _drawn(replay: Backtest) -> dict[str, Any]:
    replayed = replay.replayed
    return {
        "calls_drawn": replay_drawing(replayed),
        "reaction_drawn": reaction_drawing(replayed.old, replayed.new),
        "slices": slices_of(replayed, TABLE_ROWS),
        "episodes": replayed.episodes[:EPISODES_SHOWN],
        "episodes_left_out": replayed.episodes_count - len(replayed.episodes[:EPISODES_SHOWN]),
    }


async def _beside(control: ControlPlane, asker: Principal, endpoint: JobEndpoint, most: int | None) -> dict[str, Any]:
    """What stands beside the form: what answers hold, and what the model drafted, of that at *most* so many."""
    drafts, hindrance = await control.drafts.list(asker, endpoint.id), control.drafts.hindrance(endpoint)
    owners = await control.file_owners.of_endpoint(asker, endpoint)
    return {
        "owners": [each for each in owners if owned_fields([each], _FIELDS)],
        "owned": owned_fields(owners, _FIELDS),
        "profile": await control.policies.fields(asker, endpoint.id),
        "drafts": drafts[:most],
        "drafts_left_out": 0 if most is None else len(drafts[most:]),
        "makes_drafts": hindrance is None,
        "hindrance": hindrance or await _unaffordable(control, asker),
    }


async def _unaffordable(control: ControlPlane, asker: Principal) -> str:
    """Why the budget does not do for a draft; empty where it does."""
    with suppress(UnavailableError):  # Nobody can say where the budget stands: asking the model tells.
        return unaffordable_draft(await control.quotas.show(asker)) or ""
    return ""
