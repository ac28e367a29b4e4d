"""Reading the examples that the author of a policy wrote down as its tests."""

from cronicorn.domain.instant import ZERO
from cronicorn.domain.json_body import Json, number_of
from cronicorn.domain.policy.document_part import Part
from cronicorn.domain.policy.policy import AHEAD_MAX, ActionKind, Example, PolicyField

EXAMPLES_MAX = 50
QUESTIONS_MAX = 10_000
"""So often all tests of a policy together may ask its rules: they are tried whenever it is written."""
BASELINE = "baseline"


def examples_of(part: Part, fields: tuple[PolicyField, ...]) -> tuple[Example, ...]:
    """The examples under `tests`, those that can be read."""
    names = {field.name for field in fields}
    found = [_example_of(each, names) for each in part.parts("tests", EXAMPLES_MAX)]
    return tuple(example for example in found if example is not None)


def _example_of(part: Part, names: set[str]) -> Example | None:
    part.knows("given", "times", "expect")
    before = len(part.problems)
    given = part.part("given") or Part({}, part.at("given"), part.problems)
    values = {name: _value(given, name, value, names) for name, value in given.value.items()}
    expect = part.part("expect")
    if expect is None:
        part.refuse("expect", "Say what follows: {interval: 30s}, {interval: baseline} or {action: pause}.")
        return None
    expect.knows("interval", "action")
    action = expect.choice("action", ActionKind)
    interval = None
    if expect.value.get("interval") not in (None, BASELINE):  # A list is no member of a set.
        interval = expect.length("interval", ZERO, AHEAD_MAX)
    times = part.whole("times", 1, 1_000, 1)
    return (
        Example(given=values, times=times, interval=interval, action=action) if len(part.problems) == before else None
    )


def _value(part: Part, name: str, value: Json, names: set[str]) -> str | float | bool:
    if name not in names:
        part.refuse(name, "No field has this name.")
    if isinstance(value, str | bool):
        return value
    number = number_of(value) if isinstance(value, int | float) else None
    if number is not None:
        return number
    part.refuse(name, "Must be a number, text, true or false.")
    return False
