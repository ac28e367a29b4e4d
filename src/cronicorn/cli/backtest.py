"""`cronicorn backtest`: what a policy would have made of what is on record."""

from datetime import timedelta
from typing import Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.options import EndpointArgument, read_length
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import ObjectOption, print_json


@at_place
def backtest(
    endpoint: EndpointArgument,
    *,
    policy: Annotated[
        str, typer.Option("--policy", metavar="FILE", help="The policy to try, YAML or JSON; - reads stdin.")
    ],
    over: Annotated[str, typer.Option("--over", metavar="LENGTH", help="How far back the record is read.")] = "30d",
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Replay the recorded runs of an endpoint under another policy, and compare. Nothing is called or changed.

    What lies between two recorded runs is told as two bounds, never as one number.

    Examples: cronicorn backtest shop/stock --policy policy.yaml · cronicorn backtest shop/stock --policy policy.yaml
    --over 7d --json
    """
    run(_backtest(place, endpoint, policy, _over(over), as_json=as_json))


def _over(text: str) -> timedelta:
    from cronicorn.control.policies import HOURS_LEAST, HOURS_MAX
    from cronicorn.domain.durations import show_duration
    from cronicorn.domain.errors import InvalidInputError

    over, least = read_length(text, "--over"), timedelta(hours=HOURS_LEAST)
    if not least <= over <= timedelta(hours=HOURS_MAX):
        raise InvalidInputError(f"--over must be at least {show_duration(least)} and at most {HOURS_MAX // 24}d.")
    return over


async def _backtest(place: Place, endpoint: str, policy: str, over: timedelta, *, as_json: bool) -> None:
    from cronicorn.cli.backtest_lines import backtest_document, backtest_lines
    from cronicorn.cli.finding import find_endpoint
    from cronicorn.cli.policy_file import read_policy_file
    from cronicorn.cli.terminal import working
    from cronicorn.domain.policy.text import policy_document

    given = {"policy": policy_document(read_policy_file(policy)), "overHours": over / timedelta(hours=1)}
    async with reached(place, to_read=True) as there:
        named = await find_endpoint(there, endpoint)
        with working("Backtesting"):
            found = await there.post(f"/endpoints/{named.id}/backtest", given)
    if as_json:
        print_json(backtest_document(named.name, found))
    else:
        print("\n".join(backtest_lines(named.name, found)))
