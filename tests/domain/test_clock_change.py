"""What is told of a schedule at the next jump of its zone's clock is what it does then."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.domain.clock_change import next_clock_change, schedule_at_change
from cronicorn.domain.cron import DstGap, DstOverlap
from cronicorn.domain.endpoint import Baseline

WINTER = datetime(2026, 1, 1, tzinfo=UTC)
SUMMER = datetime(2026, 7, 1, tzinfo=UTC)
SPRING_CHANGE = datetime(2026, 3, 29, 1, tzinfo=UTC)
AUTUMN_CHANGE = datetime(2026, 10, 25, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "after", "at", "minutes"),
    [
        ("Europe/Berlin", WINTER, SPRING_CHANGE, 60),
        ("Europe/Berlin", SPRING_CHANGE - timedelta(seconds=1), SPRING_CHANGE, 60),
        ("Europe/Berlin", SPRING_CHANGE, AUTUMN_CHANGE, -60),
        ("Australia/Lord_Howe", WINTER, datetime(2026, 4, 4, 15, tzinfo=UTC), -30),
        ("UTC", WINTER, None, 0),
        ("Asia/Tokyo", WINTER, None, 0),
    ],
)
def test_the_next_jump_is_found_to_the_second(zone: str, after: datetime, at: datetime | None, minutes: int) -> None:
    change = next_clock_change(ZoneInfo(zone), after)

    assert (change and change.at) == at
    assert change is None or change.by == timedelta(minutes=minutes)


def told(now: datetime, cron: str, **policies: DstGap | DstOverlap) -> tuple[str, tuple[datetime, ...]]:
    baseline = Baseline(cron=cron, zone="Europe/Berlin", **policies)  # type: ignore[arg-type]
    found = schedule_at_change(baseline, ZoneInfo(baseline.zone), now, CronsimCron())
    assert found is not None
    return found.told, found.instants


@pytest.mark.parametrize(
    ("cron", "policy", "words", "first"),
    [
        ("30 2 * * *", DstGap.SKIP, "does not run that day", SPRING_CHANGE + timedelta(hours=23, minutes=30)),
        ("30 2 * * *", DstGap.RUN_AFTER, "right after it, at 03:00", SPRING_CHANGE),
        ("30 2 * * *", DstGap.SHIFT, "runs later by as much", SPRING_CHANGE + timedelta(minutes=30)),
        ("30 4 * * *", DstGap.SKIP, "Nothing of this schedule", SPRING_CHANGE + timedelta(minutes=90)),
        ("*/5 * * * *", DstGap.RUN_AFTER, "Nothing of this schedule", SPRING_CHANGE),
        ("* * * * * *", DstGap.RUN_AFTER, "Nothing of this schedule", SPRING_CHANGE),
        ("0 12 1 * *", DstGap.SKIP, "Nothing of this schedule", datetime(2026, 4, 1, 10, tzinfo=UTC)),
    ],
)
def test_what_the_clock_skips_is_told_as_it_runs(cron: str, policy: DstGap, words: str, first: datetime) -> None:
    sentence, instants = told(WINTER, cron, dst_gap=policy)

    assert words in sentence
    assert next(at for at in instants if at >= SPRING_CHANGE) == first
    assert len([at for at in instants if at < SPRING_CHANGE]) == 2
    assert list(instants) == sorted(set(instants))


@pytest.mark.parametrize(
    ("cron", "policy", "words", "runs"),
    [
        ("30 2 * * *", DstOverlap.DEBIAN, "once, the first time", 1),
        ("30 2 * * *", DstOverlap.SECOND, "once, the second time", 1),
        ("30 2 * * *", DstOverlap.BOTH, "runs both times", 2),
        ("30 * * * *", DstOverlap.DEBIAN, "runs both times", 2),
        ("30 5 * * *", DstOverlap.DEBIAN, "Nothing of this schedule", 0),
    ],
)
def test_what_comes_twice_is_told_as_it_runs(cron: str, policy: DstOverlap, words: str, runs: int) -> None:
    sentence, instants = told(SUMMER, cron, dst_overlap=policy)

    assert words in sentence
    hour = timedelta(hours=1)
    assert len([at for at in instants if AUTUMN_CHANGE - hour <= at < AUTUMN_CHANGE + hour]) == runs


def test_an_interval_goes_on_and_what_has_no_schedule_tells_nothing() -> None:
    zone, cron = ZoneInfo("Europe/Berlin"), CronsimCron()
    steady = schedule_at_change(Baseline(interval=timedelta(hours=2)), zone, WINTER, cron)

    assert steady is not None
    assert (steady.change.at, steady.instants) == (SPRING_CHANGE, ())
    assert schedule_at_change(Baseline(dormant=True), zone, WINTER, cron) is None
    assert schedule_at_change(Baseline(once_at=SUMMER), zone, WINTER, cron) is None
