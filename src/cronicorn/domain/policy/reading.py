"""Reading a policy: from a document to fields and rules, with every fault found, placed and explained."""

from collections.abc import Mapping
from typing import cast

from cronicorn.domain.durations import show_duration
from cronicorn.domain.instant import ZERO
from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.document_part import Part, PolicyError
from cronicorn.domain.policy.example_reading import QUESTIONS_MAX, examples_of
from cronicorn.domain.policy.field_reading import fields_of
from cronicorn.domain.policy.policy import (
    FLIPS_DEFAULT,
    HINT_CHANGES_DEFAULT,
    LIMIT_MAX,
    PAUSE_MAX,
    PAUSE_MAX_DEFAULT,
    ActionKind,
    Policy,
)
from cronicorn.domain.policy.rule_reading import rules_of

VERSION = 1
"""The version of the language that is read here."""
UNSUPPORTED_MAX = 32
UNSUPPORTED_CHARACTERS_MAX = 500
"""Of one of the texts."""
_KEYS = ("version", "description", "fields", "rules", "limits", "tests", "unsupported", "provenance")


def policy_of(document: Mapping[str, object]) -> Policy:
    """The policy that *document* writes. Raises PolicyError with all its faults, each with its place."""
    part = Part(cast("Mapping[str, Json]", document))  # What is not of JSON is refused where it stands.
    part.knows(*_KEYS)
    version = document.get("version")
    if version != VERSION or isinstance(version, bool):
        part.refuse("version", f"Must be {VERSION}, the version of the policy language.")
    fields = fields_of(part)
    if not part.problems and "rules" not in part:
        part.refuse("rules", "A policy is a list of rules.")
    rules = rules_of(part, fields)
    limits = part.part("limits") or Part({}, part.at("limits"), part.problems)
    limits.knows("pause_max", "hint_changes_per_hour", "flips_per_hour")
    pause_max = limits.length("pause_max", ZERO, PAUSE_MAX)
    policy = Policy(
        fields=fields,
        rules=rules,
        description=part.text("description", 2_000),
        pause_max=PAUSE_MAX_DEFAULT if pause_max is None else pause_max,
        hint_changes_max=limits.whole("hint_changes_per_hour", 1, LIMIT_MAX, HINT_CHANGES_DEFAULT),
        flips_max=limits.whole("flips_per_hour", 1, LIMIT_MAX, FLIPS_DEFAULT),
        unsupported=part.texts("unsupported", UNSUPPORTED_MAX, UNSUPPORTED_CHARACTERS_MAX),
        examples=examples_of(part, fields),
    )
    for number, rule in enumerate(rules):
        if rule.action.kind is ActionKind.PAUSE and (rule.action.amount.length or ZERO) > policy.pause_max:
            most = show_duration(policy.pause_max)
            action = Part({}, f"{part.at('rules')}/{number}/action", part.problems)
            action.refuse("pause", f"Pauses for longer than limits.pause_max, {most}: raise that.")
    asked = len(rules) * sum(example.times for example in policy.examples)
    if asked > QUESTIONS_MAX:
        part.refuse("tests", f"They ask rules {asked:,} times, and {QUESTIONS_MAX:,} are the most: shorten `times`.")
    part.part("provenance")
    if part.problems:
        raise PolicyError(part.problems)
    return policy
