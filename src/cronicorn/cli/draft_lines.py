"""A draft of a policy, for people and for programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cronicorn.cli.showing import cell, snaked

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def draft_document(name: str, draft: Mapping[str, Any]) -> dict[str, object]:
    """A draft, with the keys that `cronicorn policy show --json` prints; *name* is that of its endpoint."""
    figures = draft["figures"]
    return {
        "id": draft["id"],
        "endpoint": name,
        **snaked(
            draft, "status", "reason", "description", "policy", "differences", "findings", "unsupported"
        ),
        "figures": None if figures is None else snaked(
            figures, "recorded_runs", "calls_per_day_before", "calls_per_day_after", "flips_per_hour", "later_share",
            "because",
        ),
        **snaked(
            draft, "model", "tokens", "rounds", "created_at", "created_by", "decided_at", "decided_by"
        ),
    }  # fmt: skip


def draft_lines(name: str, draft: Mapping[str, Any]) -> Iterator[str]:
    """A draft as lines; *name* is that of its endpoint."""
    yield f"Draft {draft['id']} of {name}: {draft['status'].replace('_', ' ')}"
    yield f"  made {draft['createdAt']} by {cell(draft['createdBy'])} ({draft['reason']}), {_spent(draft)}"
    if draft["decidedAt"] is not None:
        yield f"  decided {draft['decidedAt']} by {cell(draft['decidedBy'])}"
    if draft["policy"] is not None:
        yield ""
        yield from map(cell, draft["inWords"])
    yield ""
    yield from difference_lines(draft["differences"])
    if draft["findings"]:
        yield ""
        for each in draft["findings"]:
            yield f"{each['severity']}: {cell(each['pointer'] or '/')}: {cell(each['message'])}"
    if draft["figures"] is not None:
        yield ""
        yield from _figure_lines(draft["figures"])


def difference_lines(differences: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each part that is not the same."""
    if not differences:
        yield "It changes nothing of the policy in force."
    for each in differences:
        before, after = (cell(json.dumps(each[side], ensure_ascii=False)) for side in ("before", "after"))
        shown = {"added": after, "removed": before, "changed": f"{before} → {after}"}[each["step"]]
        yield f"{_SIGNS[each['step']]} {cell(each['what'])} {cell(each['name'])}: {shown}"


def _spent(draft: Mapping[str, Any]) -> str:
    if not draft["model"]:
        return "no model was asked"
    rounds = "one round" if draft["rounds"] == 1 else f"{draft['rounds']} rounds"
    return f"{draft['tokens']:,} tokens of {cell(draft['model'])} in {rounds}"


def _figure_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    before, after = figures["callsPerDayBefore"], figures["callsPerDayAfter"]
    yield f"On {figures['recordedRuns']:,} recorded runs: {cell(figures['because'])}"
    if before is not None and after is not None:
        yield f"  calls a day  {before:,.0f} → {after:,.0f}"
    if figures["flipsPerHour"] is not None:
        yield f"  rules come and go  {figures['flipsPerHour']:.2f} times an hour"
    if figures["laterShare"] is not None:
        yield f"  found later than it happened  {figures['laterShare']:.0%} of the times"
