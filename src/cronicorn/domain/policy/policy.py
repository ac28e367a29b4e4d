"""What a policy is: declared fields, and rules over them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

from cronicorn.domain.condition.condition import Condition
from cronicorn.domain.condition.kinds import FieldKind
from cronicorn.domain.instant import ZERO
from cronicorn.domain.policy.path import Path
from cronicorn.domain.policy.steps import Frame

FIELDS_MAX = 32
RULES_MAX = 32
WINDOW_MAX = 100
PAUSE_MAX = timedelta(hours=24)
"""No policy may pause for longer, whatever it says."""
PAUSE_MAX_DEFAULT = timedelta(hours=1)
HINT_CHANGES_DEFAULT = 120
"""So many times an hour the rules of an endpoint may write something new."""
FLIPS_DEFAULT = 24
"""So many times an hour rules may enter or leave; beyond that the endpoint is frozen at its baseline for an hour."""
LIMIT_MAX = 1_000
SIBLING_AGE_DEFAULT = timedelta(hours=1)
"""What a sibling said counts for so long unless the field says otherwise."""
ONE_SHOT_TTL = timedelta(minutes=30)
INTERVAL_TTL = timedelta(minutes=15)
TTL_MAX = timedelta(hours=4)
"""A hint of a rule outlives its last confirmation by at most this, or by three of its own intervals."""
AHEAD_MAX = timedelta(days=30)
"""A rule plans no run further ahead than this."""


class Origin(StrEnum):
    """Where a field's value comes from."""

    BODY = "body"
    """The endpoint's own answer."""
    HTTP = "http"
    """What HTTP says of that answer."""
    SIBLING = "sibling"
    """The last answer of another endpoint of the job."""
    RULE = "rule"
    """How another rule of the policy stands."""


class FieldType(StrEnum):
    """What a field holds."""

    NUMBER = "number"
    STRING = "string"
    BOOL = "bool"
    INSTANT = "instant"
    """RFC 3339 or HTTP-date text, or seconds or milliseconds since 1970; in conditions the seconds since 1970."""


class HttpFact(StrEnum):
    """What HTTP says of an answer."""

    STATUS = "status"
    LATENCY_MS = "latency_ms"
    FAILURES = "failures"
    """Failed slots in a row, this one included."""
    RETRY_AFTER = "retry_after"
    """Seconds that Retry-After asks for, 3,600 at most; unknown where it asks for none, or for the past."""
    OK = "ok"
    """Whether the answer was a success."""


class RuleFact(StrEnum):
    """How a rule stands."""

    ACTIVE = "active"
    ACTIVE_FOR = "active_for"
    """Seconds since it became active; 0 while it is not."""
    FIRES = "fires"
    """How often it fired in the time that its `max_fires` counts over, or in the last hour."""
    SINCE_FIRED = "since_fired"
    """Seconds since it last fired; unknown before that."""


class Aggregate(StrEnum):
    """What is made of a field's last values."""

    AVG = "avg"
    MIN = "min"
    MAX = "max"
    DELTA = "delta"
    """The last value less the first."""
    SLOPE_PER_MIN = "slope_per_min"
    """How much the value grows in a minute, by least squares."""
    COUNT_TRUE = "count_true"
    PREVIOUS = "previous"
    """The value before the last one."""
    CHANGED = "changed"
    """Whether the last value differs from the one before."""


_KINDS: Mapping[FieldType, FieldKind] = {
    FieldType.NUMBER: FieldKind.NUMBER,
    FieldType.INSTANT: FieldKind.NUMBER,
    FieldType.STRING: FieldKind.STRING,
    FieldType.BOOL: FieldKind.BOOL,
}
_DIFFERENCES = {Aggregate.DELTA, Aggregate.SLOPE_PER_MIN}
"""What is made of instants and is none."""
_NUMERIC = {Aggregate.AVG, Aggregate.MIN, Aggregate.MAX, Aggregate.DELTA, Aggregate.SLOPE_PER_MIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyField:
    """A declared value: where it comes from, and what it is."""

    name: str
    type: FieldType
    origin: Origin = Origin.BODY
    path: Path | None = None
    """Where in a body it stands; None when HTTP or a rule says it."""
    http: HttpFact | None = None
    sibling: str | None = None
    """The name of the endpoint whose answers it is read from."""
    rule: str | None = None
    fact: RuleFact | None = None
    enum: tuple[str, ...] = ()
    """The only values it is expected to have; none when any will do."""
    agg: Aggregate | None = None
    window: int = 1
    """How many values `agg` is made of."""
    age_max: timedelta | None = None
    """How long what a sibling said counts."""
    place: str = field(init=False, compare=False)
    """Where it is read from, for people: a JSON Pointer, or whose and what."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", self._place())

    def _place(self) -> str:
        inside = self.path.pointer if self.path is not None else f":{self.http or self.fact}"
        match self.origin:
            case Origin.BODY:
                return inside
            case Origin.HTTP:
                return f"http{inside}"
            case _:
                return f"{self.origin}:{self.sibling or self.rule}{inside}"

    @property
    def member(self) -> str | None:
        """The member of the answer's body that it is, as a number and no more than that; None for any other field."""
        plain = self.type is FieldType.NUMBER and self.origin is Origin.BODY and self.agg is None and not self.enum
        return self.path.key if plain and self.path is not None else None

    @property
    def kind(self) -> FieldKind:
        """What conditions see."""
        if self.agg in _NUMERIC or self.agg is Aggregate.COUNT_TRUE:
            return FieldKind.NUMBER
        return FieldKind.BOOL if self.agg is Aggregate.CHANGED else _KINDS[self.type]


def type_of_fact(fact: HttpFact | RuleFact) -> FieldType:
    """What a fact of HTTP or of a rule is."""
    return FieldType.BOOL if fact in {HttpFact.OK, RuleFact.ACTIVE} else FieldType.NUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A length of time or an instant, fixed or read from a field."""

    length: timedelta | None = None
    at: datetime | None = None
    field: str | None = None
    """A number of seconds, or an instant where the field is one."""
    times: float = 1.0
    """What a number read from the field is multiplied by."""
    default: timedelta | None = None
    """What counts while the field is unknown; without it nothing is done then."""
    least: timedelta | None = None
    most: timedelta | None = None


class ActionKind(StrEnum):
    """What a rule does."""

    INTERVAL = "interval"
    RUN_ONCE = "run_once"
    PAUSE = "pause"
    DEFER = "defer"
    WAKE = "wake"
    """Lift the pauses that rules, signals and models wrote on a sibling, and run it at once."""


NOW = Amount(length=ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a rule does, to its own endpoint or to a sibling."""

    kind: ActionKind
    amount: Amount = NOW
    ttl: timedelta | None = None
    on: str | None = None
    """The name of the sibling that it is done to; None is the endpoint itself."""
    renew: bool = True
    """Whether an interval is confirmed by every answer while the rule is active; else its `ttl` bounds it in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How often, and for how long, a condition has to hold in a row."""

    count: int = 1
    duration: timedelta = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class FireLimit:
    """How often a rule may act, and what it does instead when it may not."""

    count: int
    per: timedelta
    then: Action | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When something holds, do something until it no longer does."""

    id: str
    when: Condition
    until: Condition
    """By default what `when` is not."""
    action: Action
    why: str | None = None
    confirm: Confirmation = field(default=Confirmation())
    """What `for` says."""
    probe: timedelta | None = None
    """How often to look while `when` is being confirmed."""
    probing: bool = True
    """Whether to probe at all; without `probe` the length is chosen from the action and the baseline."""
    confirm_end: Confirmation = field(default=Confirmation())
    """What `until_for` says."""
    hold: timedelta = ZERO
    """A rule stays active at least so long."""
    cooldown: timedelta | None = None
    """An action that happens once is done again after so long while the rule is active, and not sooner in any case."""
    max_fires: FireLimit | None = None
    once_per: str | None = None
    """A field: the rule acts once for each of its values."""
    priority: int = 0

    @property
    def reads(self) -> frozenset[str]:
        """The fields that decide when it is evaluated."""
        return self.when.fields | self.until.fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What the author of a policy expects: some values, given so many times in a row, and what follows."""

    given: Mapping[str, str | float | bool]
    times: int
    interval: timedelta | None = None
    """The interval expected in the end; None with no `action` expects the baseline."""
    action: ActionKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The fields and rules of one endpoint."""

    fields: tuple[PolicyField, ...] = ()
    rules: tuple[Rule, ...] = ()
    description: str | None = None
    pause_max: timedelta = PAUSE_MAX_DEFAULT
    hint_changes_max: int = HINT_CHANGES_DEFAULT
    flips_max: int = FLIPS_DEFAULT
    unsupported: tuple[str, ...] = ()
    """What its description asks for and no rule can say."""
    examples: tuple[Example, ...] = ()
    instants: frozenset[str] = field(init=False, compare=False)
    """The names of the fields that hold an instant, as seconds since 1970."""
    siblings: frozenset[str] = field(init=False)
    """The names of the endpoints whose answers it reads."""
    own_rules: tuple[Rule, ...] = field(init=False, compare=False)
    """The rules that the endpoint's own answers concern."""
    numbers: tuple[tuple[str, str], ...] = field(init=False, compare=False)
    """The names of the fields that are just a number in the body, as most are, and the `member` it stands in.
    None where siblings are read: what fields were is remembered there."""
    fields_of_answers: tuple[PolicyField, ...] = field(init=False, compare=False)
    """The others that answers say."""
    fields_of_rules: tuple[PolicyField, ...] = field(init=False, compare=False)
    frame: Frame = field(init=False, compare=False)
    """Within which its own answers are judged."""

    def __post_init__(self) -> None:
        siblings = {each.sibling for each in self.fields if each.sibling is not None}
        foreign = {each.name for each in self.fields if each.origin is Origin.SIBLING}
        own = tuple(rule for rule in self.rules if not rule.reads or rule.reads - foreign)
        instants = (
            each.name for each in self.fields if each.type is FieldType.INSTANT and each.agg not in _DIFFERENCES
        )
        object.__setattr__(self, "instants", frozenset(instants))
        object.__setattr__(self, "siblings", frozenset(siblings))
        object.__setattr__(self, "own_rules", own)
        of_rules = tuple(each for each in self.fields if each.origin is Origin.RULE)
        object.__setattr__(self, "fields_of_rules", of_rules)
        object.__setattr__(self, "frame", self._frame(own))
        numbers = {each.name: each.member for each in self.fields if each.member is not None and not siblings}
        object.__setattr__(self, "numbers", tuple(numbers.items()))
        of_answers = (each for each in self.fields if each not in of_rules and each.name not in numbers)
        object.__setattr__(self, "fields_of_answers", tuple(of_answers))

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that another set of rules and fields does not have."""
        return self.frame.policy

    def _frame(self, rules: tuple[Rule, ...]) -> Frame:
        names, places = (tuple(each.name for each in self.fields), tuple(each.place for each in self.fields))
        return Frame(names, places, tuple(rule.id for rule in rules), self._digest())

    def _digest(self) -> str:
        read = [f"{each.name} {each.place} {each.type} {each.agg} {each.window}" for each in self.fields]
        ruled = [f"{rule.id}\x1f{rule.when.text}\x1f{rule.until.text}" for rule in self.rules]
        return blake2b("\x1e".join([*read, *ruled]).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()

    def orders(self) -> Iterator[tuple[str, str]]:
        """The name of each sibling that a rule steers, and the JSON Pointer of the action that does."""
        for number, rule in enumerate(self.rules):
            then = rule.max_fires.then if rule.max_fires is not None else None
            for place, action in (("action", rule.action), ("max_fires/then", then)):
                if action is not None and action.on is not None:
                    yield action.on, f"/rules/{number}/{place}"

    def rules_about(self, sibling: str) -> tuple[Rule, ...]:
        """The rules that an answer of *sibling* concerns."""
        theirs = {each.name for each in self.fields if each.sibling == sibling}
        return tuple(rule for rule in self.rules if rule.reads & theirs)
