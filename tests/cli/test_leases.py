"""`cronicorn leases compare`: what is counted, and one small comparison with real workers."""

import asyncio
import json
import os
import random
import subprocess
import sys

import pytest

from cronicorn.cli.comparison.comparison import _load
from cronicorn.cli.comparison.lineup import line_up
from cronicorn.cli.comparison.measures import doubled, histogram_quantile, quantile, recoveries
from cronicorn.cli.comparison.scrape import buckets, total
from cronicorn.cli.comparison.target import Target, TargetCall
from cronicorn.cli.comparison.trial import FaultKind, Trial
from cronicorn.cli.comparison.worker_processes import WorkerProcess, WorkerProcesses
from cronicorn.cli.local import read_settings
from cronicorn.domain.errors import CronicornError
from cronicorn.domain.mechanism import Mechanism
from cronicorn.wiring.local import local_control
from tests.cli.command import cronicorn, environment


def test_a_slot_called_again_counts_as_doubled():
    calls = [TargetCall("a", 0), TargetCall("a", 1), TargetCall("b", 1), TargetCall("a", 2)]

    assert doubled(calls) == 2


def test_a_call_that_was_cut_off_is_recovered_when_its_slot_is_called_again():
    cut = TargetCall("a", 1.0, cut_at=2.0)

    assert recoveries([cut, TargetCall("a", 5.5, ended_at=6.0)]) == [3.5]


def test_a_call_that_another_worker_was_already_making_is_recovered_at_once():
    assert recoveries([TargetCall("a", 1.0, cut_at=2.0), TargetCall("a", 1.1, ended_at=2.4)]) == [0.0]


def test_a_call_that_had_ended_before_the_kill_recovers_nothing():
    assert recoveries([TargetCall("a", 1.0, cut_at=2.0), TargetCall("a", 1.1, ended_at=1.4)]) == []


def test_quantiles_of_values_and_of_histograms():
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([4.0, 3.0, 1.0, 2.0], 0.5) == 2.0
    assert [quantile(range(1, 101), share) for share in (0.0, 0.9, 0.99, 1.0)] == [1, 90, 99, 100]
    assert quantile([], 0.5) is None
    assert histogram_quantile({0.1: 5, 1.0: 9, float("inf"): 10}, 0.5) == 0.1
    assert histogram_quantile({0.1: 5, 1.0: 9, float("inf"): 10}, 0.9) == 1.0
    assert histogram_quantile({0.1: 0, float("inf"): 0}, 0.5) is None


def test_counters_and_buckets_are_summed_over_workers():
    one = {("runs_total", frozenset({("status", "success")})): 2.0, ("h_bucket", frozenset({("le", "0.1")})): 3.0}
    other = {("runs_total", frozenset({("status", "failed")})): 5.0, ("h_bucket", frozenset({("le", "0.1")})): 4.0}

    assert total([one, other], "runs_total") == 7
    assert total([one, other], "runs_total", status="failed") == 5
    assert buckets([one, other], "h") == {0.1: 7.0}


def test_the_same_seed_gives_the_same_faults_and_leaves_time_to_recover():
    trial = Trial(mechanisms=(Mechanism.LEASE,), seconds=120)

    faults = trial.faults()

    assert faults == Trial(mechanisms=(Mechanism.LEGACY,), seconds=120).faults()
    assert faults != Trial(mechanisms=(Mechanism.LEASE,), seconds=120, seed=2).faults()
    assert {fault.kind for fault in faults} == set(FaultKind)
    assert all(fault.at_s < 120 - 2 * trial.lease_ttl_s for fault in faults)


@pytest.mark.parametrize("names", ["nothing", "lease,zookeeper", ""])
def test_an_unknown_mechanism_is_refused(names):
    refused = cronicorn("leases", "compare", "--mechanisms", names)

    assert refused.code == 2
    assert "lease, legacy, optimistic, redis, etcd" in refused.err


@pytest.mark.parametrize(
    ("names", "options", "settings", "said"),
    [
        (
            "lease,redis,etcd",
            (),
            {"REDIS_URL": "redis://127.0.0.1:1"},
            (
                "The mechanism redis needs a scratch PostgreSQL, named by --database.",
                (
                    "The mechanism etcd needs a scratch PostgreSQL, named by --database, and CRONICORN_ETCD_URL, "
                    "which is not set."
                ),
            ),
        ),
        (
            "redis",
            ("--database", "postgresql://nobody@127.0.0.1:1/none"),
            {},
            ("The mechanism redis needs CRONICORN_REDIS_URL, which is not set.",),
        ),
    ],
)
def test_all_that_a_named_mechanism_lacks_is_said_before_anything_runs(names, options, settings, said):
    refused = cronicorn("leases", "compare", "--mechanisms", names, *options, env=environment(**settings))

    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines() == [f"Error: {line}" for line in said]


def test_a_database_that_is_none_is_refused_by_the_name_of_the_option():
    refused = cronicorn("leases", "compare", "--database", "mysql://localhost/x")

    assert refused.code == 2
    assert refused.err.startswith("Error: --database is 'mysql://localhost/x', but must be ")


@pytest.fixture
def settings_of_the_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("CRONICORN_")]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_without_names_all_that_can_be_had_are_compared_and_the_others_have_a_reason(settings_of_the_environment):
    settings_of_the_environment.setenv("CRONICORN_ETCD_URL", "http://127.0.0.1:1")

    on_files, on_a_server = line_up(None, None), line_up(None, "postgresql://nobody@127.0.0.1:1/none")

    assert on_files.mechanisms == (Mechanism.LEASE, Mechanism.LEGACY, Mechanism.OPTIMISTIC)
    assert on_files.left_out == {
        Mechanism.REDIS: (
            "The mechanism redis needs a scratch PostgreSQL, named by --database, and CRONICORN_REDIS_URL, which is "
            "not set."
        ),
        Mechanism.ETCD: "The mechanism etcd needs a scratch PostgreSQL, named by --database.",
    }
    assert on_a_server.mechanisms == (Mechanism.LEASE, Mechanism.LEGACY, Mechanism.OPTIMISTIC, Mechanism.ETCD)
    assert list(on_a_server.left_out) == [Mechanism.REDIS]


@pytest.mark.usefixtures("settings_of_the_environment")
def test_what_was_not_named_is_left_out_for_that_reason_and_what_was_named_twice_is_compared_once():
    found = line_up("legacy, lease,legacy", None)

    assert found.mechanisms == (Mechanism.LEGACY, Mechanism.LEASE)
    assert found.left_out[Mechanism.OPTIMISTIC] == "--mechanisms does not name optimistic."


TRIAL = Trial(mechanisms=(Mechanism.LEASE,), endpoints=2)


@pytest.mark.usefixtures("settings_of_the_environment")
async def test_a_load_that_could_not_be_made_whole_leaves_no_job_behind(tmp_path):
    database = f"sqlite:///{tmp_path}/scratch.db"

    with pytest.raises(CronicornError):
        async with _load(TRIAL, database, Target(random.Random(1), url="nonsense")):
            pass

    async with local_control(read_settings(database_url=database)) as local:
        assert await local.control.jobs.list(local.principal("default")) == []


@pytest.mark.usefixtures("settings_of_the_environment")
async def test_a_database_that_has_gone_meanwhile_does_not_hide_what_was_measured(tmp_path):
    path = tmp_path / "scratch.db"

    async with _load(TRIAL, f"sqlite:///{path}", Target(random.Random(1), url="http://127.0.0.1:1/")):
        path.unlink()


async def test_workers_that_were_started_before_one_could_not_be_are_stopped(tmp_path):
    (tmp_path / "worker2").mkdir()
    workers = WorkerProcesses(tmp_path, environment(DATABASE_URL=f"sqlite:///{tmp_path}/scratch.db"))

    with pytest.raises(FileExistsError):
        await workers.start(2)
    await workers.stop()

    (started,) = workers.workers
    assert started.process.returncode is not None


async def test_a_worker_whose_metrics_can_not_be_read_is_stopped_all_the_same(tmp_path):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na{b\n")
        await writer.drain()
        writer.close()

    workers = WorkerProcesses(tmp_path, {})
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        workers.workers = [WorkerProcess(process=process, port=port, log=tmp_path / "log")]

        with pytest.raises(ValueError, match="could not convert"):
            await workers.stop()

    assert process.returncode is not None


def test_a_small_comparison_with_real_workers():
    compared = cronicorn(
        "leases", "compare", "--mechanisms", "lease", "--seconds", "15", "--workers", "2", "--endpoints", "6", "--json"
    )

    assert compared.code == 0, compared.err
    (row,) = json.loads(compared.out)
    assert row["mechanism"] == "lease"
    assert row["runs"] > 30
    assert row["violations"] == 0
    left_out = [line for line in compared.err.splitlines() if line.startswith("Left out: ")]
    assert left_out == [f"Left out: --mechanisms does not name {name}." for name in list(Mechanism)[1:]]
