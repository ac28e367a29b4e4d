"""What a run of chaos is: its size, its workers' settings, and which broken guard it is to find, if any."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from cronicorn.domain.mechanism import Mechanism

PLAN = "plan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a run depends on, kept beside its history."""

    seed: int
    seconds: float
    backend: str = "postgres"
    mechanism: Mechanism = Mechanism.LEASE
    mutant: str | None = None
    workers: int = 6
    """The last one is spared all faults of its own, so that somebody is always there to take over."""
    endpoints: int = 60
    ttl_s: float = 1.0
    renew_s: float = 0.3
    margin_s: float = 0.2
    poll_s: float = 0.2
    grace_s: float = 0.3
    wall_minus_monotonic: float = 0.0
    """What to add to an instant of the history to get one of the database's clock."""

    @property
    def steady(self) -> int:
        return self.workers - 1

    def write(self, folder: Path) -> None:
        (folder / PLAN).write_text(json.dumps(asdict(self), indent=2))

    @classmethod
    def read(cls, folder: Path) -> Self:
        values = json.loads((folder / PLAN).read_text())
        return cls(**values | {"mechanism": Mechanism(values["mechanism"])})
