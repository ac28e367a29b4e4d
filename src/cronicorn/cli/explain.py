"""`cronicorn explain`: when an endpoint runs next, and why then."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run

if TYPE_CHECKING:
    from rich.tree import Tree

    from cronicorn.control.schedules import ExplainedPlan, Explanation
    from cronicorn.domain.hint import Hint


def explain(
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="Its id, or its name as job/endpoint.")],
    *,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show when an endpoint runs next, and every candidate and step that led there."""
    run(_explain(endpoint, database, tenant, as_json=as_json))


async def _explain(endpoint: str, database: str | None, tenant: str, *, as_json: bool) -> None:
    import json

    from cronicorn.cli.endpoint_names import find_endpoint
    from cronicorn.cli.local import opened
    from cronicorn.cli.terminal import console

    async with opened(database) as local:
        principal = local.principal(tenant)
        named = await find_endpoint(local.control, principal, endpoint)
        explanation = await local.control.schedules.explain(principal, named.endpoint.id)
    if as_json:
        print(json.dumps({"name": named.name, **_as_json(explanation)}, ensure_ascii=False, indent=2))
    else:
        console().print(_as_tree(named.name, explanation), soft_wrap=True)


def _as_json(explanation: "Explanation") -> dict[str, object]:
    from cronicorn.cli.instants import written

    return {
        "id": explanation.endpoint.id,
        "now": written(explanation.now),
        "running": explanation.leased,
        "plan": None if explanation.stored is None else _plan_as_json(explanation.stored),
        "planned_now": _plan_as_json(explanation.current),
        "hints": [_hint_as_json(hint) for hint in explanation.hints],
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


def _as_tree(name: str, explanation: "Explanation") -> "Tree":
    from rich.text import Text
    from rich.tree import Tree

    from cronicorn.cli.instants import written

    tree = Tree(Text(f"{name} ({explanation.endpoint.id}) at {written(explanation.now)}", style="bold"))
    if explanation.leased:
        tree.add("A worker is calling it now; it is planned again when the call ends.")
    if explanation.stored is not None:
        _add_plan(tree, "The plan in force", explanation.stored)
    _add_plan(tree, "If it were planned now", explanation.current)
    for hint in explanation.hints:
        shown = ", ".join(f"{key} {value}" for key, value in _hint_as_json(hint).items() if value is not None)
        tree.add(Text(f"Hint: {shown}"))
    return tree


def _add_plan(tree: "Tree", title: str, explained: "ExplainedPlan") -> None:
    from rich.text import Text

    from cronicorn.cli.instants import written

    at = explained.plan.next_run_at
    when = "nothing planned" if at is None else written(at)
    branch = tree.add(Text.assemble(f"{title}: ", (when, "bold green"), f", source {explained.plan.source.value}"))
    styles = {"won": "green", "applied": "yellow"}
    for step in explained.steps:
        moment = "" if step.at is None else f" {written(step.at)}"
        author = "" if step.author is None else f" by a {step.author}"
        head = (f"{step.verdict:<7} {step.step}{author}{moment}", styles.get(step.verdict, "dim"))
        branch.add(Text.assemble(head, f"  {step.why}"))
