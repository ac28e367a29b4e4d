"""Real workers, real servers, real faults: every mechanism keeps what it promises, and weak guards are found out.

A failure prints its seed and leaves its history in a folder: `python -m tests.chaos check FOLDER` reads it again.
"""

import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from cronicorn.domain.mechanism import Mechanism
from tests.chaos.facts import Facts
from tests.chaos.generator import Kind, faults, kinds
from tests.chaos.history import Reader
from tests.chaos.plan import Plan
from tests.chaos.run import check, run
from tests.chaos.stores import MECHANISMS, MUTANTS

DEFAULT_S = 32.0
OTHER_S = 15.0
MUTANT_S = 120.0
"""At most: a run ends with the first broken promise."""
CLAIMS_PER_S_MIN = 5.0
"""Fewer would say that the harness stood still."""
RUNS = [(backend, mechanism) for backend, mechanisms in MECHANISMS.items() for mechanism in mechanisms]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs SIGSTOP and libfaketime, as Linux has them")


@pytest.mark.parametrize(("backend", "mechanism"), RUNS)
def test_no_fault_breaks_a_promise(backend, mechanism):
    seconds = DEFAULT_S if (backend, mechanism) == RUNS[0] else OTHER_S
    plan = Plan.of(backend, mechanism, seed=secrets.randbelow(1_000_000), seconds=seconds)
    folder = _folder(plan)

    run(plan, folder)

    found, figures = check(folder)
    assert found == [], figures
    assert len(_facts(folder).claims) > CLAIMS_PER_S_MIN * seconds, figures
    if backend == "postgres":
        assert _wrong_clocks(folder), "no worker had a wrong clock"
    shutil.rmtree(folder)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_weak_guard_is_found_out_and_ends_the_run(mutant):
    plan = Plan.of("postgres", Mechanism.LEASE, seed=secrets.randbelow(1_000_000), seconds=MUTANT_S, mutant=mutant)
    folder = _folder(plan)

    found = run(plan, folder)

    assert found, check(folder)[1]
    assert not (folder / "final.pickle").exists(), "the run went on to its end"
    shutil.rmtree(folder)


@pytest.mark.parametrize(("backend", "mechanism"), RUNS)
def test_the_faults_of_a_seed_are_always_the_same_and_all_kinds_come(backend, mechanism):
    plan = Plan.of(backend, mechanism, seed=1, seconds=600)

    drawn = faults(plan)

    assert drawn == faults(plan)
    assert {fault.kind for fault in drawn} == set(kinds(plan))
    assert all(fault.worker in {None, *plan.targets} for fault in drawn)
    frozen = [fault.length for fault in drawn if fault.kind is Kind.FREEZE]
    assert plan.ttl_s / 2 <= min(frozen) < plan.ttl_s
    assert 2 * plan.ttl_s < max(frozen) <= plan.ttl_s * 3


def _folder(plan: Plan) -> Path:
    """Removed when all went well."""
    folder = Path(tempfile.mkdtemp(prefix=f"cronicorn-chaos-{plan.seed}-"))
    sys.stdout.write(f"seed {plan.seed}, history in {folder}\n")
    return folder


def _facts(folder: Path) -> Facts:
    facts = Facts()
    for line in Reader(folder).lines():
        facts.add(line)
    return facts


def _wrong_clocks(folder: Path) -> list[float]:
    """How far the clocks of workers were off when they started, those that were."""
    offsets = [line["offset"] for line in Reader(folder).lines() if line["what"] == "up"]
    return [offset for offset in offsets if isinstance(offset, float) and abs(offset) > 1]
