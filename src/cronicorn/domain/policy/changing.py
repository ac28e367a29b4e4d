"""What an endpoint keeps of its rules' past when its policy is changed."""

from collections.abc import Iterable
from dataclasses import replace

from cronicorn.domain.governor import PROBE
from cronicorn.domain.hint import Author, Hint
from cronicorn.domain.policy.memory import PolicyMemory
from cronicorn.domain.policy.policy import Policy

_NO_POLICY = Policy()


def kept_memory(memory: PolicyMemory, before: Policy | None, after: Policy | None) -> PolicyMemory:
    """*memory* of the rules and fields that are the same in both; the others begin anew."""
    old, new = before or _NO_POLICY, after or _NO_POLICY
    fields = {field.name for field in set(old.fields) & set(new.fields)}
    rules = _same_rules(old, new)
    return replace(
        memory,
        rules={name: rule for name, rule in memory.rules.items() if name in rules},
        fields={name: field for name, field in memory.fields.items() if name in fields},
    )


def kept_hints(hints: Iterable[Hint], before: Policy | None, after: Policy | None) -> tuple[Hint, ...]:
    """*hints* without those of rules that are gone or changed."""
    old, new = before or _NO_POLICY, after or _NO_POLICY
    gone = {rule.id for rule in old.rules} - _same_rules(old, new)
    return tuple(hint for hint in hints if hint.author is not Author.RULE or hint.key.removeprefix(PROBE) not in gone)


def _same_rules(old: Policy, new: Policy) -> set[str]:
    """The rules that are alike in both, with all that they read."""
    declared = {field.name: field for field in new.fields}
    same = {field.name for field in old.fields if declared.get(field.name) == field}
    known = {rule.id: rule for rule in new.rules}
    return {rule.id for rule in old.rules if known.get(rule.id) == rule and rule.reads <= same}
