"""What steering remembers of an endpoint between answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from cronicorn.domain.fields import Fields, Value
from cronicorn.domain.governor import CALM, GovernorMemory, governor_document, governor_of
from cronicorn.domain.policy.memory import BLANK as RULES_BLANK
from cronicorn.domain.policy.memory import PolicyMemory, policy_memory_document, policy_memory_of
from cronicorn.domain.signals.memory import BLANK as SIGNALS_BLANK
from cronicorn.domain.signals.memory import SignalMemory, memory_document, memory_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SteeringMemory:
    """How signals, rules and the governor over both of them stand."""

    signals: SignalMemory = SIGNALS_BLANK
    rules: PolicyMemory = RULES_BLANK
    governor: GovernorMemory = CALM


NO_MEMORY = SteeringMemory()


def steering_memory_document(memory: SteeringMemory) -> dict[str, Value] | None:
    """*memory* as a document; None when nothing is remembered."""
    if memory is NO_MEMORY:
        return None
    parts = {
        "signals": memory_document(memory.signals),
        "rules": policy_memory_document(memory.rules),
        "governor": governor_document(memory.governor),
    }
    document: dict[str, Value] = {name: part for name, part in parts.items() if part}
    return document or None


def steering_memory_of(document: Mapping[str, Value] | None) -> SteeringMemory:
    """The memory that `steering_memory_document` wrote. Raises ValueError for anything else."""
    if document is None:
        return NO_MEMORY
    fields = Fields(document)
    return SteeringMemory(
        signals=memory_of(fields.part("signals")),
        rules=policy_memory_of(fields.part("rules")),
        governor=governor_of(fields.part("governor")),
    )
