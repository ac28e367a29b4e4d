"""`cronicorn policy propose`: a policy that somebody wrote, as a draft that waits for a person."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.options import EndpointArgument
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached
from cronicorn.cli.showing import DryRunOption, ObjectOption, print_json

if TYPE_CHECKING:
    from cronicorn.cli.interface import Interface
    from cronicorn.cli.yaml_file import YamlFile
    from cronicorn.domain.policy.policy import Policy


@at_place
def propose(
    endpoint: EndpointArgument,
    *,
    policy: Annotated[
        str, typer.Option("--policy", metavar="FILE", help="The policy to propose, YAML or JSON; - reads stdin.")
    ],
    dry_run: DryRunOption = False,
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Keep a policy as a draft, tried on the record, that waits for somebody to activate it. No model is asked.

    It takes the place of a draft that waits already. Refused where a rule can't hold for the endpoint.

    Examples: cronicorn policy propose shop/stock --policy policy.yaml · cronicorn policy propose shop/stock --policy
    policy.yaml --dry-run
    """
    run(_propose(place, endpoint, policy, dry_run=dry_run, as_json=as_json))


async def _propose(place: Place, endpoint: str, path: str, *, dry_run: bool, as_json: bool) -> None:
    import sys

    from cronicorn.cli.draft_lines import draft_document, draft_lines
    from cronicorn.cli.finding import find_endpoint
    from cronicorn.cli.policy_file import located_policy

    given = located_policy(path)
    async with reached(place, to_read=dry_run) as there:
        named = await find_endpoint(there, endpoint)
        made = await _kept(there, named.id, given, dry_run=dry_run)
    if as_json:
        print_json(draft_document(named.name, made))
        return
    print("\n".join(draft_lines(named.name, made)))
    then = "Nothing was kept." if dry_run else "`cronicorn policy activate` puts it in force, `policy reject` does not."
    print(then, file=sys.stderr)


async def _kept(
    there: "Interface", endpoint_id: str, given: "tuple[Policy, YamlFile]", *, dry_run: bool
) -> dict[str, Any]:
    """The draft that the policy in a file became. Raises InvalidInputError with every fault, each on its line."""
    from dataclasses import replace

    from cronicorn.cli.terminal import working
    from cronicorn.domain.errors import InvalidInputError
    from cronicorn.domain.policy.text import policy_document

    policy, file = given
    path, body = f"/endpoints/{endpoint_id}/policy/proposals", {"policy": policy_document(policy)}
    try:
        with working("Judging"):
            return dict(await there.post(path, body, validate_only=dry_run or None))
    except InvalidInputError as error:
        found = [replace(each, pointer=each.pointer.removeprefix("/policy")) for each in error.fields]
        raise InvalidInputError("\n".join(map(file.located, found)) or str(error), fields=error.fields) from error
