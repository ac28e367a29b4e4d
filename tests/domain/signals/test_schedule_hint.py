"""Schedule-Hint: an endpoint that steers its own schedule."""

import pytest

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.signals.schedule_hint import ScheduleHint, schedule_hint
from cronicorn.domain.signals.signal import Adapt, Signals
from tests.domain.signals.answers import CRON, GET, POST, SECOND, an_answer, asked, heard, lives

MINUTE = 60 * SECOND


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        (
            'interval=30;ttl=600;reason="queue"',
            ScheduleHint(interval=30 * SECOND, ttl=600 * SECOND, reason="queue"),
        ),
        ("interval=0.5", ScheduleHint(interval=SECOND / 2)),
        ("ttl=60, interval=30", ScheduleHint(interval=30 * SECOND, ttl=MINUTE)),
        ("interval=30;colour=blue, later=?1", ScheduleHint(interval=30 * SECOND)),
        ("once=90", ScheduleHint(once=90 * SECOND)),
        ("once=@1767225690", ScheduleHint(once=90 * SECOND)),
        ('once="2026-01-01T00:01:30Z"', ScheduleHint(once=90 * SECOND)),
        ('once="2026-01-01T01:01:30.5+01:00"', ScheduleHint(once=90.5 * SECOND)),
        ('once="Thu, 01 Jan 2026 00:01:30 GMT"', ScheduleHint(once=90 * SECOND)),
        ('once="1970-01-01T00:00:00Z"', ScheduleHint(once=0 * SECOND)),
        ("defer=90", ScheduleHint(defer=90 * SECOND)),
        ("interval=60, interval=30", ScheduleHint(interval=30 * SECOND)),
        ("ttl=0", ScheduleHint(ttl=0 * SECOND)),
        (f'once=5;reason="{"r" * 300}"', ScheduleHint(once=5 * SECOND, reason="r" * 200)),
    ],
)
def test_the_field_is_read(field: str, hint: ScheduleHint) -> None:
    assert schedule_hint(field, MIDNIGHT) == hint


@pytest.mark.parametrize(
    "field",
    [
        "", "interval", "interval=", "interval=fast", 'interval="30"', "interval=0", "interval=-5", "interval=1e308",
        "interval=NaN", "interval=?1", "interval=30;ttl=-1", "interval=30;ttl=long", "interval=30;reason=5",
        'interval=30;reason="', "once=soon", 'once="2026-02-30T00:00:00Z"', "defer=-1", "Interval=30", "interval: 30",
        'reason="queue"', "pause=600", "ttl=600", "interval=" + "9" * 1_000, "interval=30 ttl=600",
    ],
)  # fmt: skip
def test_what_is_malformed_or_asks_for_nothing_is_ignored_as_a_whole_and_noted(field: str) -> None:
    said = heard(an_answer(schedule_hint=field))

    assert said.hints == ()
    assert [note.asked for note in said.notes] == ["ignored: malformed, or nothing in it is known"]


def test_an_interval_lives_as_long_as_it_says_and_tells_why() -> None:
    said = heard(an_answer(schedule_hint='interval=60;ttl=600;reason="queue"'))

    assert (asked(said), lives(said)) == ({"interval:schedule-hint": 60}, {"interval:schedule-hint": 600})
    assert said.hints[0].reason is not None
    assert said.hints[0].reason.endswith("call every 60 s (queue)")


@pytest.mark.parametrize(
    ("field", "life"),
    [("interval=60", 900), ("interval=1000", 3_000), ("interval=60;ttl=999999", 14_400), ("interval=9999", 14_400)],
)
def test_an_interval_lives_for_four_hours_at_most(field: str, life: float) -> None:
    assert lives(heard(an_answer(schedule_hint=field))) == {"interval:schedule-hint": life}


@pytest.mark.parametrize(
    ("field", "interval"), [("interval=1", 30), ("interval=600", 600), ("interval=999999999999", 14_400)]
)
def test_an_interval_keeps_to_the_minimum_and_to_what_a_hint_may_ask(field: str, interval: float) -> None:
    assert asked(heard(an_answer(schedule_hint=field))) == {"interval:schedule-hint": interval}


def test_without_leave_to_tighten_only_what_is_slower_is_heeded() -> None:
    quicker = heard(an_answer(schedule_hint="interval=60, once=10"), POST)
    slower = heard(an_answer(schedule_hint="interval=600"), POST)

    assert asked(quicker) == {}
    assert [note.asked for note in quicker.notes] == [
        "call every 60 s; not heeded, as nothing may tighten this schedule"
    ]
    assert asked(slower) == {"interval:schedule-hint": 600}


def test_no_interval_is_shorter_than_a_second_even_where_the_baseline_is() -> None:
    subject = POST._replace(base=SECOND / 1_000)

    assert asked(heard(an_answer(schedule_hint="interval=0.5"), subject)) == {"interval:schedule-hint": 1}


def test_an_owner_may_let_any_schedule_be_tightened() -> None:
    subject = CRON._replace(method=POST.method, signals=Signals(adapt=Adapt.ON))

    assert asked(heard(an_answer(schedule_hint="interval=0.1, once=10"), subject)) == {
        "interval:schedule-hint": 1,
        "one-shot:schedule-hint": 10,
    }


def test_on_a_cron_schedule_an_interval_only_delays() -> None:
    assert asked(heard(an_answer(schedule_hint="interval=600"), CRON)) == {"defer:schedule-hint": 600}


def test_a_defer_is_heeded_everywhere_for_four_hours_at_most() -> None:
    assert asked(heard(an_answer(503, schedule_hint="defer=60"), POST)) == {"defer:schedule-hint": 60}
    assert asked(heard(an_answer(schedule_hint="defer=99999"), CRON)) == {"defer:schedule-hint": 14_400}


@pytest.mark.parametrize("field", ["interval=600, defer=90", "interval=90, defer=600"])
def test_of_two_waits_in_one_field_the_longer_one_counts(field: str) -> None:
    said = heard(an_answer(schedule_hint=field), CRON)

    assert asked(said) == {"defer:schedule-hint": 600}
    assert len(said.hints) == 1
    assert len(said.notes) == 2


def test_a_call_further_away_than_four_hours_is_not_asked_for() -> None:
    assert asked(heard(an_answer(schedule_hint="once=99999"))) == {}


def test_a_ttl_of_zero_takes_back_what_was_asked_and_silence_does_not() -> None:
    ids = {f"signal:{kind}:schedule-hint" for kind in ("interval", "one-shot", "defer")}

    assert ids <= heard(an_answer(schedule_hint="ttl=0")).cleared
    assert not ids & heard(an_answer(), GET).cleared
