"""Conditions over an answer that say what it counts as. Pure."""

from dataclasses import dataclass, field

from cronicorn.domain.call import AnswerClass, Judged, Outcome, OutcomeKind, SuccessCriteria
from cronicorn.domain.condition.condition import Condition
from cronicorn.domain.instant import EPOCH, MILLISECOND
from cronicorn.domain.json_body import parsed
from cronicorn.domain.policy.memory import PolicyMemory
from cronicorn.domain.policy.observing import Seen, observed
from cronicorn.domain.policy.policy import Policy, PolicyField

_NO_MEMORY = PolicyMemory()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCriteria:
    """What a complete answer counts as. The first of these that applies decides.

    `failure` holds: a failure, whatever the status. `success` is known: a success where it holds, whatever the status,
    and a failure where it does not. Otherwise the accepted statuses decide. A success for which `degraded` holds is
    degraded. A condition that an answer leaves unknown says nothing.
    """

    fields: tuple[PolicyField, ...] = ()
    """What of the answer the conditions read: of its body and of HTTP, with no look at others or back."""
    failure: Condition | None = None
    success: Condition | None = None
    degraded: Condition | None = None
    _reading: Policy = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_reading", Policy(fields=self.fields, rules=()))

    def judge(self, outcome: Outcome, accepted: SuccessCriteria) -> Judged | None:
        """What *outcome* counts as and by which condition; None where its status alone says so."""
        if outcome.kind is not OutcomeKind.RESPONDED or outcome.status_code is None:
            return None
        ok = accepted.allows(outcome.status_code)
        seen = Seen(EPOCH, parsed(outcome), ok, outcome.status_code, outcome.duration / MILLISECOND)
        values = observed(self._reading, _NO_MEMORY, seen).values
        if self.failure is not None and self.failure.evaluate(values) is True:
            return Judged(AnswerClass.FAILURE, self.failure.text)
        succeeds = self.success.evaluate(values) if self.success is not None else None
        if succeeds is False:
            assert self.success is not None
            return Judged(AnswerClass.FAILURE, f"!({self.success.text})")
        if (succeeds or ok) and self.degraded is not None and self.degraded.evaluate(values) is True:
            return Judged(AnswerClass.DEGRADED, self.degraded.text)
        return Judged(AnswerClass.SUCCESS, self.success.text) if succeeds and self.success is not None else None
