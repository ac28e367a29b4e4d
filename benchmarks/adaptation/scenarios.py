"""The eleven scored scenarios by name."""

from collections.abc import Callable, Mapping

from benchmarks.adaptation.changes import undescribed
from benchmarks.adaptation.protocols import batches, outages, rate_limit
from benchmarks.adaptation.siblings import sibling_recovery
from benchmarks.adaptation.thresholds import (
    diurnal,
    flapping_noise,
    inverse_scaling,
    schema_drift,
    slow_degradation,
    surge,
)
from benchmarks.adaptation.world import World

SCENARIOS: Mapping[str, Callable[[int], World]] = {
    "S1": surge,
    "S2": slow_degradation,
    "S3": flapping_noise,
    "S4": outages,
    "S5": batches,
    "S6": rate_limit,
    "S7": diurnal,
    "S8": sibling_recovery,
    "S9": inverse_scaling,
    "S10": undescribed,
    "S11": schema_drift,
}
"""Each makes its world from a seed."""
