"""What owners set for the scenarios: their policies stand in the YAML files beside this module."""

from functools import cache
from pathlib import Path

import yaml

from benchmarks.adaptation.product import SILENT, Owned, Product
from benchmarks.adaptation.simulation import Driver
from benchmarks.adaptation.world import World
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.signals.signal import Signals

POLICIES = Path(__file__).parent / "policies"
AHEAD = "ahead/"
"""The folder of the policies that look ahead; a scenario without one keeps its plain policy."""


def no_key_default(world: World) -> Driver:
    """What an owner gets who sets nothing."""
    return Product(world, Owned())


def rules(world: World) -> Driver:
    """The plain policies, and nothing else."""
    return Product(world, _owned(world, "", SILENT))


def rules_over_default(world: World) -> Driver:
    """The plain policies of an owner who set nothing else."""
    return Product(world, _owned(world, "", Signals()))


def ahead_over_default(world: World) -> Driver:
    """The same with the policies that look ahead, where there are such."""
    return Product(world, _owned(world, AHEAD, Signals()))


def _owned(world: World, folder: str, signals: Signals) -> Owned:
    return Owned(
        signals=signals,
        policy=_nearest(folder, f"{world.name}.yaml"),
        after_drift=_nearest(folder, f"{world.name}-after-drift.yaml"),
    )


def _nearest(folder: str, file: str) -> Policy | None:
    return _policy_in(f"{folder}{file}") or _policy_in(file)


@cache
def _policy_in(file: str) -> Policy | None:
    """The policy in *file*, read and checked; None where there is no such file."""
    path = POLICIES / file
    return policy_of(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.exists() else None
