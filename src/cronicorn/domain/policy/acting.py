"""What a rule does when it comes into force, while it is, and when it ends: hints, and orders to siblings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.governor import PROBE
from cronicorn.domain.hint import REASON_MAX, Author, Hint, HintKind, hint_id
from cronicorn.domain.instant import INTERVAL_LEAST, ZERO, instant_of, scaled, shifted
from cronicorn.domain.policy.memory import FIRES_KEPT, Phase, RuleMemory
from cronicorn.domain.policy.policy import (
    AHEAD_MAX,
    INTERVAL_TTL,
    ONE_SHOT_TTL,
    TTL_MAX,
    Action,
    ActionKind,
    Amount,
    Policy,
    Rule,
)

PROBE_SHARE = 4
"""A condition that is being confirmed is looked at so many times as often as the baseline, unless the rule says."""
_ALIVE_FOR = 3
"""An interval that no answer confirms any more lapses after so many of itself."""
_COUNTED_OVER = timedelta(hours=1)
"""How long back the times that a rule acted are kept where no limit says otherwise."""
_MICROSECONDS = 1_000_000


class Setting(NamedTuple):
    """Where rules act: the endpoint and its cadence."""

    endpoint_id: str
    policy: Policy
    now: datetime
    base: timedelta | None
    """The interval of its baseline; None where it has none."""
    interval_min: timedelta | None
    interval_max: timedelta | None


@dataclass(frozen=True, slots=True)
class Order:
    """What a rule wants of a sibling."""

    sibling: str
    hint: Hint
    wakes: bool = False
    """Whether the pauses of rules, signals and models are lifted as well."""


@dataclass(slots=True)
class Stage:
    """Where the rules act on one answer, what they know of it, and what they do, gathered."""

    setting: Setting
    values: dict[str, Scalar]
    hints: list[Hint] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    """Ids of hints that end now."""
    orders: list[Order] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """What the rule at hand did, in single words."""

    def done(self) -> tuple[str, ...]:
        """What the rule at hand did; the next one begins anew."""
        did = tuple(self.said)
        self.said.clear()
        return did


def acted(rule: Rule, before: RuleMemory, after: RuleMemory, stage: Stage) -> RuleMemory:
    """Do what *rule* does now that it has moved from *before* to *after*; how it stands then."""
    if after.phase is Phase.PENDING:
        _probe(rule, stage)
        return after
    if before.phase is Phase.PENDING or (before.phase.acting and not after.phase.acting):
        stage.ended |= _lasting_ids(rule)
    if not after.phase.acting:
        return after
    entered = not before.phase.acting
    if rule.action.kind is ActionKind.INTERVAL and not entered:
        if rule.action.renew and _has_fired(after):
            _do(rule, rule.action, stage)
        return after
    if not entered and not _again(rule, after, stage.setting.now):
        return after
    return _fire(rule, after, stage)


def _again(rule: Rule, memory: RuleMemory, now: datetime) -> bool:
    """Whether a rule that is in force acts once more. One that has not been able to act yet tries with each answer."""
    if rule.once_per is not None:
        return True  # The value may be another one by now.
    if not _has_fired(memory):
        return memory.exhausted_at is None or rule.cooldown is not None
    return rule.cooldown is not None and memory.fired_at is not None and now - memory.fired_at >= rule.cooldown


def _has_fired(memory: RuleMemory) -> bool:
    """Whether the rule has acted since it came into force."""
    return memory.fired_at is not None and memory.entered_at is not None and memory.fired_at >= memory.entered_at


def _fire(rule: Rule, memory: RuleMemory, stage: Stage) -> RuleMemory:
    """Act, unless the cooldown, the limit or the value that it acts once for says no."""
    now, limit = stage.setting.now, rule.max_fires
    once = rule.action.kind is not ActionKind.INTERVAL
    if once and rule.cooldown is not None and memory.fired_at is not None and now - memory.fired_at < rule.cooldown:
        stage.said.append("cooling-down")
        return memory
    value = stage.values.get(rule.once_per) if rule.once_per is not None else None
    if rule.once_per is not None and (value is None or value == memory.fired_for):
        stage.said.append("done-for-this-value")
        return memory
    fires = recent(memory.fires, now, limit.per if limit is not None else _COUNTED_OVER)
    if limit is not None and len(fires) >= limit.count:
        stage.said.append("limit-reached")
        if memory.exhausted_at is None and limit.then is not None:
            _do(rule, limit.then, stage)
        return replace(memory, fires=fires, exhausted_at=memory.exhausted_at or now)
    if not _do(rule, rule.action, stage):
        return memory
    return replace(
        memory, fires=(*fires, now)[-FIRES_KEPT:], fired_at=now, exhausted_at=None,
        fired_for=value if rule.once_per is not None else None,
    )  # fmt: skip


def recent(instants: tuple[datetime, ...], now: datetime, within: timedelta) -> tuple[datetime, ...]:
    """Those of *instants* that lie *within* so long before *now*."""
    return tuple(instant for instant in instants if now - instant < within)


def _do(rule: Rule, action: Action, stage: Stage) -> bool:
    """Write the hint of *action*; whether there was one to write."""
    hint = _hint(rule, action, stage)
    if isinstance(hint, str):
        stage.said.append(hint)
        return False
    stage.said.append(action.kind.value if action.on is None else f"{action.kind.value}:{action.on}")
    if action.on is None:
        stage.hints.append(hint)
    else:
        key = f"{stage.setting.endpoint_id}/{rule.id}"
        stage.orders.append(Order(action.on, replace(hint, key=key), wakes=action.kind is ActionKind.WAKE))
    return True


def _hint(rule: Rule, action: Action, stage: Stage) -> Hint | str:
    """What *action* writes, or the word that says why it writes nothing."""
    setting, now = stage.setting, stage.setting.now
    reason = (rule.why or f"Rule {rule.id}: {rule.when.text}")[:REASON_MAX]
    if action.kind is ActionKind.INTERVAL:
        every = _length(action.amount, stage.values)
        if every is None:
            return "amount-unknown"
        return _interval_hint(rule, action, max(every, INTERVAL_LEAST), reason=reason, now=now)
    at = _instant(action.amount, stage)
    if at is None:
        return "amount-unknown"
    if action.kind is ActionKind.PAUSE:
        return _pause_hint(rule, min(at, shifted(now, setting.policy.pause_max)), now, reason)
    at = min(max(at, now), shifted(now, AHEAD_MAX))
    defers = action.kind is ActionKind.DEFER
    return Hint(
        kind=HintKind.DEFER if defers else HintKind.ONE_SHOT, author=Author.RULE, written_at=now, at=at,
        expires_at=at if defers else shifted(at, min(action.ttl or ONE_SHOT_TTL, TTL_MAX)), reason=reason,
        priority=rule.priority, key=rule.id,
    )  # fmt: skip


def _interval_hint(rule: Rule, action: Action, every: timedelta, *, reason: str, now: datetime) -> Hint:
    alive = scaled(every, _ALIVE_FOR)
    ttl = max(min(action.ttl or INTERVAL_TTL, TTL_MAX), alive) if action.renew else (action.ttl or INTERVAL_TTL)
    return Hint(
        kind=HintKind.INTERVAL, author=Author.RULE, written_at=now, expires_at=shifted(now, ttl), interval=every,
        reason=reason, priority=rule.priority, key=rule.id,
    )  # fmt: skip


def _pause_hint(rule: Rule, until: datetime, now: datetime, reason: str) -> Hint | str:
    if until <= now:
        return "already-over"
    return Hint(
        kind=HintKind.PAUSE, author=Author.RULE, written_at=now, at=until, expires_at=until, reason=reason,
        priority=rule.priority, key=rule.id,
    )  # fmt: skip


def _probe(rule: Rule, stage: Stage) -> None:
    """Look soon, to confirm or to dismiss what the condition seems to say."""
    every = probe_of(rule, stage.setting)
    if every is None:
        return
    now = stage.setting.now
    stage.said.append("probe")
    reason = f"Rule {rule.id} is being confirmed: {rule.when.text}"[:REASON_MAX]
    stage.hints.append(
        Hint(
            kind=HintKind.INTERVAL,
            author=Author.RULE,
            written_at=now,
            expires_at=shifted(now, every * _ALIVE_FOR),
            interval=every,
            reason=reason,
            priority=rule.priority,
            key=f"{PROBE}{rule.id}",
        )
    )


def probe_of(rule: Rule, setting: Setting) -> timedelta | None:
    """How often to look while *rule* is being confirmed; None when the usual cadence does.

    Without a length of its own: as often as the rule would have it, at least four times as often as the baseline; a
    rule that would slow the endpoint down is confirmed at leisure.
    """
    if not rule.probing or rule.probe is not None:
        return rule.probe
    every = rule.action.amount.length if rule.action.kind is ActionKind.INTERVAL else None
    if every is not None and setting.base is not None and every > setting.base:
        return None
    lengths = [length for length in (every, setting.base and setting.base / PROBE_SHARE) if length is not None]
    return max(min(lengths), INTERVAL_LEAST) if lengths else None


def _length(amount: Amount, values: Mapping[str, Scalar]) -> timedelta | None:
    if amount.field is None:
        return amount.length
    value = values.get(amount.field)
    length = amount.default
    if isinstance(value, int | float) and not isinstance(value, bool):
        length = _seconds(value * amount.times)
    return None if length is None else _bounded(length, amount)


def _instant(amount: Amount, stage: Stage) -> datetime | None:
    setting, values = stage.setting, stage.values
    if amount.at is not None:
        return amount.at
    value = values.get(amount.field) if amount.field is not None else None
    if isinstance(value, float) and amount.field in setting.policy.instants:
        at = _since_1970(value)
        if at is not None:
            return shifted(setting.now, _bounded(at - setting.now, amount))
    length = _length(amount, {} if amount.field in setting.policy.instants else values)
    return None if length is None else shifted(setting.now, length)


def _bounded(length: timedelta, amount: Amount) -> timedelta:
    if amount.least is not None:
        length = max(length, amount.least)
    return length if amount.most is None else min(length, amount.most)


def _seconds(number: float) -> timedelta | None:
    """So many seconds, within what a rule may plan ahead; None for what is no number."""
    if number != number:  # noqa: PLR0124 - not a number
        return None
    return min(max(timedelta(seconds=min(max(number, -1e9), 1e9)), ZERO), AHEAD_MAX)


def _since_1970(number: float) -> datetime | None:
    try:
        return instant_of(round(number * _MICROSECONDS))
    except (OverflowError, ValueError):
        return None


def _lasting_ids(rule: Rule) -> set[str]:
    """The ids of what ends with the rule: a run that it asked for still comes."""
    kinds = (HintKind.INTERVAL, HintKind.PAUSE, HintKind.DEFER)
    return {
        hint_id(Author.RULE, HintKind.INTERVAL, f"{PROBE}{rule.id}"),
        *(hint_id(Author.RULE, kind, rule.id) for kind in kinds),
    }
