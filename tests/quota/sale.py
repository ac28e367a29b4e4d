"""A flash sale: all jobs of one tenant want an analysis at once, in several processes, within one limit."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from cronicorn.domain.quota.decision import Mode
from tests.quota import spender_process


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """How many work at what. The calls of a model are stood in for by a wait; what they cost is drawn by chance."""

    workers: int = 8
    jobs: int = 1_000
    calls: int = 4
    """At once, in each process."""


def hold(where: str, mode: Mode, sale: Sale) -> list[dict[str, Any]]:
    """Run all workers at the same time on the database at *where*; what each of them says."""
    command = [sys.executable, spender_process.__file__, where, mode.value]
    jobs = str(sale.jobs // sale.workers)
    workers = [
        subprocess.Popen(
            [*command, str(number), jobs, str(sale.calls)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(sale.workers)
    ]
    assert [_said(worker) for worker in workers] == ["ready\n"] * sale.workers
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [json.loads(worker.communicate(timeout=300)[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * sale.workers
    return said


def _said(worker: "subprocess.Popen[str]") -> str:
    assert worker.stdout is not None
    return worker.stdout.readline()
