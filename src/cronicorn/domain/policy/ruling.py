"""Evaluating a policy on one answer: fields are read, rules move and act. Pure, and total: no answer makes it raise."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.hint import Hint
from cronicorn.domain.instant import HOUR
from cronicorn.domain.policy.acting import Order, Setting, Stage, acted, recent
from cronicorn.domain.policy.memory import UNTOUCHED, Phase, PolicyMemory, RuleMemory
from cronicorn.domain.policy.observing import Seen, observed
from cronicorn.domain.policy.policy import Policy, PolicyField, Rule, RuleFact
from cronicorn.domain.policy.stepping import drifted, stepped
from cronicorn.domain.policy.steps import PolicySteps, RuleStep


class Ruling(NamedTuple):
    """What a policy makes of one answer."""

    memory: PolicyMemory
    steps: PolicySteps
    hints: tuple[Hint, ...] = ()
    ended: frozenset[str] = frozenset()
    """Ids of hints that end now."""
    orders: tuple[Order, ...] = ()


def ruled(setting: Setting, memory: PolicyMemory, seen: Seen, sibling: str | None = None) -> Ruling:
    """What the policy of *setting* makes of an answer of its endpoint, or of *sibling*."""
    policy = setting.policy
    found = observed(policy, memory, seen, sibling)
    rules, frame = policy.own_rules, policy.frame
    if sibling is not None:
        rules = policy.rules_about(sibling)
        frame = frame._replace(rules=tuple(rule.id for rule in rules))
    if found.fields is not memory.fields:
        memory = replace(memory, fields=found.fields)
    if not memory.rules and not policy.fields_of_rules and _all_rest(rules, found.values):
        return Ruling(memory, PolicySteps(frame, _in_order(found.values, frame.names), (), found.unexpected))
    stage, awake = Stage(setting, found.values), list[RuleStep]()
    moved = _moved(rules, memory, stage, awake)
    if moved:
        memory = replace(memory, rules={**memory.rules, **moved})
    return Ruling(
        memory=memory, hints=tuple(stage.hints), ended=frozenset(stage.ended), orders=tuple(stage.orders),
        steps=PolicySteps(
            frame, _in_order(found.values, frame.names), tuple(awake), found.unexpected,
            tuple(rule_id for rule_id, after in moved.items() if drifted(after)),
        ),
    )  # fmt: skip


def _all_rest(rules: tuple[Rule, ...], values: Mapping[str, Scalar]) -> bool:
    """Whether none of *rules*, of which none was ever touched, is concerned: as nearly always."""
    for rule in rules:  # noqa: SIM110 - half the cost of `all`, and every answer pays it
        if rule.when.verdict(values) is not False:
            return False
    return True


def _in_order(values: Mapping[str, Scalar], names: tuple[str, ...]) -> tuple[Scalar | None, ...]:
    return tuple(map(values.get, names))


def _moved(rules: tuple[Rule, ...], memory: PolicyMemory, stage: Stage, awake: list[RuleStep]) -> dict[str, RuleMemory]:
    """Let *rules* move and act; how those stand that changed. The steps of those that do not rest go to *awake*."""
    policy, now, values = stage.setting.policy, stage.setting.now, stage.values
    moved: dict[str, RuleMemory] = {}
    for rule in rules:
        for field in policy.fields_of_rules:
            _look_at_rule(field, policy, {**memory.rules, **moved}, values, now)
        before = memory.rules.get(rule.id, UNTOUCHED)
        after, verdict = stepped(rule, before, values, now)
        if verdict is False and after is UNTOUCHED and not policy.fields_of_rules:
            continue
        did: tuple[str, ...] = ()
        if verdict is None:
            if _only_rules_lack(rule, policy, values):
                after = before  # No answer could have said it, so none has drifted.
        elif after.phase is not Phase.IDLE or before.phase is not Phase.IDLE:
            after = acted(rule, before, after, stage)
            did = stage.done()
        if after is not before:
            moved[rule.id] = after
        saw = tuple((each.name, values.get(each.name)) for each in policy.fields_of_rules if each.name in rule.reads)
        awake.append(RuleStep(rule.id, before, after.phase, verdict, did, saw))
    return moved


def _only_rules_lack(rule: Rule, policy: Policy, values: Mapping[str, Scalar]) -> bool:
    """Whether all that *rule* lacks is how other rules stand."""
    of_rules = {field.name for field in policy.fields_of_rules}
    return bool(of_rules) and rule.reads - values.keys() <= of_rules


def _look_at_rule(
    field: PolicyField, policy: Policy, stands: Mapping[str, RuleMemory], values: dict[str, Scalar], now: datetime
) -> None:
    """Set *field* to how its rule stands now: rules further up have moved already, those further down have not."""
    memory = stands.get(field.rule or "", UNTOUCHED)
    value: Scalar | None = None
    match field.fact:
        case RuleFact.ACTIVE:
            value = memory.phase.acting
        case RuleFact.ACTIVE_FOR:
            value = (now - memory.entered_at).total_seconds() if memory.entered_at is not None else 0.0
        case RuleFact.SINCE_FIRED if memory.fired_at is not None:
            value = (now - memory.fired_at).total_seconds()
        case RuleFact.FIRES:
            value = float(len(recent(memory.fires, now, _counted_over(policy, field.rule))))
        case _:
            pass
    if value is None:
        values.pop(field.name, None)
    else:
        values[field.name] = value


def _counted_over(policy: Policy, rule_id: str | None) -> timedelta:
    limits = (rule.max_fires for rule in policy.rules if rule.id == rule_id)
    return next((limit.per for limit in limits if limit is not None), HOUR)
