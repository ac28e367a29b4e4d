"""The next instants, as they would come if all went well."""

from datetime import timedelta

from cronicorn.domain.endpoint import Baseline, EndpointState
from cronicorn.domain.fixtures import MIDNIGHT, a_one_shot, a_pause, an_endpoint
from cronicorn.domain.plan import Plan
from cronicorn.domain.preview import PREVIEW_MAX, preview
from tests.domain.strategies import CRON

MINUTE = timedelta(minutes=1)


def _minutes(plans: tuple[Plan, ...]) -> list[float]:
    return [(plan.next_run_at - MIDNIGHT) / MINUTE for plan in plans if plan.next_run_at is not None]


def test_it_walks_the_schedule_from_now_on() -> None:
    plans = preview(an_endpoint(), MIDNIGHT + 90 * MINUTE, CRON, 3)

    assert _minutes(plans) == [91, 92, 93]


def test_hints_end_where_they_end() -> None:
    state = EndpointState(hints=(a_pause(MIDNIGHT + 2.5 * MINUTE), a_one_shot(MIDNIGHT + 3.25 * MINUTE)))

    plans = preview(an_endpoint(state=state), MIDNIGHT, CRON, 4)

    assert _minutes(plans) == [2.5, 3, 3.25, 4]


def test_a_once_endpoint_has_one_instant_and_a_dormant_one_none() -> None:
    once = an_endpoint(baseline=Baseline(once_at=MIDNIGHT + MINUTE))

    assert _minutes(preview(once, MIDNIGHT, CRON, 9)) == [1]
    assert preview(an_endpoint(baseline=Baseline(dormant=True)), MIDNIGHT, CRON, 9) == ()


def test_it_stops_at_its_limit_and_where_nothing_moves() -> None:
    assert len(preview(an_endpoint(), MIDNIGHT, CRON, 10**9)) == PREVIEW_MAX
    assert len(preview(an_endpoint(baseline=Baseline(interval=timedelta(0))), MIDNIGHT, CRON, 9)) == 1
    assert preview(an_endpoint(), MIDNIGHT, CRON, -1) == ()
