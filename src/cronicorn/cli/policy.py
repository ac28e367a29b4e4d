"""`cronicorn policy`: what a policy may say, and whether one says what its author means."""

from typing import TYPE_CHECKING, Annotated

import typer

from cronicorn.cli import policy_drafts, policy_proposals
from cronicorn.cli.options import read_length
from cronicorn.cli.showing import ObjectOption, print_json

if TYPE_CHECKING:
    from datetime import timedelta


app = typer.Typer(
    help="Show the rule language, check and propose policies, and compile descriptions.", no_args_is_help=True
)
app.command("compile")(policy_drafts.compile_description)
app.command("propose")(policy_proposals.propose)
app.command("show")(policy_drafts.show)
app.command("diff")(policy_drafts.diff)
app.command("activate")(policy_drafts.activate)
app.command("reject")(policy_drafts.reject)

FAILED = 1


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of policies, for editors and forms.

    Example: cronicorn policy schema > policy.schema.json
    """
    from cronicorn.domain.policy.json_schema import policy_schema

    print_json(policy_schema())


@app.command("check")
def check(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The policy, YAML or JSON; - reads stdin.")],
    *,
    every: Annotated[
        str, typer.Option("--every", metavar="LENGTH", help="The interval of its endpoint; none for other schedules.")
    ] = "5m",
    least: Annotated[
        str | None, typer.Option("--min", metavar="LENGTH", help="The minimum interval of its endpoint.")
    ] = None,
    most: Annotated[
        str | None, typer.Option("--max", metavar="LENGTH", help="The maximum interval of its endpoint.")
    ] = None,
    as_json: ObjectOption = False,
) -> None:
    """Check a policy, say each of its rules in plain English, and run the tests it holds. Nothing is called.

    Exits with 0 when every test held, with 1 when one failed, and with 2 for a file that is no policy.

    Examples: cronicorn policy check policy.yaml --every 1m --min 10s · cronicorn policy check policy.yaml --json
    """
    from cronicorn.cli.checked_policy import checked
    from cronicorn.cli.policy_file import read_policy_file
    from cronicorn.domain.trying import Cadence

    cadence = Cadence(
        every=None if every == "none" else _interval(every, "--every"),
        interval_min=None if least is None else _interval(least, "--min"),
        interval_max=None if most is None else _interval(most, "--max"),
    )
    found = checked(read_policy_file(file), cadence)
    if as_json:
        print_json(found.document())
    else:
        print("\n".join(found.lines()))
    if not found.held:
        raise typer.Exit(FAILED)


def _interval(text: str, option: str) -> "timedelta":
    from cronicorn.domain.errors import InvalidInputError
    from cronicorn.domain.instant import INTERVAL_LEAST

    interval = read_length(text, option)
    if interval < INTERVAL_LEAST:
        raise InvalidInputError(f"{option} must be at least 1s, not {text}.")
    return interval
