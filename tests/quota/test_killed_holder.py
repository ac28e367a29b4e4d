"""A process that is killed between its reservation and its commit."""

import subprocess
import sys

import pytest

from cronicorn.domain.quota.decision import Mode
from tests.adapters.sqlite.empty_database import copy_to
from tests.quota import spender_process
from tests.quota.spender_process import CALL_TOKENS, opened
from tests.servers.databases import ask
from tests.waiting import eventually


@pytest.fixture(params=["sqlite", "postgres"])
def where(request, tmp_path):
    if request.param == "sqlite":
        return str(copy_to(tmp_path / "cronicorn.db"))
    return request.getfixturevalue("postgres_url")


async def _standing(where):
    async with opened(where, Mode.RESERVE) as quota:
        seen = await quota.remaining("loud")
        return seen.used, seen.reserved


def test_what_it_reserved_is_charged_when_the_time_of_its_grant_is_up(where):
    command = [sys.executable, spender_process.__file__, where, Mode.RESERVE.value]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "reserved\n"

    holder.kill()
    holder.communicate()

    eventually(lambda: ask(_standing(where)) == (CALL_TOKENS, 0))
