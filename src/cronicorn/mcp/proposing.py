"""Tools about policies: trying one on the record, proposing it, and putting it in force once a person has said so."""

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from mcp.server.mcpserver import AcceptedElicitation, Elicit, ElicitationResult, Resolve
from mcp_types import CallToolResult, ClientCapabilities
from pydantic import BaseModel, Field

from cronicorn.control.drafts import DraftView
from cronicorn.control.policies import HOURS_DEFAULT, HOURS_MAX, BacktestDocument, PolicyDocument
from cronicorn.control.policy_lines import policy_in_words
from cronicorn.domain.compilation.difference import ChangeKind, PartDifference, difference
from cronicorn.domain.compilation.draft import DraftStatus, Finding
from cronicorn.domain.compilation.judging import cadence_of
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import ConflictError, CronicornError
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.replay.replayed import Behaviour
from cronicorn.domain.untrusted.cleaning import cleaned
from cronicorn.mcp.answers import BoundedAnswer, ToolAnswer, as_text, result_of, shown
from cronicorn.mcp.asking import AskedTool, EndpointId, PossibleId, ToolDesk, error_told
from cronicorn.mcp.endpoint_lines import LINE_MAX, policy_lines

EXAMPLE: dict[str, Any] = {
    "version": 1,
    "fields": {"errors": {"path": "$.errors", "type": "number"}, "ok": {"http": "ok"}},
    "rules": [
        {"id": "broken", "why": "many errors", "when": "errors > 5 || !ok", "until": "errors < 2 && ok",
         "action": {"interval": "30s"}},
    ],
}  # fmt: skip
"""What a policy looks like, for models whose client shows them no resources."""
PolicyArgument = Annotated[
    dict[str, Any], Field(description="A policy's document; cronicorn://docs/policy-schema describes it.")
]
PolicyToTry = Annotated[
    dict[str, Any],
    Field(
        description="A policy's document, such as " + json.dumps(EXAMPLE, separators=(",", ":")) + "; an action is one "
        "of interval, run_once, pause, defer and wake. cronicorn://docs/policy-schema describes all of it."
    ),
]
ProposedId = Annotated[PossibleId, Field(description="As policy_propose answers it.")]
CHANGES_MAX = 40
FINDINGS_MAX = 10
QUESTION_MAX = 12_000
"""Characters of what a person is asked: more is not read in a box."""
_ASKED_ABOUT = frozenset({DraftStatus.DRAFT, DraftStatus.ACTIVE})
"""Of any other no person need be asked. Activating the one in force changes nothing: whoever lost the answer may."""
_IN_PERSON = "have one look at the draft, and activate it in the web app, by `cronicorn policy activate`, or over REST."
BY_HAND = "This client can't ask its user, and a policy is put in force only when a person has said so: " + _IN_PERSON
TOO_LONG = (
    "The policy is too long to be asked about in one question, and nobody approves what they were not shown: "
    + _IN_PERSON
)


class BehaviourTold(ToolAnswer):
    """How an endpoint is called under one policy."""

    calls: int
    calls_a_day: float | None = None
    most_calls_in_a_minute: int
    flips_an_hour: float | None = None
    reaction_seconds: Sequence[float] = Field(
        default=(), description="Seconds until a call finds a condition met, on average: from, to."
    )


class RuleTold(ToolAnswer):
    """How one rule fared."""

    rule: str
    entered: int
    in_force_minutes: float
    answers: int
    unknown: int | None = None


class PolicyTried(BoundedAnswer):
    """What a policy would have made of the record."""

    endpoint_id: str
    in_words: Sequence[str] = ()
    changes: Sequence[str] = Field(default=(), description="What differs from the policy in force.")
    recorded_runs: int
    conclusion: str
    because: str
    now: BehaviourTold = Field(description="As it happened.")
    then: BehaviourTold = Field(description="Under the policy.")
    rules: Sequence[RuleTold] = ()
    remarks: Sequence[str] = ()


class DraftTold(BoundedAnswer):
    """A policy that was proposed."""

    draft_id: str
    endpoint_id: str
    status: str
    in_words: Sequence[str] = ()
    changes: Sequence[str] = Field(default=(), description="What differs from the policy in force.")
    findings: Sequence[str] = Field(default=(), description="What a person should look at.")
    calls_a_day_now: float | None = None
    calls_a_day_then: float | None = None


class Approval(BaseModel):
    """What a person is asked."""

    approve: bool = Field(description="Put this policy in force?")


class Proposing:
    """Tries, proposes and activates policies."""

    def __init__(self, desk: ToolDesk) -> None:
        self._desk = desk

    async def policy_backtest(
        self,
        ask: AskedTool,
        *,
        endpoint_id: EndpointId,
        policy: PolicyToTry,
        over_hours: Annotated[int, Field(ge=1, le=HOURS_MAX, description="How far back.")] = HOURS_DEFAULT,
    ) -> Annotated[CallToolResult, PolicyTried]:
        """Check a policy, say it in words, and try it on what the endpoint has answered. Changes nothing."""
        document = BacktestDocument.model_validate({"policy": policy, "overHours": over_hours})
        principal, policies = await self._desk.principal(ask), self._desk.control.policies
        tried = await policies.read(principal, document)
        done = await policies.backtest(principal, endpoint_id, tried, document.over)
        replayed = done.replayed
        return result_of(
            PolicyTried(
                endpoint_id=endpoint_id, in_words=policy_lines(tried, done.endpoint),
                changes=_changes(tried, done.endpoint),
                recorded_runs=replayed.recorded, conclusion=replayed.conclusion.value, because=replayed.because,
                now=_behaviour(replayed.old), then=_behaviour(replayed.new), remarks=list(replayed.remarks),
                rules=[
                    RuleTold(
                        rule=rule.rule, entered=rule.entered, answers=rule.answers, unknown=rule.unknown or None,
                        in_force_minutes=round(rule.in_force.total_seconds() / 60, 1),
                    )
                    for rule in replayed.rules
                ],
            )
        )  # fmt: skip

    async def policy_propose(
        self, ask: AskedTool, *, endpoint_id: EndpointId, policy: PolicyArgument
    ) -> Annotated[CallToolResult, DraftTold]:
        """Keep a policy as a draft that waits for a person, judged and tried on the record. It is not in force yet."""
        principal = await self._desk.principal(ask)
        view = await self._desk.control.proposals.propose(principal, endpoint_id, PolicyDocument(policy=policy))
        return result_of(_draft(view, "It waits for a person: policy_activate asks yours, and the web app shows it."))

    async def approval(self, ask: AskedTool, endpoint_id: str, draft_id: str) -> Elicit[Approval]:
        """What the person behind the client is asked before a draft is put in force."""
        try:
            principal = await self._desk.principal(ask)
            view = await self._desk.control.drafts.get(principal, endpoint_id, draft_id)
        except CronicornError as error:
            raise error_told(error) from error
        if view.draft.status not in _ASKED_ABOUT:
            said = f"Draft {draft_id} is {view.draft.status.value}, and only one that waits is activated."
            raise error_told(ConflictError(said))
        if not _can_ask(ask.client_capabilities):
            raise error_told(ConflictError(BY_HAND))
        question = _question(view)
        if len(question) > QUESTION_MAX:
            raise error_told(ConflictError(TOO_LONG))
        return Elicit(question, Approval)

    def activation(self) -> Any:
        """The tool that puts a draft in force, which has `approval` asked first."""
        approved = Resolve(self.approval)

        async def policy_activate(
            ask: AskedTool,
            *,
            endpoint_id: EndpointId,
            draft_id: ProposedId,
            approval: Annotated[ElicitationResult[Approval], approved],
        ) -> Annotated[CallToolResult, DraftTold]:
            """Put a proposed policy in force, once the person behind the client has said so: they are asked."""
            if not (isinstance(approval, AcceptedElicitation) and approval.data.approve):
                raise ConflictError(f"A person has not approved it: draft {draft_id} waits.")
            principal = await self._desk.principal(ask)
            view = await self._desk.control.drafts.activate(principal, endpoint_id, draft_id)
            return result_of(_draft(view, "It is in force."))

        return policy_activate


def _draft(view: DraftView, note: str) -> DraftTold:
    draft, figures = view.draft, view.draft.figures
    return DraftTold(
        draft_id=draft.id, endpoint_id=draft.endpoint_id, status=draft.status.value,
        in_words=policy_lines(draft.policy, view.endpoint), changes=_changes(draft.policy, view.endpoint),
        findings=_findings(draft.findings), note=note,
        calls_a_day_now=_rounded(figures.calls_a_day_old) if figures is not None else None,
        calls_a_day_then=_rounded(figures.calls_a_day_new) if figures is not None else None,
    )  # fmt: skip


def _can_ask(client: ClientCapabilities | None) -> bool:
    """Whether *client* can ask its user a question in a form: it is what `elicitation` means where no way is named."""
    can = client.elicitation if client is not None else None
    return can is not None and (can.form is not None or can.url is None)


def _question(view: DraftView) -> str:
    """What a person is asked of a draft: all that it does, changes and was criticised for, each on a line of its own.

    Whoever proposed it wrote some of that: no line may look like another one, and none is cut or masked.
    """
    draft, endpoint, figures = view.draft, view.endpoint, view.draft.figures
    rules = policy_in_words(draft.policy, cadence_of(endpoint)) if draft.policy is not None else []
    changes = [f"change: {part.step.value} {part.what} {part.name}{_as_written(part)}" for part in view.differences]
    found = [f"{each.severity.value}: {each.pointer} {each.message}" for each in draft.findings]
    calls = []
    if figures is not None and figures.calls_a_day_new is not None:
        calls = [f"calls a day: {_rounded(figures.calls_a_day_old)} now, {_rounded(figures.calls_a_day_new)} then"]
    asked = f"Put this policy in force for {endpoint.name} ({endpoint.id})?"
    lines = (asked, *rules, *changes, *calls, *found)
    return "\n".join(cleaned(line).replace("\n", " ") for line in lines)


def _as_written(part: PartDifference) -> str:
    """What *part* says from now on, as far as no rule in words does."""
    return f": {as_text(part.after)}" if part.what != "rule" and part.step is not ChangeKind.REMOVED else ""


def _changes(policy: Policy | None, endpoint: JobEndpoint) -> list[str]:
    parts = difference(endpoint.policy, policy)
    return [shown(f"{part.step.value} {part.what} {part.name}", LINE_MAX) for part in parts[:CHANGES_MAX]]


def _findings(findings: Iterable[Finding]) -> list[str]:
    told_of = [f"{each.severity.value} {each.pointer} {each.message}" for each in findings]
    return [shown(line) for line in told_of[:FINDINGS_MAX]]


def _behaviour(behaviour: Behaviour) -> BehaviourTold:
    mean = behaviour.reaction.mean if behaviour.reaction is not None else None
    return BehaviourTold(
        calls=behaviour.calls, calls_a_day=_rounded(behaviour.calls_a_day), flips_an_hour=behaviour.flips_an_hour,
        most_calls_in_a_minute=behaviour.minute_peak,
        reaction_seconds=[] if mean is None else [round(each.total_seconds(), 1) for each in (mean.low, mean.high)],
    )  # fmt: skip


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 1)
