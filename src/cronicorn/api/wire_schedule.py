"""Plans, previews and explanations on the wire."""

from cronicorn.api.wire_endpoint import HintAnswer, PlanAnswer, hint_answer, plan_answer
from cronicorn.api.wire_values import Answer, Instant, Omittable, WarningAnswer, warning_answers
from cronicorn.control.schedules import ExplainedPlan, Explanation, OverLimit, Preview
from cronicorn.domain.counterfactuals import Counterfactual
from cronicorn.domain.explain import ExplainedStep
from cronicorn.domain.flow.limits import HeldBack
from cronicorn.domain.plan import Plan, Source
from cronicorn.domain.slot import SlotState


class StepAnswer(Answer):
    """One candidate or step of a plan: what it said, and why it won or lost."""

    step: str
    verdict: str
    at: Omittable[Instant] = None
    author: Omittable[str] = None
    why: str


class PlansAnswer(Answer):
    """The next plans, earliest first, if every run succeeds at once and nobody steers."""

    plans: list[PlanAnswer]


class PreviewAnswer(PlansAnswer):
    """The next plans of an endpoint that is not stored."""

    warnings: list[WarningAnswer]


class ExplainedPlanAnswer(Answer):
    """A plan with its steps, in the order in which they spoke."""

    plan: PlanAnswer
    steps: list[StepAnswer]


class CounterfactualAnswer(Answer):
    """The plan as it would be, if made now, without one of the things that steer it."""

    without: str
    next_run_at: Instant | None
    source: Source
    matters: bool


class OverLimitAnswer(Answer):
    """Why slots end without a call until the month is over."""

    state: SlotState
    reason: str
    next_at: Instant | None
    """When the next slot will end so; null where none is planned before `until`."""
    last_at: Instant | None
    """The last instant that did."""
    until: Instant
    """From then on calls are made again."""


class HeldAnswer(Answer):
    """A slot that is due and has to wait."""

    until: Instant
    """When it asks again."""
    reason: str


class ExplanationAnswer(Answer):
    """Why an endpoint runs when it does: the plan in force, and what it would be if made now."""

    endpoint_id: str
    name: str
    now: Instant
    running: bool
    running_run_id: str | None = None
    stored: ExplainedPlanAnswer | None
    current: ExplainedPlanAnswer
    left_lying: bool
    """Whether the plan in force lies in the past, because nobody has taken it yet."""
    replanned: bool
    """Whether the plan would be another one, if made now."""
    hints: list[HintAnswer]
    otherwise: list[CounterfactualAnswer]
    over_limit: OverLimitAnswer | None = None
    held: HeldAnswer | None = None


def plans_answer(plans: tuple[Plan, ...]) -> PlansAnswer:
    """*plans* on the wire."""
    return PlansAnswer(plans=[plan_answer(plan) for plan in plans])


def preview_answer(preview: Preview) -> PreviewAnswer:
    """*preview* on the wire."""
    return PreviewAnswer(
        plans=[plan_answer(plan) for plan in preview.plans], warnings=warning_answers(preview.warnings)
    )


def explanation_answer(explanation: Explanation) -> ExplanationAnswer:
    """*explanation* on the wire."""
    return ExplanationAnswer(
        endpoint_id=explanation.endpoint.id, name=explanation.endpoint.name, now=explanation.now,
        running=explanation.running is not None, running_run_id=explanation.running,
        stored=None if explanation.stored is None else _explained(explanation.stored),
        current=_explained(explanation.current), left_lying=explanation.left_lying,
        replanned=explanation.replanned, hints=[hint_answer(hint) for hint in explanation.hints],
        otherwise=[_counterfactual(each) for each in explanation.otherwise],
        held=None if explanation.held is None else _held(explanation.held),
        over_limit=None if explanation.over_limit is None else _over_limit(explanation.over_limit),
    )  # fmt: skip


def step_answer(step: ExplainedStep) -> StepAnswer:
    """*step* on the wire."""
    return StepAnswer(step=step.step, verdict=step.verdict, at=step.at, author=step.author, why=step.why)


def _counterfactual(each: Counterfactual) -> CounterfactualAnswer:
    plan = each.plan
    return CounterfactualAnswer(
        without=each.without, next_run_at=plan.next_run_at, source=plan.source, matters=each.matters
    )


def _over_limit(over: OverLimit) -> OverLimitAnswer:
    return OverLimitAnswer(
        state=SlotState.SKIPPED_QUOTA,
        reason=over.ration.reason,
        next_at=over.next_at,
        last_at=over.last_at,
        until=over.ration.month.end_at,
    )


def _held(held: HeldBack) -> HeldAnswer:
    return HeldAnswer(until=held.until, reason=held.reason)


def _explained(explained: ExplainedPlan) -> ExplainedPlanAnswer:
    return ExplainedPlanAnswer(plan=plan_answer(explained.plan), steps=[step_answer(step) for step in explained.steps])
