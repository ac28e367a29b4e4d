"""The rules of an endpoint: written beside its description, understood, tried on its history, and put in force."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from cronicorn.control.document import EndpointPatch
from cronicorn.control.drafts import NO_MODEL
from cronicorn.control.findings import invalid, refused
from cronicorn.control.identity import possible_id
from cronicorn.control.plane import ControlPlane
from cronicorn.control.policies import HOURS_MAX, Backtest, PolicyDocument
from cronicorn.control.policy_judging import names_siblings
from cronicorn.control.policy_text import PolicyFault, read_policy_text, write_policy_text
from cronicorn.control.quota import never_made
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
from cronicorn.domain.quota.allowance import Budget
from cronicorn.domain.quota.bounds import COMPILE_TOKENS_LEAST
from cronicorn.domain.quota.decision import Mode
from cronicorn.domain.unchanged import Unchanged, version_of_endpoint
from cronicorn.web.errors import retry_fields
from cronicorn.web.form_fields import lines_of
from cronicorn.web.form_shown import TOLD_ELSEWHERE
from cronicorn.web.forms import faults_of
from cronicorn.web.policy_examples import POLICY_EXAMPLES, example_named
from cronicorn.web.policy_looking import LookedPolicy, inside, looked_policy, summary_of
from cronicorn.web.site import WebSite, see
from cronicorn.web.timeline.replayed import TABLE_ROWS, reaction_drawing, replay_drawing, slices_of
from cronicorn.web.view import Looked, ThingId, View
from cronicorn.web.words import instant

OVER_DEFAULT = "7d"
EPISODES_SHOWN = 8
DRAFTS_SHOWN = 8
_PAGE = "policy.html"
_FIELDS = ("description", "policy", "over")


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDesk:
    """An endpoint whose rules are edited, and what was entered."""

    endpoint: JobEndpoint
    description: str
    text: str
    over: str = OVER_DEFAULT

    async def look(self, control: ControlPlane, asker: Principal) -> LookedPolicy:
        """What was entered, understood. A long text takes a while to be read: others have their turn."""
        read = await asyncio.to_thread(read_policy_text, self.text)
        others: tuple[str, ...] = ()
        if names_siblings(replace(self.endpoint, policy=read.policy)):
            job = [each.endpoint for each in await control.endpoints.list(asker, self.endpoint.job_id)]
            others = tuple(each.name for each in job if each.archived_at is None)
        return await asyncio.to_thread(looked_policy, self.endpoint, others, read, self.description)


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
        stored = await _desk(control, view.asker, endpoint_id)
        text = await _begun(control, view.asker, endpoint_id, example, draft)
        desk = stored if text is None else await _desk(control, view.asker, endpoint_id, {"policy": text})
        return await policy_page(site, control, view, desk, all_drafts=drafts == "all")

    @router.post("/endpoints/{endpoint_id}/policy")
    async def work(view: Looked, endpoint_id: ThingId) -> Response:
        desk = await _desk(control, view.asker, endpoint_id, view.form)
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
            anew = await _desk(control, view.asker, endpoint_id, view.form)
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


async def policy_desk(control: ControlPlane, asker: Principal, endpoint_id: str) -> PolicyDesk:
    """The endpoint with what is in force."""
    return await _desk(control, asker, endpoint_id)


async def _desk(
    control: ControlPlane, asker: Principal, endpoint_id: str, form: Mapping[str, str] | None = None
) -> PolicyDesk:
    """The endpoint with what a *form* holds, and what is in force where it holds nothing."""
    endpoint, form = (await control.endpoints.get(asker, endpoint_id)).endpoint, form or {}
    return PolicyDesk(
        endpoint=endpoint,
        description=lines_of(form.get("description", endpoint.description or "")).rstrip(),
        text=lines_of(form["policy"]).rstrip() if "policy" in form else write_policy_text(endpoint.policy),
        over=form.get("over", OVER_DEFAULT).strip() or OVER_DEFAULT,
    )  # fmt: skip


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
    unchanged = Unchanged(versions=frozenset({view.entered("version")}))
    await control.endpoints.edit(
        view.asker, desk.endpoint.id, EndpointPatch.model_validate(fields), unchanged=unchanged
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
    drafts = await control.drafts.list(asker, endpoint.id)
    makes = control.drafts.maker is not None and bool((endpoint.description or "").strip())
    return {
        "profile": await control.policies.fields(asker, endpoint.id),
        "drafts": drafts[:most],
        "drafts_left_out": 0 if most is None else len(drafts[most:]),
        "makes_drafts": makes,
        "hindrance": await _hindrance(control, asker, endpoint),
    }


async def _hindrance(control: ControlPlane, asker: Principal, endpoint: JobEndpoint) -> str:
    """What keeps a model from making a draft, as far as that can be told before it is asked; empty for nothing."""
    if control.drafts.maker is None:
        return NO_MODEL
    if not (endpoint.description or "").strip():
        return "There is nothing to make rules of yet: describe when it should be called more or less often, and save."
    with suppress(UnavailableError):  # Nobody can say where the budget stands: asking the model tells.
        standing = await control.quotas.show(asker)
        if (told := never_made(standing).get(Budget.COMPILE)) is not None:
            return told
        left = standing.left[Budget.COMPILE]
        if standing.mode is not Mode.SOFT and left < COMPILE_TOKENS_LEAST:
            return (
                f"{left:,} tokens are left for it, and it reserves {COMPILE_TOKENS_LEAST:,}: there are more from "
                f"{instant(standing.reset_at)} on. What was made of the same already is shown again all the same."
            )
    return ""
