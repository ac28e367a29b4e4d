"""What a process runs without a lock: taken once, spread over workers, and forgotten in the end."""

from datetime import timedelta

from cronicorn.domain.fixtures import MIDNIGHT, a_lease, an_endpoint
from cronicorn.domain.in_progress import InProgress
from cronicorn.domain.lease import Lease

SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
DAY = timedelta(days=1)


def _due(count: int, after: timedelta = timedelta(0)) -> list[Lease]:
    now = MIDNIGHT + after
    leases = (a_lease(an_endpoint(id=f"ep{number:03}"), now=now) for number in range(count))
    return [lease._replace(claim_id=f"{lease.endpoint.id} at {after}") for lease in leases]


def _ids(leases: list[Lease]) -> list[str]:
    return [lease.endpoint.id for lease in leases]


def test_what_runs_is_not_taken_again_until_it_has_ended_or_its_lease_has() -> None:
    running = InProgress(spread=1)
    (first,) = running.begin(_due(1), 10, "w1")

    during = running.begin(_due(1, 29 * SECOND), 10, "w1")
    (second,) = running.begin(_due(1, 30 * SECOND), 10, "w1")
    running.end(first)
    running.end(second)

    assert during == []
    assert len(running.begin(_due(1, 31 * SECOND), 10, "w1")) == 1


def test_the_last_lease_on_an_endpoint_is_the_one_that_is_held() -> None:
    running = InProgress(spread=1)
    (first,) = running.begin(_due(1), 10, "w1")
    (second,) = running.begin(_due(1, 30 * SECOND), 10, "w1")

    assert (running.holds(first), running.holds(second)) == (False, True)


def test_as_many_are_wanted_as_may_be_picked_from_besides_what_runs() -> None:
    running = InProgress(spread=4)
    running.begin(_due(3), 3, "w1")

    assert running.wanted(10) == 43


def test_what_has_been_due_longest_is_taken_within_a_few_claims_of_any_worker() -> None:
    running, places = InProgress(spread=4), dict[str, int]()
    for place in range(40):
        left = [lease for lease in _due(200, place * MILLISECOND) if lease.endpoint.id not in places]
        taken = _ids(running.begin(left, 5, "w1"))
        assert taken == sorted(taken)
        places |= dict.fromkeys(taken, place)

    assert len(places) == 200
    assert max(place - int(endpoint_id[2:]) // 5 for endpoint_id, place in places.items()) <= 15


def test_the_next_due_instant_of_what_runs_is_the_end_of_its_lease() -> None:
    running = InProgress(spread=1)
    (lease,) = running.begin(_due(1), 1, "w1")

    assert running.next_due_at([("ep000", MIDNIGHT)], MIDNIGHT) == lease.expires_at
    assert running.next_due_at([("ep000", MIDNIGHT), ("ep001", MIDNIGHT + SECOND)], MIDNIGHT) == MIDNIGHT + SECOND
    assert running.next_due_at([("ep000", MIDNIGHT)], lease.expires_at) == MIDNIGHT
    assert running.next_due_at([], MIDNIGHT) is None


def test_what_ended_without_a_word_is_forgotten_after_a_day() -> None:
    running = InProgress(spread=1)
    running.begin(_due(3), 3, "w1")

    running.begin(_due(1, 2 * DAY), 1, "w1")

    assert running.wanted(0) == 1
