"""The loss, against sums done by hand."""

import numpy as np
import pytest

from benchmarks.adaptation.loss import endpoint_loss, loss
from benchmarks.adaptation.siblings import sibling_recovery
from benchmarks.adaptation.world import watched

STEADY = np.zeros(100, dtype=np.int64)


def an_observed(**more):
    return watched("api", (10, 5, 100), STEADY, {"steady": 10.0}, **more)


def test_age_is_charged_with_its_square_from_second_0_on():
    found = endpoint_loss(an_observed(), [50])

    # 2 / 10² per second and second of age, over two stretches of 50 s.
    assert found.age == pytest.approx(2 * 0.02 * 50**2 / 2)
    assert found.calls == 1


@pytest.mark.parametrize(("cadence", "ratio"), [(10, 1), (5, 1.25), (20, 1.25), (50, 2.6)])
def test_a_cadence_r_times_off_costs_half_of_r_and_its_inverse(cadence, ratio):
    calls = list(range(cadence, 100, cadence))

    found = endpoint_loss(an_observed(), calls).total

    # The last stretch has no call at its end.
    assert found + 1 == pytest.approx(20 * ratio)


def test_an_event_costs_until_the_first_call_that_is_not_before_it():
    found = endpoint_loss(an_observed(events=(20, 60, 95), event_weight=0.5), [20, 70])

    assert found.events == pytest.approx(0.5 * (0 + 10 + 5))


def test_a_second_with_an_unseen_change_is_stale_however_many_changes_are_unseen():
    found = endpoint_loss(an_observed(changes=(10, 15, 40), stale_weight=0.1), [30, 40, 50])

    # Unseen from 10 to 30; the change of second 40 is seen by the call of second 40 at the earliest one later.
    assert found.stale == pytest.approx(0.1 * (20 + 0 + 0))


def test_a_call_that_tells_nothing_costs_and_leaves_the_age_as_it_is():
    blind = np.ones(100, dtype=np.bool_)
    blind[40:60] = False

    found = endpoint_loss(an_observed(informative=blind, cost=np.where(blind, 1.0, 5.0)), [50])

    assert found.calls == 5
    assert found.age == pytest.approx((0.02 * 80 + 0.1 * 20) / 100 * 100**2 / 2, rel=0.01)


def test_a_recovery_run_ends_an_incident_and_a_needless_one_costs_more():
    world = sibling_recovery(1)
    begins = world.ideal_calls["recover"][0]

    unaided = loss(world, {"health": [], "recover": []})
    helped = loss(world, {"health": [], "recover": [begins + 10]})
    needless = loss(world, {"health": [], "recover": [begins - 10]})
    twice = loss(world, {"health": [], "recover": [begins + 10, begins + 20]})

    assert unaided.extra == pytest.approx(0.1 * 3 * 3_600)
    assert helped.extra == pytest.approx(0.1 * (2 * 3_600 + 40))
    assert helped.calls == 5
    assert needless.extra - unaided.extra == pytest.approx(20)
    assert twice.extra - helped.extra == pytest.approx(20)
