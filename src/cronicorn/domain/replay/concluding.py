"""What follows from a replay, in words: no more than the record can bear."""

from dataclasses import dataclass
from datetime import datetime

from cronicorn.domain.policy.policy import Origin, Policy
from cronicorn.domain.replay.replayed import Conclusion, RuleSummary

RUNS_LEAST = 10
"""From fewer recorded runs nothing is concluded."""


@dataclass(slots=True)
class Evidence:
    """What the record consists of, and how far the replay came."""

    recorded: int = 0
    answers: int = 0
    """Recorded runs that answered something new: neither ended on our side nor 304."""
    without_body: int = 0
    cut_body: int = 0
    by_person: int = 0
    """Recorded runs on whose plan something written by a person had a say."""
    cut_at: datetime | None = None


def concluded(policy: Policy, evidence: Evidence, rules: tuple[RuleSummary, ...], moved: int) -> tuple[Conclusion, str]:
    """What is to be said of *policy*, *moved* being the calls that would come or not come at another time."""
    if evidence.recorded < RUNS_LEAST:
        few = f"The record holds {_runs(evidence.recorded)}, and {RUNS_LEAST} are the least to go by."
        return Conclusion.CANNOT_TELL, few
    unasked = [rule.rule for rule in rules if not rule.answers]
    if len(unasked) == len(rules) > 0:
        return Conclusion.CANNOT_TELL, "No rule was ever asked: no answer that they read is on record."
    blind = [rule.rule for rule in rules if rule.answers and rule.unknown == rule.answers]
    if blind and not any(rule.entered for rule in rules):
        return Conclusion.CANNOT_TELL, _blindness(policy, evidence, blind)
    if not any(rule.entered for rule in rules):
        return (
            Conclusion.GAINS_NOTHING,
            "No rule of this policy would ever have been in force: it gains nothing over its baseline here.",
        )
    if not moved:
        same = "Every call would have come when it did: this policy gains nothing over what happened."
        return Conclusion.GAINS_NOTHING, same
    calls = "1 call" if moved == 1 else f"{moved} calls"
    return Conclusion.DIFFERS, f"{calls} would have come, or not come, at another time."


def remarks(policy: Policy, evidence: Evidence, rules: tuple[RuleSummary, ...], held: tuple[str, ...]) -> list[str]:
    """What limits the conclusion; *held* are rules whose condition held already when the record begins."""
    said = []
    if evidence.cut_at is not None:
        said.append(f"The replay was cut at {evidence.cut_at.isoformat()}: it makes no more calls than that.")
    if _reads_bodies(policy) and evidence.without_body:
        said.append(f"{evidence.without_body} of {evidence.answers} answers are recorded without a body.")
    if _reads_bodies(policy) and evidence.cut_body:
        said.append(f"{evidence.cut_body} of {evidence.answers} bodies are recorded cut, and a cut body is not read.")
    said += [f"Rule {rule}: its condition held when the record begins, nobody knows since when." for rule in held]
    said += [
        f"Rule {rule.rule}: what it asks for was unknown in {rule.unknown} of {rule.answers} answers."
        for rule in rules
        if rule.unknown
    ]
    said += [
        f"Rule {rule.rule}: its condition held {_times(rule.unseen)} without any imagined call coming meanwhile."
        for rule in rules
        if rule.unseen
    ]
    if evidence.by_person:
        said.append(f"People had a say in {_runs(evidence.by_person)}; what they wrote is not replayed.")
    return said


def _blindness(policy: Policy, evidence: Evidence, blind: list[str]) -> str:
    names = f"Rule{'s' if len(blind) > 1 else ''} {', '.join(blind)}"
    if _reads_bodies(policy) and evidence.answers and evidence.without_body == evidence.answers:
        return f"{names}: no body of an answer is recorded, so the record can't tell."
    return f"{names}: no recorded answer says what is asked for, so the record can't tell."


def _reads_bodies(policy: Policy) -> bool:
    return any(each.origin is Origin.BODY for each in policy.fields)


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
