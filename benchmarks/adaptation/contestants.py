"""The policies that are compared, by name."""

from collections.abc import Callable, Mapping

from benchmarks.adaptation.hinting import Hinting, Reading
from benchmarks.adaptation.noise import generator
from benchmarks.adaptation.owners import ahead_over_default, no_key_default, rules, rules_over_default
from benchmarks.adaptation.policies import Aimd, Fixed
from benchmarks.adaptation.reactive import ReactiveOracle
from benchmarks.adaptation.readers import PASS_SECONDS, Reader
from benchmarks.adaptation.simulation import Driver
from benchmarks.adaptation.world import World

STABLE_SECONDS = 3_600
"""When the reference's prompt has a stable endpoint analysed again."""


def _fixed(world: World) -> Driver:
    return Hinting(world, Fixed())


def _always_min(world: World) -> Driver:
    """The minimum as the baseline, of endpoints that are polled: one without a maximum waits to be asked."""
    polled = {each.name: each.interval_min for each in world.endpoints.values() if each.interval_max is not None}
    return Hinting(world, Fixed(), baselines=polled)


def _always_max(world: World) -> Driver:
    polled = {each.name: each.interval_max for each in world.endpoints.values() if each.interval_max is not None}
    return Hinting(world, Fixed(), baselines=polled)


def _aimd(world: World) -> Driver:
    return Hinting(world, Aimd(world))


def _reactive(world: World) -> Driver:
    return Hinting(world, ReactiveOracle(world))


def _reading(world: World, reader: Reader) -> Driver:
    """The planner's passes know nothing of the calls: the first comes at any second of the first period."""
    first_pass = int(generator(world.seed, f"{world.name}/reader").integers(PASS_SECONDS))
    return Reading(world, reader, first_pass=first_pass)


CONTESTANTS: Mapping[str, Callable[[World], Driver]] = {
    "fixed": _fixed,
    "always-min": _always_min,
    "always-max": _always_max,
    "AIMD": _aimd,
    "reader as prompted": lambda world: _reading(world, Reader(world, stable=STABLE_SECONDS)),
    "reader, 5 minutes": lambda world: _reading(world, Reader(world)),
    "ideal reader": lambda world: _reading(world, Reader(world, look_back=None)),
    "no-key default": no_key_default,
    "rules": rules,
    "rules over default": rules_over_default,
    "ahead over default": ahead_over_default,
    "reactive oracle": _reactive,
}
"""Each makes a driver for a world. The four before the reactive oracle go through the product's `decide`."""
