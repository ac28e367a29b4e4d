"""The file itself: who may read it, and what happens when it is taken away."""

import asyncio
import os
import stat
from datetime import timedelta

import pytest

from cronicorn.adapters.sqlite.stores import SqliteStores
from cronicorn.domain import UnavailableError
from cronicorn.domain.fixtures import a_job, a_lease, an_endpoint
from cronicorn.testing.clocks import VirtualClock


async def test_the_files_are_for_their_user_alone(tmp_path):
    before = os.umask(0o022)
    try:
        stores = await SqliteStores.open(tmp_path / "jobs.db", VirtualClock())
        await stores.jobs.add(a_job())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        await stores.aclose()
    finally:
        os.umask(before)

    assert modes == {"jobs.db": 0o600, "jobs.db-wal": 0o600, "jobs.db-shm": 0o600}


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_was_taken_away_is_written_no_more(tmp_path, replaced):
    file = tmp_path / "jobs.db"
    stores = await SqliteStores.open(file, VirtualClock())
    file.rename(tmp_path / "elsewhere.db")
    if replaced:
        file.write_bytes(b"")

    with pytest.raises(UnavailableError, match="removed or replaced"):
        await stores.jobs.add(a_job())
    with pytest.raises(UnavailableError, match="removed or replaced"):
        await stores.health.ping()
    with pytest.raises(UnavailableError, match="removed or replaced"):
        await stores.job_store.claim_due(worker_id="w1", limit=1, ttl=timedelta(seconds=30))
    with pytest.raises(UnavailableError, match="removed or replaced"):
        stores.job_store.renew([a_lease(an_endpoint())], ttl=timedelta(seconds=30))
    await stores.aclose()


async def test_a_file_that_is_put_back_works_again(tmp_path):
    file = tmp_path / "jobs.db"
    stores = await SqliteStores.open(file, VirtualClock())
    file.rename(tmp_path / "elsewhere.db")
    with pytest.raises(UnavailableError):
        await stores.health.ping()
    (tmp_path / "elsewhere.db").rename(file)

    await stores.health.ping()

    await stores.aclose()


async def test_reads_of_a_file_that_was_taken_away_make_no_other_and_it_comes_back_whole(tmp_path):
    file = tmp_path / "jobs.db"
    stores = await SqliteStores.open(file, VirtualClock(), readers=4)
    await stores.jobs.add(a_job())
    file.rename(tmp_path / "elsewhere.db")

    reads = [stores.jobs.get("t1", "job1") for _ in range(40)]
    answers = await asyncio.gather(*reads, stores.job_store.next_due(), return_exceptions=True)

    assert {type(answer) for answer in answers} == {UnavailableError}
    assert not file.exists()
    (tmp_path / "elsewhere.db").rename(file)
    assert await stores.jobs.get("t1", "job1") == a_job()
    await stores.aclose()
