"""Who holds what, also where an endpoint can't be read."""

import pytest

from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.fleet import fleet_from
from tests.adapters.unreadable import RUINED


@pytest.mark.parametrize("raised", RUINED)
def test_a_lease_on_an_endpoint_that_cannot_be_read_is_shown_by_its_id(raised):
    document, state = RUINED[raised]
    row = {
        "worker_id": "w1", "mechanism": "lease", "tenant_id": "t1", "tenant_name": None, "endpoint_id": "bad",
        "document": document, "state": state, "job_name": "job", "leased_slot": 3, "leased_attempt": 1,
        "leased_manual": 0, "claimed_us": 0, "lease_until_us": 1,
    }  # fmt: skip

    fleet = fleet_from(MIDNIGHT, [row])

    assert [(slot.endpoint, slot.slot) for slot in fleet.slots] == [("bad", 3)]
