"""How a rule moves: idle, pending, active, clearing.

Prometheus' `for` and `keep_firing_for`, with an end of its own (`until`) so that a value at the threshold does not
flap. What is unknown moves nothing.
"""

from dataclasses import replace
from datetime import datetime

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.policy.memory import UNTOUCHED, Phase, RuleMemory
from cronicorn.domain.policy.policy import Confirmation, Rule

UNKNOWNS_MAX = 3
"""After so many answers in a row that leave its condition unknown, a rule says that the answers have drifted."""
_COUNTED_MAX = 1_000_000


def stepped(rule: Rule, memory: RuleMemory, values: dict[str, Scalar], now: datetime) -> tuple[RuleMemory, bool | None]:
    """Where *rule* stands after an answer, and what the condition said that it was waiting for."""
    if memory is UNTOUCHED and rule.when.verdict(values) is False:
        return memory, False  # As nearly all rules are nearly always.
    acting = memory.phase.acting
    verdict = (rule.until if acting else rule.when).evaluate(values)
    if verdict is None:
        return replace(memory, unknowns=min(memory.unknowns + 1, _COUNTED_MAX)), None
    if memory.unknowns:
        memory = replace(memory, unknowns=0)
    return (_ended if acting else _begun)(rule, memory, now, verdict=verdict), verdict


def _begun(rule: Rule, memory: RuleMemory, now: datetime, *, verdict: bool) -> RuleMemory:
    if not verdict:
        if memory.phase is Phase.IDLE:
            return memory
        return replace(memory, phase=Phase.IDLE, streak=0, since=None)
    streak = memory.streak + 1
    since = memory.since if memory.phase is Phase.PENDING and memory.since is not None else now
    if _confirmed(rule.confirm, streak, since, now):
        return replace(memory, phase=Phase.ACTIVE, streak=0, since=None, entered_at=now)
    return replace(memory, phase=Phase.PENDING, streak=min(streak, _COUNTED_MAX), since=since)


def _ended(rule: Rule, memory: RuleMemory, now: datetime, *, verdict: bool) -> RuleMemory:
    if not verdict:
        if memory.phase is Phase.ACTIVE:
            return memory
        return replace(memory, phase=Phase.ACTIVE, streak=0, since=None)
    streak = memory.streak + 1
    since = memory.since if memory.phase is Phase.CLEARING and memory.since is not None else now
    dwelt = memory.entered_at is None or now - memory.entered_at >= rule.hold
    if dwelt and _confirmed(rule.confirm_end, streak, since, now):
        return replace(memory, phase=Phase.IDLE, streak=0, since=None, entered_at=None)
    return replace(memory, phase=Phase.CLEARING, streak=min(streak, _COUNTED_MAX), since=since)


def _confirmed(confirmation: Confirmation, streak: int, since: datetime, now: datetime) -> bool:
    return streak >= confirmation.count and now - since >= confirmation.duration


def drifted(memory: RuleMemory) -> bool:
    """Whether the answers just now stopped saying what the rule asks for."""
    return memory.unknowns == UNKNOWNS_MAX
