"""Whether the numbers of an answer leave their usual range."""

from typing import NamedTuple

from cronicorn.domain.signals.cusum import AlarmLevel, Course, begun, fed
from cronicorn.domain.signals.memory import COURSES_MAX


class Trend(NamedTuple):
    """How the fields have been going, this answer included, and the most telling of them."""

    courses: tuple[Course, ...]
    look: AlarmLevel = AlarmLevel.QUIET
    name: str = ""
    value: float = 0.0


def trend(courses: tuple[Course, ...], measured: tuple[tuple[str, float], ...]) -> Trend:
    """*courses* after one more answer with the numbers *measured*.

    Fields that are missing this time are kept while there is room: they may come back.
    """
    if not measured:
        return Trend(courses)
    after: list[Course] = []
    look, telling = AlarmLevel.QUIET, ("", 0.0)
    known = 0
    for index, (name, value) in enumerate(measured):
        course = courses[index] if index < len(courses) else None
        if course is None or course.name != name:  # Most bodies have the same fields in the same order.
            course = next((other for other in courses if other.name == name), None)
        if course is None:
            after.append(begun(name, value))
            continue
        known += 1
        course, seen = fed(course, value)
        after.append(course)
        if seen is not AlarmLevel.QUIET and look is not AlarmLevel.ALARM and look is not seen:
            look, telling = seen, (name, value)
    if known < len(courses):
        present = {name for name, _ in measured}
        after.extend(course for course in courses if course.name not in present)
    return Trend(tuple(after[:COURSES_MAX]), look, *telling)
