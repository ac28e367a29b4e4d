"""How much alike two policies behave: both are given the same random answers, and what they do is compared."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from benchmarks.compile_eval.cases import Case
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.hint import Hint, HintKind, fresh_hints, replaced
from cronicorn.domain.policy.acting import Setting
from cronicorn.domain.policy.memory import BLANK
from cronicorn.domain.policy.observing import Seen
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.ruling import ruled

SEQUENCES = 200
STEPS = 25
EVERY = timedelta(minutes=5)
"""The baseline of all endpoints, and the time between two answers."""
INTERVAL_MIN, INTERVAL_MAX = timedelta(seconds=10), timedelta(hours=1)

Action = tuple[timedelta | None, frozenset[str]]
"""The interval that rules ask for after an answer, and what else they did."""


def agreement(case: Case, expected: Policy, found: Policy, sequences: int = SEQUENCES) -> float:
    """The share of steps of random sequences at which both do the same."""
    same = steps = 0
    for seed in range(sequences):
        answers = case.answers(seed, STEPS)
        for one, other in zip(actions(expected, answers), actions(found, answers), strict=True):
            same += one == other
            steps += 1
    return same / steps


def actions(policy: Policy, answers: Sequence[Mapping[str, Any]]) -> Iterator[Action]:
    """What *policy* does after each of *answers*, which come EVERY so often."""
    memory, hints, now = BLANK, tuple[Hint, ...](), MIDNIGHT
    for answer in answers:
        now += EVERY
        setting = Setting(
            endpoint_id="ep1", policy=policy, now=now, base=EVERY, interval_min=INTERVAL_MIN, interval_max=INTERVAL_MAX
        )
        ruling = ruled(setting, memory, _seen(answer, now))
        memory = ruling.memory
        hints = tuple(hint for hint in fresh_hints(hints, now) if hint.id not in ruling.ended)
        for hint in ruling.hints:
            hints = replaced(hints, hint, now)
        yield _interval(hints), frozenset(word for step in ruling.steps.rules for word in step.did if _acts(word))


def _acts(word: str) -> bool:
    """Whether *word* says that something was done; what was held back is nothing."""
    return word.partition(":")[0] in {"pause", "run_once", "defer", "wake"}


def _interval(hints: Sequence[Hint]) -> timedelta | None:
    steady = [hint for hint in hints if hint.kind is HintKind.INTERVAL and hint.interval is not None]
    best = min(steady, key=lambda hint: (-hint.priority, hint.interval), default=None)
    return best.interval if best is not None else None


def _seen(answer: Mapping[str, Any], now: Any) -> Seen:
    status = answer.get("~status", 200)
    body = {name: value for name, value in answer.items() if not name.startswith("~")}
    return Seen(at=now, body=json.loads(json.dumps(body)), ok=status < 400, status=status)
