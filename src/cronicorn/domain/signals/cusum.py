"""Noticing that a number has left its usual range: a self-starting, two-sided CUSUM.

Page, "Continuous inspection schemes", Biometrika 1954; that the statistic decides how soon to sample again follows
Reynolds, Amin and Arnold, "CUSUM charts with variable sampling intervals", Technometrics 1990. The usual allowance of
0.5 and limit of 5 raise a false alarm every twenty-odd samples when neighbouring samples resemble each other, as those
of a server do; hence the larger ones here.
"""

import math
from enum import StrEnum
from typing import NamedTuple

SAMPLES_LEARNT = 20
"""Samples that mean and deviation are learnt from before anything is judged."""
ALLOWANCE = 0.75
"""Deviations from the mean, in standard deviations, that add nothing."""
LIMIT = 9.0
"""The sum that is an alarm."""
WARNING_LIMIT = 4.0
"""The sum that is a reason to look again soon."""
DEVIATION_MAX = 3.0
"""In standard deviations: no single sample counts for more."""
DEVIATION_FLOOR = 0.02
"""Of the mean: the standard deviation is never taken for less."""
FORGETTING = 0.03
"""How much a quiet sample moves mean and variance once they are learnt."""
MAGNITUDE_MAX = 1e15
"""Larger numbers are not measurements."""
_SPREAD_LEAST = 1e-9


class AlarmLevel(StrEnum):
    """What a sample says about the course of its field."""

    QUIET = "quiet"
    WARNING = "warning"
    ALARM = "alarm"


class Course(NamedTuple):
    """How one numeric field has been going."""

    name: str
    samples: int
    """Those learnt from, at most SAMPLES_LEARNT."""
    mean: float
    variance: float
    up: float = 0.0
    """What has gathered above the mean, in standard deviations."""
    down: float = 0.0


def begun(name: str, value: float) -> Course:
    """The course of the field *name* after its first sample."""
    return Course(name, 1, value, 0.0)


def fed(course: Course, value: float) -> tuple[Course, AlarmLevel]:
    """*course* after one more sample, of at most MAGNITUDE_MAX, and what that sample says."""
    name, samples, mean, variance, up, down = course
    if samples < SAMPLES_LEARNT:
        return _learnt(course, value), AlarmLevel.QUIET
    deviation = max(math.sqrt(variance), DEVIATION_FLOOR * abs(mean) + _SPREAD_LEAST)
    score = (value - mean) / deviation
    if not -DEVIATION_MAX <= score <= DEVIATION_MAX:
        score = math.copysign(DEVIATION_MAX, score)
    up += score - ALLOWANCE
    down -= score + ALLOWANCE
    up = up if up > 0 else 0.0
    down = down if down > 0 else 0.0
    if up > LIMIT or down > LIMIT:
        return Course(name, samples, mean, variance), AlarmLevel.ALARM
    if up > WARNING_LIMIT or down > WARNING_LIMIT:
        return Course(name, samples, mean, variance, up, down), AlarmLevel.WARNING
    step = score * deviation
    variance += FORGETTING * (step * step - variance)
    return Course(name, samples, mean + FORGETTING * step, variance, up, down), AlarmLevel.QUIET


def _learnt(course: Course, value: float) -> Course:
    """Welford's running mean and variance; the last sample makes the variance unbiased."""
    samples = course.samples + 1
    step = value - course.mean
    mean = course.mean + step / samples
    variance = course.variance + (step * (value - mean) - course.variance) / samples
    if samples == SAMPLES_LEARNT:
        variance *= samples / (samples - 1)
    return Course(course.name, samples, mean, variance)
