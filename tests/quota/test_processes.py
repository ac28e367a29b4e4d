"""A flash sale: a thousand jobs of one tenant want an analysis at once, in eight processes, within one limit."""

import pytest

from cronicorn.domain.quota.decision import Mode
from tests.adapters.sqlite.empty_database import copy_to
from tests.quota.sale import Sale, hold
from tests.quota.spender_process import BOUND, CALL_TOKENS, CALLS_MAX, LIMIT, QUIET_CALLS, opened

SALE = Sale()


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path):
    if request.param == "sqlite":
        return str(copy_to(tmp_path / "cronicorn.db"))
    return request.getfixturevalue("postgres_url")


@pytest.mark.parametrize(
    ("mode", "overrun_max"), [(Mode.RESERVE, 0), (Mode.ADVISORY, 0), (Mode.SOFT, BOUND.overrun_max)]
)
async def test_a_thousand_analyses_at_once_spend_no_more_than_the_mode_allows(where, mode, overrun_max):
    assert SALE.workers * SALE.calls > CALLS_MAX, "the processes together would make more calls at once"

    said = hold(where, mode, SALE)

    spent = sum(each["spent"] for each in said)
    async with opened(where, mode) as quota:
        loud = await quota.remaining("loud")
    assert (loud.used, loud.reserved) == (spent, 0)
    assert LIMIT - CALL_TOKENS * SALE.workers * SALE.calls < spent <= LIMIT + overrun_max, (
        f"{mode} spent {spent}, promised {BOUND}"
    )
    assert [each["quiet"] for each in said] == [[LIMIT - call for call in range(1, QUIET_CALLS + 1)]] * SALE.workers
