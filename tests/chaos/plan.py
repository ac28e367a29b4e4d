"""What a run of chaos is: its size, its workers' settings, and which broken guard it is to find, if any."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from cronicorn.domain.mechanism import Mechanism

PLAN = "plan.json"
_TTL_S = {Mechanism.LEGACY: 3.0, Mechanism.ETCD: 2.0}
"""A lock that nobody extends has to outlast the slowest call; etcd counts in whole seconds, and not from one."""
OWNER_ONLY = "settles what its machine holds"
"""The guard that takes all workers of one machine for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a run depends on, kept beside its history."""

    seed: int
    seconds: float
    backend: str = "postgres"
    mechanism: Mechanism = Mechanism.LEASE
    mutant: str | None = None
    workers: int = 6
    """The last one meets no faults of its own, so that somebody is always there to take over."""
    endpoints: int = 60
    ttl_s: float = 1.0
    renew_s: float = 0.3
    margin_s: float = 0.2
    poll_s: float = 0.2
    grace_s: float = 0.3
    wall_minus_monotonic: float = 0.0
    """What to add to an instant of the history to get one of the database's clock."""

    @classmethod
    def of(cls, backend: str, mechanism: Mechanism, *, seed: int, seconds: float, mutant: str | None = None) -> Self:
        """The usual plan for a mechanism."""
        plan = cls(seed=seed, seconds=seconds, backend=backend, mechanism=mechanism, mutant=mutant)
        return replace(plan, ttl_s=_TTL_S.get(mechanism, plan.ttl_s))

    @property
    def networked(self) -> bool:
        """Whether workers reach what they share over a network."""
        return self.backend == "postgres"

    @property
    def targets(self) -> range:
        """The workers that meet faults of their own."""
        return range(self.workers - 1)

    def worker_id(self, name: str) -> str:
        """Under which id the worker *name* claims."""
        return "machine" if self.mutant == OWNER_ONLY else name

    def write(self, folder: Path) -> None:
        (folder / PLAN).write_text(json.dumps(asdict(self), indent=2))

    @classmethod
    def read(cls, folder: Path) -> Self:
        values = json.loads((folder / PLAN).read_text())
        return cls(**values | {"mechanism": Mechanism(values["mechanism"])})
