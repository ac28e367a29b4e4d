"""A flash sale: a thousand jobs of one tenant want an analysis at once, in eight processes, within one limit."""

import json
import subprocess
import sys

import pytest

from cronicorn.domain.quota.decision import Mode
from cronicorn.domain.quota.soft import SoftBound
from tests.adapters.sqlite.empty_database import copy_to
from tests.quota import spender_process
from tests.quota.spender_process import CALL_TOKENS, LIMIT, QUIET_CALLS, opened

WORKERS = 8
JOBS = 1_000
CALLS = 4
"""At once, in each process."""
BOUND = SoftBound(limit=LIMIT, concurrency=WORKERS * CALLS, call_tokens_max=CALL_TOKENS)


def _sale(where, mode):
    """Run all workers at the same time; what each of them says."""
    command = [sys.executable, spender_process.__file__, where, mode.value]
    workers = [
        subprocess.Popen(
            [*command, str(number), str(JOBS // WORKERS), str(CALLS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(WORKERS)
    ]
    assert [_said(worker) for worker in workers] == ["ready\n"] * WORKERS
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [json.loads(worker.communicate(timeout=120)[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * WORKERS
    return said


def _said(worker):
    assert worker.stdout is not None
    return worker.stdout.readline()


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path):
    if request.param == "sqlite":
        return str(copy_to(tmp_path / "cronicorn.db"))
    return request.getfixturevalue("postgres_url")


@pytest.mark.parametrize(
    ("mode", "overrun_max"), [(Mode.RESERVE, 0), (Mode.ADVISORY, 0), (Mode.SOFT, BOUND.overrun_max)]
)
async def test_a_thousand_analyses_at_once_spend_no_more_than_the_mode_allows(where, mode, overrun_max):
    said = _sale(where, mode)

    spent = sum(each["spent"] for each in said)
    async with opened(where, mode) as quota:
        loud, quiet = await quota.remaining("loud"), await quota.remaining("quiet")
    assert (loud.used, loud.reserved) == (spent, 0)
    assert LIMIT - CALL_TOKENS * WORKERS * CALLS < spent <= LIMIT + overrun_max, (
        f"{mode} spent {spent}, promised {BOUND}"
    )
    assert [each["denied"] for each in said] == [0] * WORKERS
    assert quiet.used + quiet.reserved == WORKERS * QUIET_CALLS
