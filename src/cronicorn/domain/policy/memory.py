"""What a policy remembers between answers: how its rules stand, and the values that it looks back on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.fields import Fields, Value, lean, us

FIRES_KEPT = 100


class Phase(StrEnum):
    """Where a rule stands; the value is its letter in the stored form."""

    IDLE = "i"
    PENDING = "p"
    """Its condition holds and is being confirmed."""
    ACTIVE = "a"
    CLEARING = "c"
    """Its end is being confirmed; it still acts."""

    @property
    def acting(self) -> bool:
        """Whether the rule is in force."""
        return self is Phase.ACTIVE or self is Phase.CLEARING


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleMemory:
    """How one rule stands."""

    phase: Phase = Phase.IDLE
    streak: int = 0
    """Answers in a row that confirm what is being confirmed."""
    since: datetime | None = None
    """When the present confirmation began."""
    entered_at: datetime | None = None
    """When it last became active."""
    fires: tuple[datetime, ...] = ()
    """When it acted, oldest first, as far back as its limit counts."""
    fired_at: datetime | None = None
    exhausted_at: datetime | None = None
    """When what its limit does instead was done; forgotten with the next time it acts."""
    fired_for: Scalar | None = None
    """The value that it last acted for, where it acts once for each."""
    unknowns: int = 0
    """Answers in a row that left its condition unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMemory:
    """The last values of a field, oldest first, each with its instant."""

    samples: tuple[tuple[datetime, Scalar], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyMemory:
    """How a policy stands. What is not in it stands as at the beginning."""

    rules: Mapping[str, RuleMemory] = field(default_factory=dict)
    fields: Mapping[str, FieldMemory] = field(default_factory=dict)

    def rule(self, rule_id: str) -> RuleMemory:
        return self.rules.get(rule_id, UNTOUCHED)


UNTOUCHED = RuleMemory()
BLANK = PolicyMemory()


def policy_memory_document(memory: PolicyMemory) -> dict[str, Value]:
    """*memory* as a document; an empty one for a blank memory."""
    return {} if memory is BLANK else lean({
        "rules": {name: rule_memory_document(rule) for name, rule in memory.rules.items()} or None,
        "fields": {name: _field_document(each) for name, each in memory.fields.items()} or None,
    })  # fmt: skip


def policy_memory_of(document: Mapping[str, Value]) -> PolicyMemory:
    """The memory that `policy_memory_document` wrote. Raises ValueError for anything else."""
    if not document:
        return BLANK
    fields = Fields(document)
    return PolicyMemory(
        rules={name: rule_memory_of(part) for name, part in _parts(fields, "rules")},
        fields={name: _field_of(Fields(part)) for name, part in _parts(fields, "fields")},
    )


def _parts(fields: Fields, key: str) -> list[tuple[str, Mapping[str, Value]]]:
    parts = fields.part(key)
    return [(name, Fields(parts).part(name)) for name in parts]


def rule_memory_document(rule: RuleMemory) -> dict[str, Value]:
    """How a rule stands, as a document; an empty one for a rule that nothing has happened to."""
    return {} if rule is UNTOUCHED else lean({
        "phase": rule.phase.value if rule.phase is not Phase.IDLE else None,
        "streak": rule.streak or None,
        "since_us": us(rule.since),
        "entered_us": us(rule.entered_at),
        "fires_us": [us(instant) for instant in rule.fires] or None,
        "fired_us": us(rule.fired_at),
        "exhausted_us": us(rule.exhausted_at),
        "fired_for": None if rule.fired_for is None else scalar_value(rule.fired_for),
        "unknowns": rule.unknowns or None,
    })  # fmt: skip


def rule_memory_of(document: Mapping[str, Value]) -> RuleMemory:
    """The memory that `rule_memory_document` wrote. Raises ValueError for anything else."""
    if not document:
        return UNTOUCHED
    fields = Fields(document)
    return RuleMemory(
        phase=Phase(fields.text("phase", Phase.IDLE)),
        streak=fields.number("streak", 0),
        since=fields.instant_or_none("since_us"),
        entered_at=fields.instant_or_none("entered_us"),
        fires=fields.instants("fires_us"),
        fired_at=fields.instant_or_none("fired_us"),
        exhausted_at=fields.instant_or_none("exhausted_us"),
        fired_for=scalar_of(fields.document.get("fired_for")) if fields.document.get("fired_for") is not None else None,
        unknowns=fields.number("unknowns", 0),
    )


def _field_document(memory: FieldMemory) -> dict[str, Value]:
    return {
        "at_us": [us(instant) for instant, _ in memory.samples],
        "values": [scalar_value(value) for _, value in memory.samples],
    }


def _field_of(fields: Fields) -> FieldMemory:
    values = [scalar_of(value) for value in fields.items("values")]
    return FieldMemory(samples=tuple(zip(fields.instants("at_us"), values, strict=True)))


def scalar_value(scalar: Scalar) -> Value:
    """*scalar* for a document, which knows no fractions: a number as its shortest text, text behind a mark."""
    if isinstance(scalar, bool):
        return scalar
    return f"'{scalar}" if isinstance(scalar, str) else repr(scalar)


def scalar_of(value: Value) -> Scalar:
    """The scalar that `scalar_value` wrote. Raises ValueError for anything else."""
    match value:
        case bool():
            return value
        case str() if value.startswith("'"):
            return value[1:]
        case str():
            return float(value)
        case _:
            raise ValueError(f"not a scalar: {value!r}")
