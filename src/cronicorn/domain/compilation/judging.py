"""Judging a draft: each validator in its turn, with what is wrong, where, and how to mend it. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice

from cronicorn.domain.compilation.answer_profile import AnswerProfile
from cronicorn.domain.compilation.draft import Figures, Finding, FindingCheck, Severity
from cronicorn.domain.compilation.meeting import meeting_of
from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.durations import show_duration
from cronicorn.domain.endpoint import BaselineKind, JobEndpoint
from cronicorn.domain.json_pointer import json_pointer
from cronicorn.domain.policy.document_part import PolicyError, PolicyProblem
from cronicorn.domain.policy.policy import (
    PAUSE_MAX_DEFAULT,
    Action,
    ActionKind,
    FieldType,
    Origin,
    Policy,
    PolicyField,
    Rule,
)
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.policy.undeclared import undeclared_texts
from cronicorn.domain.replay.replayed import Replayed
from cronicorn.domain.trying import Cadence, Tried, tried
from cronicorn.domain.untrusted.cleaning import cleaned, invisible_in

FLIPS_AN_HOUR_MAX = 4.0
"""A draft whose rules would have come and gone more often on the record is refused; those in force are told of."""
_INVISIBLE_TOLD_MAX = 10
_TOLD_OF_TEXT = 80
_READ_AS: Mapping[FieldType, frozenset[str]] = {
    FieldType.NUMBER: frozenset({"number"}),
    FieldType.BOOL: frozenset({"bool"}),
    FieldType.STRING: frozenset({"string"}),
    FieldType.INSTANT: frozenset({"string", "number"}),
}
"""What the answers must hold for a field of a type to have a value."""


def read_draft(document: Mapping[str, object]) -> tuple[Policy | None, tuple[Finding, ...]]:
    """The policy that a model wrote; None, with what is wrong, when it is none. Conditions are type-checked here.

    Texts with characters that nobody sees are refused: a reviewer would not know what is accepted.
    """
    written = {key: value for key, value in document.items() if key != "description"}  # That is the owner's.
    if unseen := tuple(islice(_invisible(written, ()), _INVISIBLE_TOLD_MAX)):
        return None, unseen
    try:
        return policy_of(document), ()
    except PolicyError as error:
        return None, tuple(_of_problem(FindingCheck.SCHEMA, Severity.ERROR, problem) for problem in error.problems)


def _invisible(value: object, steps: tuple[str | int, ...]) -> Iterator[Finding]:
    """A finding for each text in *value* that holds an invisible character."""
    match value:
        case str() if (character := invisible_in(value)) is not None:
            message = f"This text holds {character}, which nobody sees: write {cleaned(value[:_TOLD_OF_TEXT])!r}."
            yield _finding(FindingCheck.SCHEMA, Severity.ERROR, json_pointer(steps), message)
        case Mapping():
            for name, child in value.items():
                yield from _invisible(str(name), (*steps, str(name)))
                yield from _invisible(child, (*steps, str(name)))
        case list() | tuple():
            for number, child in enumerate(value):
                yield from _invisible(child, (*steps, number))
        case _:
            return


def cadence_of(endpoint: JobEndpoint) -> Cadence:
    """How often *endpoint* is called when nothing steers it."""
    baseline = endpoint.baseline
    every = baseline.length if baseline.kind is BaselineKind.INTERVAL else None
    return Cadence(every=every, interval_min=endpoint.interval_min, interval_max=endpoint.interval_max)


def judged(
    policy: Policy, endpoint: JobEndpoint, profile: AnswerProfile, siblings: Sequence[str]
) -> tuple[Finding, ...]:
    """What can be said of *policy* as the policy of *endpoint*, before it is tried on the record."""
    return (
        *_unseen(policy, profile, siblings),
        *(_of_problem(FindingCheck.FIELDS, Severity.ERROR, problem) for problem in undeclared_texts(policy)),
        *_out_of_limits(policy, endpoint, siblings),
        *_ends(policy),
        *_failing_tests(policy, endpoint),
    )


def backtested(figures: Figures) -> tuple[Finding, ...]:
    """What the record says against a draft."""
    flips = figures.flips_an_hour
    if flips is not None and flips > FLIPS_AN_HOUR_MAX:
        message = (
            f"On the recorded answers the rules would come and go {flips:.1f} times an hour; at most "
            f"{FLIPS_AN_HOUR_MAX:.0f} are accepted. Give `until` a threshold of its own, further from that of `when`, "
            "or confirm with `for` and `until_for`."
        )
        return (_finding(FindingCheck.BACKTEST, Severity.ERROR, "/rules", message),)
    if figures.calls_a_day_new is None:
        message = (
            "How often this would call the endpoint is not known: that takes an hour of recorded answers, and there is "
            "less. Look at it more closely, or make the draft again later."
        )
        return (_finding(FindingCheck.BACKTEST, Severity.WARNING, "", message),)
    return ()


def figures_of(replayed: Replayed) -> Figures:
    """The figures of a replay."""
    told = [each for each in replayed.episodes if each.old is not None and each.new is not None]
    later = [each for each in told if each.old is not None and each.new is not None and each.new.low > each.old.high]
    return Figures(
        recorded=replayed.recorded, calls_a_day_old=replayed.old.calls_a_day, calls_a_day_new=replayed.new.calls_a_day,
        flips_an_hour=replayed.new.flips_an_hour, later_share=round(len(later) / len(told), 3) if told else None,
        conclusion=replayed.because,
    )  # fmt: skip


def _unseen(policy: Policy, profile: AnswerProfile, siblings: Sequence[str]) -> Iterator[Finding]:
    for field in policy.fields:
        pointer = json_pointer(["fields", field.name])
        if field.origin is Origin.SIBLING:
            if field.sibling not in siblings:
                message = _no_such(
                    field.sibling, siblings, "take the field out and say in `unsupported` what it is for"
                )
                yield _finding(FindingCheck.FIELDS, Severity.ERROR, pointer, message)
            else:
                message = (
                    f"Unverified: whether {field.sibling} answers such a {field.type} is not known, since answers of "
                    "other endpoints are not looked at here. Compare it with a run of that one."
                )
                yield _finding(FindingCheck.FIELDS, Severity.WARNING, pointer, message)
        elif field.origin is Origin.BODY and field.path is not None:
            yield from _unseen_in_answers(field, pointer, profile)


def _unseen_in_answers(field: PolicyField, pointer: str, profile: AnswerProfile) -> Iterator[Finding]:
    assert field.path is not None
    place = profile.place(field.path.steps)
    if place is None:
        message = (
            f"Unverified: no recorded answer has anything at {field.path.text}, where a {field.type} is expected. "
            "Until one has, conditions over it decide nothing. Check the path."
        )
        yield _finding(FindingCheck.FIELDS, Severity.WARNING, pointer, message)
        return
    if not _READ_AS[field.type] & set(place.types) and set(place.types) != {"null"}:
        held = " or ".join(place.types)
        message = (
            f"Declared as {field.type}, but the recorded answers hold {held} at {field.path.text}. Declare the type "
            f"that they have, and compare with values of that type."
        )
        yield _finding(FindingCheck.FIELDS, Severity.ERROR, pointer, message)
    if strange := [word for word in field.enum if place.words and word not in place.words]:
        message = (
            f"Unverified: the recorded answers never held {_listed(strange)} at {field.path.text}, only "
            f"{_listed(place.words)}. Check the spelling."
        )
        yield _finding(FindingCheck.FIELDS, Severity.WARNING, pointer, message)


def _out_of_limits(policy: Policy, endpoint: JobEndpoint, siblings: Sequence[str]) -> Iterator[Finding]:
    for number, rule in enumerate(policy.rules):
        then = rule.max_fires.then if rule.max_fires is not None else None
        for place, action in (("action", rule.action), ("max_fires/then", then)):
            if action is not None:
                yield from _action_out_of_limits(action, f"/rules/{number}/{place}", endpoint, siblings)
    if policy.pause_max > PAUSE_MAX_DEFAULT:
        most = show_duration(PAUSE_MAX_DEFAULT)
        message = (
            f"Pauses may last up to {show_duration(policy.pause_max)}, and {most} is usual. Keep that only if the "
            "description says so; otherwise leave `limits.pause_max` out."
        )
        yield _finding(FindingCheck.LIMITS, Severity.WARNING, "/limits/pause_max", message)


def _action_out_of_limits(
    action: Action, pointer: str, endpoint: JobEndpoint, siblings: Sequence[str]
) -> Iterator[Finding]:
    if action.on is not None and action.on not in siblings:
        message = _no_such(action.on, siblings, "take the rule out and say in `unsupported` what it is for")
        yield _finding(FindingCheck.LIMITS, Severity.ERROR, pointer, message)
    if action.kind is not ActionKind.INTERVAL or action.on is not None:
        return
    for length in (action.amount.length, action.amount.least, action.amount.most, action.amount.default):
        if length is not None and (bound := _broken_bound(length, endpoint)) is not None:
            message = f"Every {show_duration(length)} is {bound} of the endpoint. Give that at the utmost."
            yield _finding(FindingCheck.LIMITS, Severity.ERROR, f"{pointer}/interval", message)


def _broken_bound(length: timedelta, endpoint: JobEndpoint) -> str | None:
    if endpoint.interval_min is not None and length < endpoint.interval_min:
        return f"below the minimum interval, {show_duration(endpoint.interval_min)},"
    if endpoint.interval_max is not None and length > endpoint.interval_max:
        return f"above the maximum interval, {show_duration(endpoint.interval_max)},"
    return None


def _ends(policy: Policy) -> Iterator[Finding]:
    """Rules that can't begin, can't end, or end for what begins them."""
    for number, rule in enumerate(policy.rules):
        met = meeting_of(rule, policy)
        if met.both is not None:
            values = ", ".join(f"{name} = {_shown(value)}" for name, value in met.both.items())
            message = (
                f"`when` and `until` both hold for {values}, so the rule would come and go. Change `until` so that it "
                f"does not hold where `when` does; they are {rule.when.text} and {rule.until.text}."
            )
            yield _finding(FindingCheck.ENDS, Severity.ERROR, f"/rules/{number}/until", message)
        elif not met.whole:
            message = (
                "Unverified: these conditions have more combinations of values than are tried, so whether `when` and "
                "`until` can both hold is not known. Compare them, or split the rule."
            )
            yield _finding(FindingCheck.ENDS, Severity.WARNING, f"/rules/{number}/until", message)
        elif not met.when:
            message = (
                f"`when` never holds, whatever the answers say: {rule.when.text}. Mend what contradicts itself in it, "
                "or take the rule out."
            )
            yield _finding(FindingCheck.ENDS, Severity.ERROR, f"/rules/{number}/when", message)
        elif not met.until:
            yield _never_ends(rule, number)


def _never_ends(rule: Rule, number: int) -> Finding:
    message = (
        f"`until` never holds, whatever the answers say: {rule.until.text}. So nothing leads back to the baseline. "
        "Mend what contradicts itself in it, or leave it out: then the rule ends when `when` no longer holds."
    )
    return _finding(FindingCheck.ENDS, Severity.ERROR, f"/rules/{number}/until", message)


def _failing_tests(policy: Policy, endpoint: JobEndpoint) -> Iterator[Finding]:
    if policy.rules and not policy.examples:
        message = (
            "There are rules and no tests. Give one test at least in which a rule acts, and one that expects "
            '{"interval": "baseline"}.'
        )
        yield _finding(FindingCheck.TESTS, Severity.ERROR, "/tests", message)
    for number, result in enumerate(tried(policy, cadence_of(endpoint))):
        if not result.held:
            yield _finding(FindingCheck.TESTS, Severity.ERROR, f"/tests/{number}", _failed(result))


def _failed(result: Tried) -> str:
    if result.unread:
        return (
            f"This test gives values that can't be read, of {_listed(result.unread)}. Give only declared fields, "
            "values of their types, and none of how a rule stands."
        )
    example = result.example
    wanted = [f"the rules {example.action.value}"] if example.action is not None else []
    if example.interval is not None or example.action is None:
        wanted.append(f"the interval is {_every(example.interval, 'the baseline')} in the end")
    given = ", ".join(f"{name} = {_shown(value)}" for name, value in example.given.items())
    times = f"{example.times} times in a row" if example.times > 1 else "once"
    did = f"the rules did: {_listed(result.did)}" if result.did else "no rule acted"
    return (
        f"After {given or 'an answer without these fields'}, {times}, this test expects that {' and '.join(wanted)}; "
        f"but {did}; the interval is {_every(result.interval, 'none')}. Mend the rule if the test says what the "
        "description does, else the test."
    )


def _shown(value: Scalar) -> str:
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _every(interval: timedelta | None, nothing: str) -> str:
    return nothing if interval is None else show_duration(interval)


def _no_such(name: str | None, siblings: Sequence[str], otherwise: str) -> str:
    """That the job has no endpoint of that *name*; what to do *otherwise* than to name another."""
    named = f"It has {_listed(siblings)}: name one of these, or" if siblings else "It has no other endpoint:"
    return f"The job has no other endpoint called {name}. {named} {otherwise}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _of_problem(check: FindingCheck, severity: Severity, problem: PolicyProblem) -> Finding:
    return _finding(check, severity, problem.pointer, problem.problem)


def _finding(check: FindingCheck, severity: Severity, pointer: str, message: str) -> Finding:
    return Finding(check=check, severity=severity, pointer=pointer, message=message)
