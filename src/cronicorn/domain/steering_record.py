"""What signals and rules made of one answer, kept with its run: enough to tell why, and to decide the same again."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from cronicorn.domain.condition.kinds import Scalar
from cronicorn.domain.fields import Fields, Value, document_in, json_text, us
from cronicorn.domain.governor import GovernorEvent
from cronicorn.domain.policy.memory import Phase, rule_memory_document, rule_memory_of, scalar_of, scalar_value
from cronicorn.domain.policy.steps import Frame, PolicySteps, RuleStep
from cronicorn.domain.signals.reading import Note
from cronicorn.domain.signals.signal import Signal

_NOBODY: Mapping[str, PolicySteps] = {}  # No view of a mapping: stores in memory copy what they hold.
_NOTHING: Mapping[str, tuple[GovernorEvent, ...]] = {}


class SteeringRecord(NamedTuple):
    """What was made of one answer."""

    at: datetime
    notes: tuple[Note, ...] = ()
    own: PolicySteps | None = None
    siblings: Mapping[str, PolicySteps] = _NOBODY
    """What the policies of siblings made of it, by endpoint id."""
    events: tuple[GovernorEvent, ...] = ()
    events_of_siblings: Mapping[str, tuple[GovernorEvent, ...]] = _NOTHING
    """By endpoint id."""

    @property
    def drifted(self) -> tuple[str, ...]:
        """Rules, of whatever endpoint, that answers just stopped saying anything about."""
        steps = (self.own, *self.siblings.values())
        return tuple(rule for each in steps if each is not None for rule in each.drifted)

    def encode(self) -> str:
        """The stored form."""
        parts = [f'"at_us":{us(self.at)}']
        if self.notes:
            notes: list[Value] = [[note.signal.value, note.place, note.value, note.asked] for note in self.notes]
            parts.append(f'"notes":{json_text(notes)}')
        if self.own is not None:
            parts.append(f'"own":{_steps_text(self.own)}')
        if self.siblings:
            siblings = ",".join(f"{json_text(name)}:{_steps_text(steps)}" for name, steps in self.siblings.items())
            parts.append(f'"siblings":{{{siblings}}}')
        if self.events:
            parts.append(f'"events":{json_text(list(self.events))}')
        if self.events_of_siblings:
            of_siblings = {name: list(events) for name, events in self.events_of_siblings.items()}
            parts.append(f'"events_of_siblings":{json_text(of_siblings)}')
        return f"{{{','.join(parts)}}}"

    @classmethod
    def decode(cls, text: str) -> "SteeringRecord":
        """The record that `encode` stored. Raises ValueError for anything else."""
        fields = Fields(document_in(text))
        own, siblings = fields.part_or_none("own"), fields.part("siblings")
        of_siblings = Fields(fields.part("events_of_siblings"))
        return cls(
            at=fields.instant("at_us"),
            notes=tuple(_note_of(item) for item in fields.items("notes")),
            own=_steps_of(own) if own is not None else None,
            siblings={name: _steps_of(Fields(siblings).part(name)) for name in siblings},
            events=_events(fields, "events"),
            events_of_siblings={name: _events(of_siblings, name) for name in of_siblings.document},
        )


def _events(fields: Fields, key: str) -> tuple[GovernorEvent, ...]:
    return tuple(GovernorEvent(str(item)) for item in fields.items(key))


def _stored(value: Scalar | None) -> Value:
    return None if value is None else scalar_value(value)


def _steps_text(steps: PolicySteps) -> str:
    """*steps* as JSON. What is the same for every answer is not written anew."""
    parts = [_frame_text(steps.frame), f'"read":[{",".join(map(_scalar_text, steps.read))}]']
    if steps.awake:
        parts.append(f'"awake":{json_text([_step_value(step) for step in steps.awake])}')
    if steps.unexpected or steps.drifted:
        lacks = {"unexpected": list(steps.unexpected), "drifted": list(steps.drifted)}
        parts.append(json_text(lacks)[1:-1])
    return f"{{{','.join(parts)}}}"


@lru_cache(maxsize=1_024)
def _frame_text(frame: Frame) -> str:
    """The members of a frame, without the braces."""
    names, places, rules = list(frame.names), list(frame.places), list(frame.rules)
    return json_text({"policy": frame.policy, "rules": rules, "names": names, "places": places})[1:-1]


def _scalar_text(value: Scalar | None) -> str:
    """What `_stored` keeps, as JSON: written so for every answer, at half the cost."""
    if type(value) is float:
        return f'"{value!r}"'
    if value is None:
        return "null"
    return json_text(f"'{value}") if type(value) is str else "true" if value else "false"


def _step_value(step: RuleStep) -> list[Value]:
    return [step.rule, rule_memory_document(step.was), step.phase, step.verdict, list(step.did), *_seen(step)]


def _seen(step: RuleStep) -> list[Value]:
    return [[[name, _stored(value)] for name, value in step.saw]] if step.saw else []


def _steps_of(document: Mapping[str, Value]) -> PolicySteps:
    fields = Fields(document)
    return PolicySteps(
        frame=Frame(fields.texts("names"), fields.texts("places"), fields.texts("rules"), fields.text("policy", "")),
        read=tuple(None if item is None else scalar_of(item) for item in fields.items("read")),
        awake=tuple(_step_of(item) for item in fields.items("awake")),
        unexpected=fields.texts("unexpected"),
        drifted=fields.texts("drifted"),
    )


def _step_of(item: Value) -> RuleStep:
    match item:
        case [str(rule), dict(was), str(phase), bool() | None as verdict, list(did), *saw]:
            done = tuple(str(each) for each in did)
            return RuleStep(rule, rule_memory_of(was), Phase(phase), verdict, done, _saw_of(saw))
        case _:
            raise ValueError(f"not a rule's step: {item!r}")


def _saw_of(parts: list[Value]) -> tuple[tuple[str, Scalar | None], ...]:
    found: list[tuple[str, Scalar | None]] = []
    for part in parts:
        for item in part if isinstance(part, list) else [part]:
            match item:
                case [str(name), value]:
                    found.append((name, None if value is None else scalar_of(value)))
                case _:
                    raise ValueError(f"not a value that a rule saw: {item!r}")
    return tuple(found)


def _note_of(item: Value) -> Note:
    match item:
        case [str(signal), str(place), str(value), str(asked)]:
            return Note(signal=Signal(signal), place=place, value=value, asked=asked)
        case _:
            raise ValueError(f"not a note: {item!r}")
