"""Each invariant that a mechanism keeps is tried on it: none is missing without a word."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cronicorn.domain.mechanism import KEPT, Invariant, Mechanism
from tests.invariants.worlds import FIRST_COME, KINDS, Kind

HERE = Path(__file__).parent


def tried() -> Iterator[tuple[Kind, Invariant]]:
    """What the tests of this folder are collected for, by the marks and names of the tests themselves."""
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(f"tests.invariants.{path.stem}")
        for name, test in vars(module).items():
            number = name.removeprefix("test_i")[:2]
            if not name.startswith("test_i") or not number.isdigit():
                continue
            for mark in getattr(test, "pytestmark", []):
                if mark.name == "parametrize" and mark.args[0] in {"world", "live"}:
                    for parameter in mark.args[1]:
                        yield parameter.values[0], Invariant[f"I{int(number)}"]


TRIED = set(tried())


@pytest.mark.parametrize("mechanism", Mechanism)
def test_every_invariant_that_a_mechanism_keeps_is_tried_on_it(mechanism: Mechanism):
    found = {invariant for kind, invariant in TRIED if kind.mechanism is mechanism}

    assert sorted(KEPT[mechanism] - found) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_invariant_that_a_store_promises_is_tried_on_it(kind: Kind):
    assert {invariant for tried_on, invariant in TRIED if tried_on is kind} == {
        invariant for invariant in Invariant if kind.promises(invariant)
    }


def test_nothing_is_tried_that_is_not_promised():
    assert [(kind.name, invariant) for kind, invariant in TRIED if not kind.promises(invariant)] == []


def test_what_a_store_leaves_out_is_about_many_tenants_or_many_mechanisms():
    left_out = frozenset[Invariant]().union(*(kind.without for kind in KINDS if "caps" not in kind.name))

    assert left_out == FIRST_COME | {Invariant.I21}
