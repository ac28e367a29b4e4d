"""`python -m benchmarks compile-eval`: with the model that the settings name, or with drafts written by hand."""

import asyncio
import os
import sys

from benchmarks.compile_eval.agreement import SEQUENCES
from benchmarks.compile_eval.cases import CASES
from benchmarks.compile_eval.evaluating import Evaluated, broken_gates, evaluate, summary
from benchmarks.compile_eval.stand_ins import StandIn, as_recorded
from benchmarks.report import Report
from cronicorn.wiring.model import model_client
from cronicorn.wiring.settings import Settings

BY_HAND = "drafts written by hand, no model"


def run(*, as_json: bool, quick: bool) -> None:
    """Compile, compare and show; ends with 1 where a gate is broken."""
    sequences = 3 if quick else SEQUENCES
    name, results = asyncio.run(_results(sequences))
    about = f"{len(CASES)} descriptions, {name}; agreement by behaviour on {sequences} random sequences"
    Report(name="compile-eval", about=about, rows=summary(results)).show(as_json=as_json)
    for each in results:
        if each.agreement is not None and each.agreement < 1.0:
            told = f" ({each.findings[0]})" if each.findings else ""
            print(f"{each.case.id}: {each.agreement:.1%}{told}", file=sys.stderr)
    broken = broken_gates(results)
    if broken:
        raise SystemExit("\n".join(["Gates broken:", *broken]))


async def _results(sequences: int) -> tuple[str, list[Evaluated]]:
    settings = Settings.from_env(os.environ)
    async with model_client(settings) as client:
        if client is None or settings.ai_model is None:
            return BY_HAND, await evaluate(StandIn(as_recorded), BY_HAND, sequences=sequences)
        return settings.ai_model, await evaluate(client, settings.ai_model, sequences=sequences)
