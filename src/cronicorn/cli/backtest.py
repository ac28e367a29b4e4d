"""`cronicorn backtest`: what a policy would have made of what is on record."""

from datetime import timedelta
from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run


def backtest(
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="Its id, or its name as job/endpoint.")],
    *,
    policy: Annotated[
        str, typer.Option("--policy", metavar="FILE", help="The policy to try, YAML or JSON; - reads stdin.")
    ],
    over: Annotated[str, typer.Option("--over", metavar="LENGTH", help="How far back the record is read.")] = "30d",
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Replay the recorded runs of an endpoint under another policy, and compare. Nothing is called or changed.

    What lies between two recorded runs is told as two bounds, never as one number.

    Examples: cronicorn backtest shop/stock --policy policy.yaml · cronicorn backtest shop/stock --policy policy.yaml
    --over 7d --json
    """
    run(_backtest(endpoint, policy, _length(over), (database, tenant), as_json=as_json))


def _length(text: str) -> timedelta:
    from cronicorn.control.policies import HOURS_MAX
    from cronicorn.domain.durations import parse_duration
    from cronicorn.domain.errors import InvalidInputError
    from cronicorn.domain.instant import ZERO

    try:
        length = parse_duration(text)
    except ValueError as error:
        raise InvalidInputError(f"--over must be {error}.") from None
    if not ZERO < length <= timedelta(hours=HOURS_MAX):
        raise InvalidInputError(f"--over must be more than nothing and at most {HOURS_MAX // 24}d.")
    return length


async def _backtest(
    endpoint: str, policy: str, over: timedelta, where: tuple[str | None, str], *, as_json: bool
) -> None:
    import json

    from cronicorn.cli.backtest_lines import backtest_document, backtest_lines
    from cronicorn.cli.endpoint_names import find_endpoint
    from cronicorn.cli.local import opened_to_read
    from cronicorn.cli.policy import read_policy_file

    database, tenant = where
    tried = read_policy_file(policy)
    async with opened_to_read(database) as local:
        principal = local.principal(tenant)
        named = await find_endpoint(local.control, principal, endpoint)
        found = await local.control.policies.backtest(principal, named.endpoint.id, tried, over)
    if as_json:
        print(json.dumps(backtest_document(named.name, found), ensure_ascii=False, indent=2))
    else:
        print("\n".join(backtest_lines(named.name, found)))
