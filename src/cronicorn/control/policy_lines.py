"""A policy, and what became of its tests, as lines for people."""

from collections.abc import Iterator
from datetime import timedelta

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.condition.wording import in_words
from cronicorn.domain.durations import show_duration
from cronicorn.domain.instant import EPOCH, ZERO
from cronicorn.domain.policy.acting import probe_of
from cronicorn.domain.policy.policy import (
    INTERVAL_TTL,
    Action,
    ActionKind,
    Amount,
    Confirmation,
    Policy,
    Rule,
)
from cronicorn.domain.trying import Cadence, Tried


def policy_in_words(policy: Policy, cadence: Cadence) -> list[str]:
    """*policy* in plain English, on an endpoint of that *cadence*, with what it leaves out."""
    lines = [line for rule in policy.rules for line in rule_lines(policy, rule, cadence)]
    return [*lines, *(f"no rule says: {words}" for words in policy.unsupported)]


def rule_lines(policy: Policy, rule: Rule, cadence: Cadence) -> Iterator[str]:
    """*rule* of *policy* in plain English, on an endpoint of that *cadence*."""
    priority = f" (priority {rule.priority})" if rule.priority else ""
    yield f"rule {rule.id}{priority}" + (f": {rule.why}" if rule.why else "")
    yield f"  when   {in_words(rule.when)}{_confirmed(rule.confirm)}{_probed(policy, rule, cadence)}"
    yield f"  do     {_action(policy, rule.action)}{_within(rule.action, cadence)}{_again(policy, rule)}"
    held = f"; and {show_duration(rule.hold)} have passed" if rule.hold > ZERO else ""
    ends = "that no longer holds" if rule.until == rule.when.negated() else in_words(rule.until)
    yield f"  until  {ends}{_confirmed(rule.confirm_end)}{held}"


def line_of_test(number: int, tried: Tried) -> str:
    """What became of the test *number*."""
    example = tried.example
    given = ", ".join(f"{name} = {_scalar(value)}" for name, value in example.given.items()) or "nothing"
    times = "once" if example.times == 1 else f"{example.times} times"
    line = f"test {number}  {'held' if tried.held else 'FAILED'}  {given}, {times}: {_expected(tried)}"
    return line if tried.held else f"{line}; but {_came(tried)}"


def cadence_in_words(cadence: Cadence) -> str:
    """How an endpoint is called that nothing steers."""
    parts = [f"called every {show_duration(cadence.every)}" if cadence.every is not None else "without an interval"]
    limits = {"minimum": cadence.interval_min, "maximum": cadence.interval_max}
    return ", ".join(
        [*parts, *(f"{name} {show_duration(length)}" for name, length in limits.items() if length is not None)]
    )


def _confirmed(confirmation: Confirmation) -> str:
    parts = []
    if confirmation.count > 1:
        parts.append(f"{confirmation.count} answers in a row")
    if confirmation.duration > ZERO:
        parts.append(f"for {show_duration(confirmation.duration)}")
    return f"; {' and '.join(parts)}" if parts else ""


def _probed(policy: Policy, rule: Rule, cadence: Cadence) -> str:
    if rule.confirm == Confirmation():
        return ""
    every = probe_of(rule, cadence.setting(policy, EPOCH))
    return f"; meanwhile called every {show_duration(every)}" if every is not None else ""


def _action(policy: Policy, action: Action) -> str:
    on = action.on
    match action.kind:
        case ActionKind.INTERVAL:
            said = f"call {on or 'it'} every {_length(action.amount)}"
            if not action.renew:
                return f"{said}, for {show_duration(action.ttl or INTERVAL_TTL)} in all"
            return said + (f", until {show_duration(action.ttl)} after an answer last said so" if action.ttl else "")
        case ActionKind.RUN_ONCE:
            return f"run {on or 'it'} once, {_moment(policy, action.amount, 'in')}"
        case ActionKind.PAUSE:
            return f"pause {on or 'it'} {_moment(policy, action.amount, 'for')}"
        case ActionKind.DEFER:
            return f"do not call {on or 'it'} {_moment(policy, action.amount, 'for')}"
        case ActionKind.WAKE:
            return f"wake {on}: lift its pauses, but for those of people, and run it now"


def _within(action: Action, cadence: Cadence) -> str:
    """What the guardrails of the endpoint make of *action* there."""
    length, least, most = action.amount.length, cadence.interval_min, cadence.interval_max
    if action.on is not None or length is None:
        return ""
    if action.kind is ActionKind.INTERVAL and least is not None and length < least:
        return f" (its minimum makes that {show_duration(least)})"
    if action.kind is ActionKind.INTERVAL and most is not None and length > most:
        return f" (its maximum makes that {show_duration(most)})"
    if action.kind is ActionKind.PAUSE and most is not None and length > most:
        return f" (looked at every {show_duration(most)}, its maximum)"
    return ""


def _again(policy: Policy, rule: Rule) -> str:
    said = ""
    if rule.once_per is not None:
        said += f"; once for each value of {rule.once_per}"
    if rule.cooldown is not None:
        said += f"; again after {show_duration(rule.cooldown)}, not sooner"
    if rule.max_fires is not None:
        limit = rule.max_fires
        said += f"; at most {'once' if limit.count == 1 else f'{limit.count} times'} in {show_duration(limit.per)}"
        said += f", then {_action(policy, limit.then)}" if limit.then is not None else ""
    return said


def _moment(policy: Policy, amount: Amount, word: str) -> str:
    """A time to come: *word* goes before a length, and says whether an instant is the one or the end."""
    ends = "at" if word == "in" else "until"
    if amount.at is not None:
        return f"{ends} {amount.at:%Y-%m-%d %H:%M:%S}Z"
    if amount.field is None and not amount.length:
        return "now"
    if amount.field in policy.instants:
        return f"{ends} the instant {amount.field}{_bounds(amount)}"
    return f"{word} {_length(amount)}"


def _length(amount: Amount) -> str:
    if amount.field is None:
        return show_duration(amount.length or ZERO)
    times = "" if amount.times == 1.0 else f" × {amount.times:g}"
    return f"{amount.field}{times} seconds{_bounds(amount)}"


def _bounds(amount: Amount) -> str:
    said = {"at least": amount.least, "at most": amount.most, "where unknown": amount.default}
    parts = [f"{words} {show_duration(length)}" for words, length in said.items() if length is not None]
    return f" ({', '.join(parts)})" if parts else ""


def _expected(tried: Tried) -> str:
    example = tried.example
    parts = [example.action.value] if example.action is not None else []
    if example.interval is not None:
        parts.append(f"every {show_duration(example.interval)}")
    return " and ".join(parts) or "at the baseline"


def _came(tried: Tried) -> str:
    if tried.unread:
        return f"{', '.join(tried.unread)} can't be given so"
    return f"{_every(tried.interval)}, having done {', '.join(tried.did) or 'nothing'}"


def _every(interval: timedelta | None) -> str:
    return "nothing is planned" if interval is None else f"it is called every {show_duration(interval)}"


def _scalar(value: Scalar) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return repr(value)
        case _:
            return f"{value:g}"
