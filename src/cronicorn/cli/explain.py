"""`cronicorn explain`: when an endpoint runs next, and why then."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run

if TYPE_CHECKING:
    from cronicorn.control.analyses import AnalysisList
    from cronicorn.control.schedules import ExplainedPlan, Explanation, OverLimit
    from cronicorn.domain.counterfactuals import Counterfactual
    from cronicorn.domain.hint import Hint


def explain(
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="Its id, or its name as job/endpoint.")],
    *,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="INSTANT",
            help="What was decided last before this (09:30:00Z is today's), and planned then.",
        ),
    ] = None,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show when an endpoint runs next, and every candidate and step that led there; or why not at another instant."""
    if at is None:
        run(_explain(endpoint, database, tenant, as_json=as_json))
    else:
        from cronicorn.cli.past_decision import explain_at

        run(explain_at(endpoint, at, (database, tenant), as_json=as_json))


async def _explain(endpoint: str, database: str | None, tenant: str, *, as_json: bool) -> None:
    import json

    from cronicorn.cli.endpoint_names import find_endpoint
    from cronicorn.cli.explanation_tree import add_follow_up, add_unexplained_skip, explanation_tree
    from cronicorn.cli.local import opened_to_read
    from cronicorn.cli.terminal import console
    from cronicorn.domain.history import RunQuery
    from cronicorn.domain.slot import SlotState

    async with opened_to_read(database) as local:
        principal = local.principal(tenant)
        named = await find_endpoint(local.control, principal, endpoint)
        explanation = await local.control.schedules.explain(principal, named.endpoint.id)
        analyses = await local.control.analyses.list(principal, named.endpoint.id, limit=1)
        page = await local.control.runs.skips(principal, named.endpoint.id, 1, SlotState.SKIPPED_QUOTA)
        latest = (await local.control.runs.list(principal, named.endpoint.id, RunQuery(limit=1))).runs
    if as_json:
        told = {"name": named.name, **_as_json(explanation), **_again_as_json(analyses)}
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        tree = explanation_tree(named.name, explanation, latest[0] if latest else None)
        add_follow_up(tree, analyses, explanation)
        add_unexplained_skip(tree, page.skips, explanation)
        console().print(tree)


def _as_json(explanation: "Explanation") -> dict[str, object]:
    from cronicorn.cli.instants import written

    held = explanation.held
    return {
        "id": explanation.endpoint.id,
        "now": written(explanation.now),
        "running": explanation.running,
        "plan": None if explanation.stored is None else _plan_as_json(explanation.stored),
        "planned_now": _plan_as_json(explanation.current),
        "hints": [_hint_as_json(hint) for hint in explanation.hints],
        "otherwise": [_otherwise_as_json(each) for each in explanation.otherwise],
        "held": None if held is None else {"until": written(held.until), "reason": held.reason},
        "over_limit": None if explanation.over_limit is None else _over_limit_as_json(explanation.over_limit),
    }


def _over_limit_as_json(over: "OverLimit") -> dict[str, object]:
    from cronicorn.cli.instants import written
    from cronicorn.domain.slot import SlotState

    return {
        "state": SlotState.SKIPPED_QUOTA.value,
        "reason": over.ration.reason,
        "next_at": None if over.next_at is None else written(over.next_at),
        "last_at": None if over.last_at is None else written(over.last_at),
        "until": written(over.ration.month.end_at),
    }


def _again_as_json(analyses: "AnalysisList") -> dict[str, object]:
    from cronicorn.cli.instants import written

    at = analyses.follow_up_at
    return {"next_analysis_at": None if at is None else written(at)}


def _otherwise_as_json(each: "Counterfactual") -> dict[str, object]:
    from cronicorn.cli.instants import written

    at = each.plan.next_run_at
    return {
        "without": each.without,
        "next_run_at": None if at is None else written(at),
        "source": each.plan.source.value,
        "matters": each.matters,
    }


def _plan_as_json(explained: "ExplainedPlan") -> dict[str, object]:
    from cronicorn.cli.planned import plan_as_json

    return plan_as_json(explained.plan)


def _hint_as_json(hint: "Hint") -> dict[str, object]:
    from cronicorn.cli.instants import written

    return {
        "kind": hint.kind.value,
        "author": hint.author.value,
        "interval_ms": None if hint.interval is None else round(hint.interval.total_seconds() * 1_000),
        "at": None if hint.at is None else written(hint.at),
        "expires_at": written(hint.expires_at),
        "reason": hint.reason,
    }
