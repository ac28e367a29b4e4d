"""`cronicorn simulate`: what the scheduler makes of a scenario, and whether that is as expected."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cronicorn.cli.yaml_file import YamlFile
    from cronicorn.sim.scenario import Scenario
    from cronicorn.sim.simulation import Simulated

BROKEN = 1


def simulate(
    scenario: Annotated[
        str | None, typer.Argument(metavar="SCENARIO.yaml", help="The scenario, YAML or JSON; - reads stdin.")
    ] = None,
    *,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="FILE", help="Try this policy instead of the scenario's own.")
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="NAME", help="Whose policy --policy replaces.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Instead of the scenario's own.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object with the whole history.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of scenarios, and end.")] = False,
) -> None:
    """Run a scenario on a virtual clock: the real scheduler and rules, made-up answers. Nothing is called.

    Exits with 0 when every expectation held, with 1 when one did not, and with 2 for bad input.

    The same scenario and seed print the same, always.

    Example: cronicorn simulate scenario.yaml --seed 7
    """
    from dataclasses import replace

    from cronicorn.cli.terminal import working
    from cronicorn.domain.errors import InvalidInputError
    from cronicorn.sim.simulation import run_scenario

    if schema:
        from cronicorn.sim.schema import schema_text

        print(schema_text(), end="")
        return
    if scenario is None:
        raise InvalidInputError("Name the scenario's file, or - for stdin; --schema prints the format.")
    read = _scenario(scenario)
    if policy is not None or endpoint is not None:
        read = _with_policy(read, policy, endpoint)
    with working("Simulating"):
        simulated = run_scenario(read if seed is None else replace(read, seed=seed))
    _show(simulated, as_json=as_json)
    if not simulated.held:
        raise typer.Exit(BROKEN)


def _scenario(path: str) -> "Scenario":
    """The scenario in the file at *path*; policies that it names by file are sought beside it."""
    from cronicorn.cli.policy_file import read_policy_file
    from cronicorn.cli.yaml_file import locating
    from cronicorn.sim.scenario_reading import scenario_of

    folder = Path() if path == "-" else Path(path).parent
    file = _yaml(path)
    with locating(file):
        return scenario_of(file.value, lambda name: read_policy_file(str(folder / name)))


def _yaml(path: str) -> "YamlFile":
    from cronicorn.cli.yaml_file import read_yaml_file
    from cronicorn.domain.errors import InvalidInputError, NotFoundError

    try:
        return read_yaml_file(path)
    except NotFoundError as error:  # Whatever keeps a simulation from beginning ends with 2.
        raise InvalidInputError(str(error)) from error


def _with_policy(scenario: "Scenario", policy: str | None, endpoint: str | None) -> "Scenario":
    from cronicorn.cli.policy_file import read_policy_file
    from cronicorn.domain.errors import InvalidInputError
    from cronicorn.sim.scenario_reading import with_policy

    if policy is None:
        raise InvalidInputError("--endpoint says whose policy --policy replaces: give both.")
    names = [each.endpoint.name for each in scenario.endpoints]
    ruled = [each.endpoint.name for each in scenario.endpoints if each.endpoint.policy is not None]
    if endpoint is None and len(names) > 1 and len(ruled) != 1:
        raise InvalidInputError(f"Say whose policy this is with --endpoint: one of {', '.join(names[:20])}.")
    return with_policy(scenario, endpoint or (ruled if len(ruled) == 1 else names)[0], read_policy_file(policy))


def _show(simulated: "Simulated", *, as_json: bool) -> None:
    import json

    from cronicorn.cli.columns import columns
    from cronicorn.sim import history_lines
    from cronicorn.sim.history_json import history_document

    if as_json:
        print(json.dumps(history_document(simulated), ensure_ascii=False, indent=1))
        return
    table = columns(history_lines.HEADINGS, history_lines.rows(simulated))
    told = [history_lines.heading(simulated), "", *table, *history_lines.details(simulated)]
    print("\n".join([*told, "", *history_lines.expectations(simulated)]))
