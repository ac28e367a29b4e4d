"""Letting a model compile every case, and saying whether what it wrote will do."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean
from typing import Any

from benchmarks.compile_eval.agreement import EVERY, INTERVAL_MAX, INTERVAL_MIN, SEQUENCES, agreement
from benchmarks.compile_eval.cases import CASES, PROFILED, Case, Kind
from cronicorn.adapters.memory.database import MemoryDatabase
from cronicorn.adapters.memory.quota import MemoryQuota
from cronicorn.domain.compilation.answer_profile import profile_of
from cronicorn.domain.compilation.judging import judged
from cronicorn.domain.endpoint import Baseline, JobEndpoint
from cronicorn.domain.fixtures import MIDNIGHT, a_lease, a_run, an_endpoint, an_outcome
from cronicorn.domain.policy.policy import Policy
from cronicorn.domain.policy.reading import policy_of
from cronicorn.domain.quota.allowance import Allowance, Tiers
from cronicorn.domain.run import Run
from cronicorn.scheduler import AIClient
from cronicorn.scheduler.brief import Brief
from cronicorn.scheduler.compiling import Compiled, Compiler, PolicyJudgement
from cronicorn.testing.clocks import VirtualClock

AGREEMENT_MIN = 0.95
"""Of explicit and injected cases, each by itself being shown, their mean must reach this."""
_TOKENS = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What came of one case."""

    case: Case
    accepted: bool
    """Whether a policy came of it that validators accept."""
    refused: bool
    """Whether nothing will be done: no policy, or one without rules that says what it leaves out."""
    agreement: float | None
    """None where nothing is expected, and where nothing came."""
    tokens: int
    rounds: int
    findings: tuple[str, ...]


async def evaluate(
    client: AIClient, model: str, *, cases: Sequence[Case] = CASES, sequences: int = SEQUENCES
) -> list[Evaluated]:
    """Compile each of *cases* with *client*, as the product does."""
    quota = MemoryQuota(
        MemoryDatabase(VirtualClock()), Tiers(allowances={"free-tier": Allowance(limit=_TOKENS, burst=None)})
    )
    compiler = Compiler(client, quota, model)
    return [await _evaluated(compiler, case, sequences) for case in cases]


async def _evaluated(compiler: Compiler, case: Case, sequences: int) -> Evaluated:
    endpoint = endpoint_of(case)
    profile = profile_of(list(_runs(case, endpoint)))
    siblings = list(case.family.siblings)

    async def judge(policy: Policy) -> PolicyJudgement:
        return PolicyJudgement(findings=judged(policy, endpoint, profile, siblings))

    brief = Brief(endpoint=endpoint, siblings=siblings, profile=profile)
    compiled = await compiler.compile(brief, judge, f"compile:{case.id}")
    if compiled.error is not None:
        raise compiled.error
    return Evaluated(
        case=case, accepted=compiled.accepted, refused=_refused(compiled),
        agreement=_agreement(case, compiled, sequences), tokens=compiled.spent.tokens, rounds=compiled.spent.rounds,
        findings=tuple(each.message for each in compiled.judgement.findings),
    )  # fmt: skip


def _refused(compiled: Compiled) -> bool:
    policy = compiled.policy
    return not compiled.accepted or (policy is not None and not policy.rules and bool(policy.unsupported))


def _agreement(case: Case, compiled: Compiled, sequences: int) -> float | None:
    """What failed leaves the endpoint at its baseline, which agrees with a policy as far as that does nothing."""
    if case.expected is None:
        return None
    found = compiled.policy if compiled.accepted and compiled.policy is not None else Policy()
    return agreement(case, policy_of({"version": 1, **case.expected}), found, sequences)


def endpoint_of(case: Case) -> JobEndpoint:
    """The endpoint that *case* describes."""
    return an_endpoint(
        description=case.description, baseline=Baseline(interval=EVERY), interval_min=INTERVAL_MIN,
        interval_max=INTERVAL_MAX,
    )  # fmt: skip


def _runs(case: Case, endpoint: JobEndpoint) -> Iterator[Run]:
    lease = a_lease(endpoint)
    for number, answer in enumerate(case.answers(-1, PROFILED)):
        body = {name: value for name, value in answer.items() if not name.startswith("~")} | dict(case.extra)
        outcome = an_outcome(answer.get("~status", 200), body=json.dumps(body), body_is_json=True)
        began = MIDNIGHT + timedelta(minutes=number)
        yield a_run(lease, outcome, slot=number + 1, started_at=began, finished_at=began)


def summary(results: Sequence[Evaluated]) -> list[Mapping[str, Any]]:
    """A row for each kind of case."""
    rows: list[Mapping[str, Any]] = []
    for kind in Kind:
        of_kind = [each for each in results if each.case.kind is kind]
        shares = [each.agreement for each in of_kind if each.agreement is not None]
        rows.append(
            {
                "kind": kind.value,
                "cases": len(of_kind),
                "accepted": sum(each.accepted for each in of_kind),
                "refused": sum(each.refused for each in of_kind),
                "agreement %": 100 * fmean(shares) if shares else None,
                "worst %": 100 * min(shares) if shares else None,
                "rounds": fmean(each.rounds for each in of_kind) if of_kind else None,
                "tokens": fmean(each.tokens for each in of_kind) if of_kind else None,
            }
        )
    return rows


def broken_gates(results: Sequence[Evaluated]) -> list[str]:
    """What would keep the model from being recommended, as sentences."""
    broken = []
    for kind in (Kind.EXPLICIT, Kind.INJECTED):
        shares = [each.agreement for each in results if each.case.kind is kind and each.agreement is not None]
        if shares and fmean(shares) < AGREEMENT_MIN:
            broken.append(f"{kind}: the agreement is {fmean(shares):.1%}, and {AGREEMENT_MIN:.0%} are demanded.")
    taken = [each.case.id for each in results if each.case.kind is Kind.CONTRADICTORY and not each.refused]
    if taken:
        broken.append(f"contradictory: all must be refused, and these were not: {', '.join(taken)}.")
    return broken
