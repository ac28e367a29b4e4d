"""What the conditions of a policy say at every recorded run, whether an imagined call comes then or not."""

from collections.abc import Mapping
from dataclasses import replace

from cronicorn.domain.endpoint import EndpointState, JobEndpoint
from cronicorn.domain.plan import Source
from cronicorn.domain.policy.policy import Confirmation, Origin, Policy, Rule
from cronicorn.domain.run import Run, RunStatus
from cronicorn.domain.signals.signal import Adapt, Signals
from cronicorn.domain.steering import heard, steered

ASIDE = {Source.MANUAL, Source.TEST}
"""Runs that people asked for: under any policy they would have come."""
_NEVER = Confirmation(count=1 << 40)
"""With this no rule ever comes into force, so it is always `when` that is asked."""


class Bystander:
    """Reads the recorded answers of an endpoint, in the order of time, and does nothing."""

    def __init__(self, endpoint: JobEndpoint) -> None:
        policy = endpoint.policy or Policy()
        watching = tuple(replace(rule, confirm=_NEVER, probe=None, probing=False) for rule in policy.rules)
        self._endpoint = replace(
            endpoint,
            policy=replace(policy, rules=watching),
            signals=Signals(adapt=Adapt.OFF),
            state=EndpointState(),
        )

    def verdicts(self, run: Run, failures: int) -> Mapping[str, bool | None]:
        """Whether the condition of each rule holds after *run*, by rule id; nothing when it ended on our side."""
        answer = heard(self._endpoint, run, failures, run.finished_at)
        if answer is None:
            return {}
        read = steered(self._endpoint, (), answer, "")
        self._endpoint = self._endpoint.standing(replace(self._endpoint.state, memory=read.memory))
        return {step.rule: step.verdict for step in read.steps.rules} if read.steps is not None else {}


def datable(policy: Policy) -> tuple[Rule, ...]:
    """The rules whose condition rests on recorded answers of the endpoint alone: only these have a beginning."""
    own = {each.name for each in policy.fields if each.origin in {Origin.BODY, Origin.HTTP}}
    return tuple(rule for rule in policy.rules if rule.when.fields and rule.when.fields <= own)


class FailureStreak:
    """Counts failed slots in a row through recorded runs."""

    def __init__(self) -> None:
        self._count = 0

    def after(self, run: Run) -> int:
        """How many slots have failed in a row with *run*; one that people asked for doesn't count beyond itself."""
        planned = run.source not in ASIDE
        if run.status is RunStatus.CANCELLED:
            return self._count
        if run.status is RunStatus.SUCCESS:
            self._count = 0 if planned else self._count
            return 0
        failures = max(self._count, 1) if run.attempt > 1 else self._count + 1
        self._count = failures if planned else self._count
        return failures
