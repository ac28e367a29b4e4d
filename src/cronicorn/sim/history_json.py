"""A simulation as JSON: every call, every hint, what happened, and what was expected."""

from datetime import datetime, timedelta

from cronicorn.domain.hint import Hint
from cronicorn.domain.instant import MILLISECOND, instant_text, shifted
from cronicorn.domain.policy.steps import PolicySteps
from cronicorn.sim.chronicle import HintChange, Occurrence, SimulatedCall
from cronicorn.sim.simulation import Simulated

_Members = dict[str, object]


def history_document(simulated: Simulated) -> _Members:
    """The history of *simulated* and its expectations."""
    scenario, chronicle = simulated.scenario, simulated.chronicle
    start = scenario.start
    return {
        "scenario": scenario.name,
        "seed": scenario.seed,
        "start": instant_text(start),
        "length_s": scenario.length,
        "held": simulated.held,
        "expectations": [
            {"name": each.name, "kind": each.kind, "held": verdict.held, "seen": verdict.seen}
            for each, verdict in simulated.verdicts
        ],
        "calls": [_call(call, start) for call in chronicle.calls],
        "hints": [_steer(steer, start) for steer in chronicle.steers],
        "events": [_happening(each, start) for each in chronicle.happenings],
    }


def _at(start: datetime, time: float) -> str:
    return instant_text(shifted(start, timedelta(seconds=time)))


def _call(call: SimulatedCall, start: datetime) -> _Members:
    run, settlement = call.run, call.settlement
    plan = settlement.state.plan if settlement is not None else None
    hints = settlement.state.hints if settlement is not None else ()
    record = settlement.record if settlement is not None else None
    next_at = plan.next_run_at if plan is not None else None
    return {
        "endpoint": call.endpoint,
        "at": _at(start, call.at),
        "elapsed_s": round(call.at, 3),
        "worker": call.worker,
        "slot": call.slot,
        "attempt": run.attempt if run is not None else None,
        "status": call.fate.value,
        "outcome": run.outcome.kind.value if run is not None else None,
        "status_code": run.outcome.status_code if run is not None else None,
        "duration_ms": round(run.outcome.duration / MILLISECOND, 3) if run is not None else None,
        "due_at": instant_text(run.due_at) if run is not None else None,
        "source": run.source.value if run is not None else None,
        "next_at": instant_text(next_at) if next_at is not None else None,
        "next_source": plan.source.value if plan is not None else None,
        "hints": [hint_members(hint) for hint in hints],
        "rules": _rules(record.own) if record is not None and record.own is not None else [],
    }


def _rules(steps: PolicySteps) -> list[_Members]:
    """What the rules did that stand elsewhere now, or did something."""
    return [
        {"rule": step.rule, "phase": step.phase.name.lower(), "did": list(step.did)}
        for step in steps.rules
        if step.did or step.phase is not step.was.phase
    ]


def hint_members(hint: Hint) -> _Members:
    """A hint, with the rule or the signal that wrote it as its key."""
    return {
        "kind": hint.kind.value,
        "author": hint.author.value,
        "key": hint.key,
        "interval_s": hint.interval.total_seconds() if hint.interval is not None else None,
        "at": instant_text(hint.at) if hint.at is not None else None,
        "expires_at": instant_text(hint.expires_at),
        "reason": hint.reason,
    }


def _steer(steer: HintChange, start: datetime) -> _Members:
    return {
        "endpoint": steer.endpoint,
        "at": _at(start, steer.at),
        "ended": steer.ended,
        "hint": hint_members(steer.hint),
    }


def _happening(happening: Occurrence, start: datetime) -> _Members:
    return {"endpoint": happening.endpoint, "at": _at(start, happening.at), "event": happening.what}
