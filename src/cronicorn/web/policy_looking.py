"""What a policy that is typed says, what is wrong with it, and what it would change: as its page shows it. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cronicorn.control.document import EndpointPatch
from cronicorn.control.findings import Findings
from cronicorn.control.limits import check_limits
from cronicorn.control.policy_judging import judge_policy, strangers
from cronicorn.control.policy_lines import line_of_test, rule_lines
from cronicorn.control.policy_text import PolicyFault, PolicyText, write_part
from cronicorn.domain.compilation.answer_profile import Place
from cronicorn.domain.compilation.difference import PartDifference, PolicyDifference, difference
from cronicorn.domain.compilation.judging import cadence_of
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import FieldError
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.trying import tried

AT = "/policy"
"""Where a policy stands in the document of its endpoint."""
_STEP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEPT = ("number", "string", "bool")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleInWords:
    """A rule in plain English."""

    name: str
    parts: Sequence[tuple[str, str]]
    """What `when`, `do` and `until` say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedInWords:
    """What became of a test that a policy holds."""

    told: str
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRow:
    """One thing that is not the same in two policies."""

    what: str
    """Such as `changed rule`; empty where it is that of the row before."""
    name: str
    member: str
    """Of the part; empty for the whole."""
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedPolicy:
    """A text as the policy of an endpoint."""

    text: PolicyText
    faults: tuple[PolicyFault, ...]
    """Why it would not be stored."""
    warnings: tuple[PolicyFault, ...]
    """What its author may not have meant."""
    rules: Sequence[RuleInWords]
    tests: Sequence[TriedInWords]
    unsupported: tuple[str, ...]
    differences: PolicyDifference
    """To the policy in force."""
    description_fault: str
    """What is wrong with the description; empty for nothing."""

    def line(self, number: int) -> str:
        """What stands in the line *number*, from 1; empty where there is none."""
        lines = self.text.text.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else ""


def looked_policy(endpoint: JobEndpoint, names: Sequence[str], read: PolicyText, description: str) -> LookedPolicy:
    """What was *read* as the policy of *endpoint*, whose job knows *names*, with a *description* beside it."""
    findings = Findings()
    check_limits(EndpointPatch.model_validate({"description": description}), findings)
    of_description = " ".join(each.message for each in findings.errors)
    if read.faults:
        return _look(endpoint, read, None, (), of_description)
    after = replace(endpoint, policy=read.policy)
    judge_policy(after, findings)
    odd = (*findings.warnings, *strangers(after, names))
    return _look(endpoint, read, read.policy, read.placed(inside(odd)), of_description)


def summary_of(faults: Sequence[PolicyFault]) -> str:
    """That there are *faults*, in short; empty where there are none."""
    if not faults:
        return ""
    number = f"{len(faults)} faults" if len(faults) > 1 else "One fault"
    first = next((each.line for each in faults if each.line), 0)
    place = "" if not first else f", the first in line {first}" if len(faults) > 1 else f", in line {first}"
    return f"{number}{place}: see below."


def rules_in_words(policy: Policy | None, endpoint: JobEndpoint) -> list[RuleInWords]:
    """Each rule of *policy* on *endpoint*."""
    if policy is None:
        return []
    return [_rule(list(rule_lines(policy, rule, cadence_of(endpoint)))) for rule in policy.rules]


def changed_rows(differences: PolicyDifference) -> list[ChangedRow]:
    """What is not the same: of a part that both have its members one by one."""
    return [row for part in differences for row in _rows(part)]


def inside(found: Sequence[FieldError]) -> Iterator[FieldError]:
    """Those of *found* that are about the policy, as it stands by itself."""
    for each in found:
        if each.pointer == AT or each.pointer.startswith(f"{AT}/"):
            yield replace(each, pointer=each.pointer.removeprefix(AT))


def field_line(place: Place) -> str:
    """The field of a policy that reads *place*: `err: {path: $.err, type: number}`."""
    name = _STEP.findall(place.path)[-1].lower()
    kind = next((each for each in _KEPT if each in place.types), "string")
    return f"{name}: {{path: {place.path}, type: {kind}}}"


def _look(
    endpoint: JobEndpoint, read: PolicyText, policy: Policy | None, warnings: tuple[PolicyFault, ...],
    of_description: str,
) -> LookedPolicy:  # fmt: skip
    results = tried(policy, cadence_of(endpoint)) if policy is not None else ()
    return LookedPolicy(
        text=read, faults=read.faults, warnings=warnings, rules=rules_in_words(policy, endpoint),
        tests=[
            TriedInWords(told=line_of_test(number, each), held=each.held) for number, each in enumerate(results, 1)
        ],
        unsupported=policy.unsupported if policy is not None else (),
        differences=difference(endpoint.policy, policy) if not read.faults else (), description_fault=of_description,
    )  # fmt: skip


def _rule(lines: Sequence[str]) -> RuleInWords:
    head, *rest = lines
    parts = [line.split(maxsplit=1) for line in rest]
    return RuleInWords(name=head.removeprefix("rule "), parts=[(word, told) for word, told in parts])


def _rows(part: PartDifference) -> Iterator[ChangedRow]:
    before, after, what = part.before, part.after, f"{part.step.value} {part.what}"
    members = [("", before, after)]
    if isinstance(before, dict) and isinstance(after, dict):
        names = dict.fromkeys([*before, *after])
        members = [(name, old, new) for name in names if (old := before.get(name)) != (new := after.get(name))]
    for number, (member, old, new) in enumerate(members):
        yield ChangedRow(
            what="" if number else what, name="" if number else part.name, member=member, before=write_part(old),
            after=write_part(new),
        )  # fmt: skip
