"""What the log says of settled slots, be they few or very many."""

import logging

import pytest

from cronicorn.domain.endpoint import EndpointState
from cronicorn.domain.fixtures import a_lease, a_run, an_endpoint
from cronicorn.domain.run import RunStatus
from cronicorn.domain.settlement import Settlement
from cronicorn.scheduler.slot_log import TOLD_MAX, SlotLog

LEASE = a_lease(an_endpoint())
SETTLEMENT = Settlement(state=EndpointState())


@pytest.fixture
def slot_log(caplog):
    caplog.set_level(logging.INFO)
    slot_log = SlotLog()
    slot_log.look(100.0)
    return slot_log


def _settle(slot_log, count, status=RunStatus.SUCCESS):
    for _ in range(count):
        slot_log.settled(LEASE, a_run(LEASE, status=status), SETTLEMENT)


def _told(caplog, event):
    return [record for record in caplog.records if record.getMessage() == event]


def test_a_few_slots_are_told_one_by_one(slot_log, caplog):
    _settle(slot_log, TOLD_MAX)
    slot_log.look(101.0)

    assert len(_told(caplog, "run_settled")) == TOLD_MAX
    assert _told(caplog, "runs_settled") == []


def test_of_very_many_the_rest_is_counted_and_told_when_the_second_is_over(slot_log, caplog):
    _settle(slot_log, TOLD_MAX + 5)
    _settle(slot_log, 2, RunStatus.FAILED)
    slot_log.settled(LEASE, None, SETTLEMENT)

    slot_log.look(100.9)
    assert _told(caplog, "runs_settled") == []
    slot_log.look(101.0)

    assert len(_told(caplog, "run_settled")) == TOLD_MAX
    (rest,) = _told(caplog, "runs_settled")
    assert (rest.slots, rest.success, rest.failed, rest.due) == (8, 5, 2, 1)


def test_the_next_second_begins_anew(slot_log, caplog):
    _settle(slot_log, TOLD_MAX + 1)
    slot_log.look(101.0)
    _settle(slot_log, 1)
    slot_log.tell_rest()

    assert len(_told(caplog, "run_settled")) == TOLD_MAX + 1
    assert len(_told(caplog, "runs_settled")) == 1


def test_nothing_is_counted_where_nobody_wants_to_hear_of_it(slot_log, caplog):
    caplog.set_level(logging.WARNING)
    _settle(slot_log, TOLD_MAX + 1)
    caplog.set_level(logging.INFO)
    slot_log.tell_rest()

    assert caplog.records == []
