"""Which invariant a contract test proves, so that a store is held to what its mechanism keeps, and to no more.

A test that says nothing is for every mechanism. What is not promised is skipped and says so; `not_promised` lists it,
for a test that names every one.
"""

import inspect
from collections.abc import Callable
from typing import TypeVar

from cronicorn.domain.mechanism import KEPT, Invariant, Mechanism

_PROVES = "_proves"
_RENEWING = "_renewing"
F = TypeVar("F", bound=Callable[..., object])


def proves(*invariants: Invariant, renewing: bool = False) -> Callable[[F], F]:
    """Mark a test as proof of *invariants*; with *renewing* it is about extending leases as well."""

    def mark(test: F) -> F:
        setattr(test, _PROVES, frozenset(invariants))
        setattr(test, _RENEWING, renewing)
        return test

    return mark


def why_not(test: object, mechanism: Mechanism) -> str | None:
    """Why *mechanism* does not promise what *test* proves; None when it does."""
    missing: frozenset[Invariant] = getattr(test, _PROVES, frozenset()) - KEPT[mechanism]
    if missing:
        names = ", ".join(sorted(invariant.name for invariant in missing))
        return f"not promised: {mechanism.value} does not keep {names}"
    if getattr(test, _RENEWING, False) and not mechanism.renewable:
        return f"not promised: {mechanism.value} is never renewed"
    return None


def not_promised(suite: type, mechanism: Mechanism) -> frozenset[str]:
    """The names of the tests of *suite* that *mechanism* is not held to."""
    tests = inspect.getmembers(suite, inspect.isfunction)
    return frozenset(name for name, test in tests if name.startswith("test_") and why_not(test, mechanism) is not None)
