"""The answers of `cronicorn plan`."""

from cronicorn.cli.instants import written
from cronicorn.cli.planning_case import read_case
from cronicorn.domain.cron import CronSchedule
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.explain import ExplainedStep, explained
from cronicorn.domain.plan import Plan
from cronicorn.domain.planning import plan_next_run
from cronicorn.wiring.timekeeping import cron


class PlanAnswers:
    """Plans what a line describes."""

    def __init__(self) -> None:
        self._cron = cron()

    def to(self, line: bytes | None) -> dict[str, object]:
        """The plan for *line*, or `error` with a sentence that says what is wrong with it."""
        if line is None:
            return {"error": "The line is longer than a mebibyte."}
        try:
            now, endpoint = read_case(line)
            if endpoint.baseline.cron:
                self._cron.next(CronSchedule(endpoint.baseline.cron), now)
        except InvalidInputError as error:
            return {"error": str(error)}
        return plan_as_json(plan_next_run(now, endpoint, self._cron))


def plan_as_json(plan: Plan) -> dict[str, object]:
    """A plan as JSON shows it."""
    return {
        "next_run_at": written(plan.next_run_at) if plan.next_run_at is not None else None,
        "source": plan.source.value,
        "trace": [_step_as_json(step) for step in explained(plan.trace)],
    }


def _step_as_json(step: ExplainedStep) -> dict[str, object]:
    at = written(step.at) if step.at is not None else None
    return {"step": step.step, "verdict": step.verdict, "at": at, "why": step.why, "author": step.author}
