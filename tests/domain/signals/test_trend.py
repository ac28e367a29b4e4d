"""Numbers that leave their usual range."""

import random
from collections.abc import Iterator
from itertools import islice
from statistics import fmean, median, variance

import pytest

from cronicorn.domain.json_body import Json
from cronicorn.domain.signals.cusum import AlarmLevel, Course, begun, fed
from cronicorn.domain.signals.memory import COURSES_MAX, SignalMemory
from cronicorn.domain.signals.reading import Signalled
from tests.domain.signals.answers import GET, POST, after, an_answer, asked, heard, lives

RUNS = 50
LONGEST = 6_000


def _noise(seed: int, phi: float) -> Iterator[float]:
    """Samples about 10 with deviation 1, each like the one before by *phi*."""
    chance = random.Random(seed)
    level = chance.gauss(0, 1)
    while True:
        yield 10 + level
        level = phi * level + (1 - phi * phi) ** 0.5 * chance.gauss(0, 1)


def _learnt(samples: Iterator[float], count: int) -> Course:
    course = begun("latency", next(samples))
    for sample in islice(samples, count - 1):
        course, _ = fed(course, sample)
    return course._replace(up=0.0, down=0.0)


def _until_alarm(course: Course, samples: Iterator[float], shift: float = 0.0) -> int:
    for count, sample in enumerate(islice(samples, LONGEST), start=1):
        course, look = fed(course, sample + shift)
        if look is AlarmLevel.ALARM:
            return count
    return LONGEST


def _runs(phi: float, learnt: int, shift: float) -> list[int]:
    found = []
    for seed in range(RUNS):
        samples = _noise(seed, phi)
        found.append(_until_alarm(_learnt(samples, learnt), samples, shift))
    return found


def test_mean_and_variance_are_learnt_from_twenty_samples() -> None:
    course = _learnt(_noise(1, 0.0), 20)

    samples = list(islice(_noise(1, 0.0), 20))
    assert course.mean == pytest.approx(fmean(samples))
    assert course.variance == pytest.approx(variance(samples))


def test_white_noise_raises_hardly_any_alarm() -> None:
    assert median(_runs(0.0, 20, 0.0)) == LONGEST


def test_noise_whose_samples_resemble_each_other_raises_an_alarm_in_hundreds_of_samples() -> None:
    assert 400 < median(_runs(0.5, 20, 0.0)) < 1_500


@pytest.mark.parametrize(("shift", "most"), [(2.0, 11), (3.0, 6), (-2.0, 11), (-3.0, 6)])
def test_a_shift_either_way_is_found_within_a_few_samples(shift: float, most: int) -> None:
    assert median(_runs(0.0, 100, shift)) <= most


def test_a_lasting_shift_becomes_usual() -> None:
    samples = _noise(1, 0.0)
    course, looks = _learnt(samples, 100), []
    for sample in islice(samples, 1_000):
        course, look = fed(course, sample + 10)
        looks.append(look)

    assert AlarmLevel.ALARM in looks[:10]
    assert set(looks[500:]) <= {AlarmLevel.QUIET, AlarmLevel.WARNING}


def test_one_wild_sample_is_no_alarm() -> None:
    course = _learnt(_noise(1, 0.0), 100)

    assert fed(course, 1e15)[1] is AlarmLevel.QUIET


def test_a_constant_counts_as_varying_by_a_fiftieth() -> None:
    course = begun("depth", 100.0)
    for _ in range(30):
        course, look = fed(course, 100.0)
        assert look is AlarmLevel.QUIET

    assert fed(course, 101.0)[0].up == 0
    assert fed(course, 104.0)[0].up == pytest.approx(2 - 0.75)


def _after(values: list[float], name: str = "latency_ms") -> Signalled:
    return after([an_answer(body={name: value}) for value in values])


def test_a_warning_asks_for_the_next_sample_early() -> None:
    said = _after([100.0] * 20 + [200.0] * 2)

    assert asked(said) == {"one-shot:trend": 75}
    assert [(note.place, note.value) for note in said.notes] == [("/latency_ms", "200")]


def test_an_alarm_has_the_endpoint_looked_at_four_times_as_often_for_four_intervals() -> None:
    said = _after([100.0] * 20 + [200.0] * 5)

    assert (asked(said), lives(said)) == ({"interval:trend": 75}, {"interval:trend": 1_200})
    assert "signal:one-shot:trend" in said.cleared


def test_after_an_alarm_the_sums_begin_anew() -> None:
    (course,) = _after([100.0] * 20 + [200.0] * 5).memory.courses

    assert (course.up, course.down) == (0, 0)


@pytest.mark.parametrize(
    "name",
    [
        "error_rate_pct",
        "errorRatePct",
        "fail-count",
        "p95 latency",
        "queueDepth",
        "pending",
        "avg_5min",
        "value",
        "LAG",
    ],
)
def test_measurements_are_known_by_their_names(name: str) -> None:
    assert [course.name for course in heard(an_answer(body={name: "8.5"})).memory.courses] == [name]


@pytest.mark.parametrize(
    "name",
    ["cpu", "cpu_avg", "mem_rate", "memory", "load_avg", "flag", "operator", "errors_total", "rate_limit", "x" * 999],
)
def test_other_numbers_are_left_alone(name: str) -> None:
    assert heard(an_answer(body={name: 8.5})).memory.courses == ()


@pytest.mark.parametrize("value", [True, None, "high", 1e308, -1e16, 10**400, float("nan"), float("inf"), [1]])
def test_what_is_no_measurement_is_not_fed(value: Json) -> None:
    assert heard(an_answer(body={"value": value})).memory.courses == ()


def test_a_renamed_field_makes_room_for_what_is_there_now() -> None:
    many: dict[str, Json] = {f"{letter}_rate": 1 for letter in "abcdefghij"}
    memory = heard(an_answer(body=many)).memory

    said = heard(an_answer(body={"other_rate": 1}), memory=memory)

    assert len(memory.courses) == COURSES_MAX
    assert [course.name for course in said.memory.courses][:2] == ["other_rate", "a_rate"]
    assert len(said.memory.courses) == COURSES_MAX


def test_failed_answers_and_schedules_that_may_not_tighten_feed_nothing() -> None:
    body: Json = {"latency_ms": 5}

    assert heard(an_answer(404, body=body)).memory == SignalMemory()
    assert heard(an_answer(body=body), POST).memory == SignalMemory()
    assert heard(an_answer(body=body), GET).memory != SignalMemory()
