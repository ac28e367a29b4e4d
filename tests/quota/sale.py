"""A flash sale: all jobs of one tenant want an analysis at once, in several processes, within one limit."""

import json
import os
from dataclasses import dataclass
from typing import Any

from cronicorn.domain.quota.decision import Mode
from tests.cli.command import environment, started
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
    workers = [
        _Worker(where, mode.value, str(number), str(sale.jobs // sale.workers), str(sale.calls))
        for number in range(sale.workers)
    ]
    assert [worker.said() for worker in workers] == ["ready\n"] * sale.workers
    for worker in workers:
        worker.go()
    said = [json.loads(worker.said()) for worker in workers]
    assert [worker.ended() for worker in workers] == [0] * sale.workers
    return said


class _Worker:
    """A process that spends."""

    def __init__(self, *arguments: str) -> None:
        reading, writing = os.pipe()
        self._said = os.fdopen(reading)
        self._process = started(*arguments, env=environment(), stdout=writing, program=spender_process.__file__)
        os.close(writing)

    def said(self) -> str:
        return self._said.readline()

    def go(self) -> None:
        assert self._process.stdin is not None
        with self._process.stdin as stdin:
            stdin.write(b"go\n")

    def ended(self) -> int:
        with self._said:
            return self._process.wait(60)
