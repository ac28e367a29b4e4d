"""`cronicorn policy compile`, `show`, `diff`, `activate` and `reject`: drafts, and what is decided about them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.options import EndpointArgument
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached, whose_of
from cronicorn.cli.showing import ObjectOption, print_done, print_json

if TYPE_CHECKING:
    from cronicorn.cli.finding import FoundEndpoint
    from cronicorn.cli.interface import Interface
    from cronicorn.domain.errors import QuotaExceededError

NEEDS_ATTENTION = 1
LIMIT_ADVISED = 100_000
"""Tokens in a window that are room for more than one compile."""

_Draft = Annotated[str | None, typer.Argument(metavar="[DRAFT]", help="The id of a draft; by default the newest.")]


@at_place
def compile_description(endpoint: EndpointArgument, *, as_json: ObjectOption = False, place: Place) -> None:
    """Let the connected model make a draft of the endpoint's description, and show how it was judged.

    Nothing takes effect before it is activated, unless the endpoint's compile mode is auto. Exits with 1 when no policy
    came of it that could be accepted.

    Example: cronicorn policy compile shop/stock
    """
    run(_compile(place, endpoint, as_json=as_json))


@at_place
def show(endpoint: EndpointArgument, draft: _Draft = None, *, as_json: ObjectOption = False, place: Place) -> None:
    """Show a draft: in words, what it would change, what validators say, and what it would have done on the record.

    Examples: cronicorn policy show shop/stock · cronicorn policy show shop/stock draft_0123abcd --json
    """
    run(_show(place, endpoint, draft, as_json=as_json))


@at_place
def diff(endpoint: EndpointArgument, draft: _Draft = None, *, as_json: ObjectOption = False, place: Place) -> None:
    """Show only what a draft would change of the policy that is in force now.

    Example: cronicorn policy diff shop/stock
    """
    run(_diff(place, endpoint, draft, as_json=as_json))


@at_place
def activate(endpoint: EndpointArgument, draft: _Draft = None, *, as_json: ObjectOption = False, place: Place) -> None:
    """Give the endpoint the policy of a draft. Refused when its description or policy have changed since.

    Example: cronicorn policy activate shop/stock
    """
    run(_decide(place, endpoint, draft, "activate", as_json=as_json))


@at_place
def reject(endpoint: EndpointArgument, draft: _Draft = None, *, as_json: ObjectOption = False, place: Place) -> None:
    """Do not use a draft.

    Example: cronicorn policy reject shop/stock draft_0123abcd
    """
    run(_decide(place, endpoint, draft, "reject", as_json=as_json))


async def _compile(place: Place, endpoint: str, *, as_json: bool) -> None:
    from cronicorn.cli.finding import find_endpoint
    from cronicorn.cli.terminal import working
    from cronicorn.domain.errors import QuotaExceededError

    async with reached(place, compiling=True) as there:
        named = await find_endpoint(there, endpoint)
        try:
            with working("Compiling"):
                made = await there.post(_drafts_of(named))
        except QuotaExceededError as error:
            raise await _denied(error, place, there) from error
    _print(named.name, made, as_json=as_json)
    if made["status"] == "needs_attention":
        raise typer.Exit(NEEDS_ATTENTION)


async def _show(place: Place, endpoint: str, draft: str | None, *, as_json: bool) -> None:
    name, found = await _looked_at(place, endpoint, draft)
    _print(name, found, as_json=as_json)


async def _diff(place: Place, endpoint: str, draft: str | None, *, as_json: bool) -> None:
    from cronicorn.cli.draft_lines import difference_lines

    _, found = await _looked_at(place, endpoint, draft)
    if as_json:
        print_json(found["differences"])
    else:
        print("\n".join(difference_lines(found["differences"])))


async def _decide(place: Place, endpoint: str, draft: str | None, deed: str, *, as_json: bool) -> None:
    from cronicorn.cli.finding import find_endpoint

    async with reached(place) as there:
        named = await find_endpoint(there, endpoint)
        decided = await there.post(f"{await _path(there, named, draft)}/{deed}")
    shown = {"draft": decided["id"], "endpoint": named.name, "status": decided["status"]}
    print_done(shown, f"Draft {decided['id']} of {named.name} is {decided['status']}.", as_json=as_json)


async def _looked_at(place: Place, endpoint: str, draft: str | None) -> tuple[str, dict[str, Any]]:
    """The full name of the endpoint, and a draft of it."""
    from cronicorn.cli.finding import find_endpoint

    async with reached(place, to_read=True) as there:
        named = await find_endpoint(there, endpoint)
        return named.name, await there.get(await _path(there, named, draft))


async def _path(there: "Interface", named: "FoundEndpoint", draft: str | None) -> str:
    """Where the draft is, or without an id the newest one. Raises NotFoundError when there is none."""
    from cronicorn.cli.interface import segment
    from cronicorn.domain.errors import NotFoundError

    if draft is None:
        known = (await there.get(_drafts_of(named)))["drafts"]
        if not known:
            raise NotFoundError("The endpoint has no drafts; `cronicorn policy compile` or `propose` makes one.")
        draft = str(known[0]["id"])
    return f"{_drafts_of(named)}/{segment(draft)}"


def _drafts_of(named: "FoundEndpoint") -> str:
    return f"/endpoints/{named.id}/policy/drafts"


def _print(name: str, draft: dict[str, Any], *, as_json: bool) -> None:
    from cronicorn.cli.draft_lines import draft_document, draft_lines

    if as_json:
        print_json(draft_document(name, draft))
    else:
        print("\n".join(draft_lines(name, draft)))


async def _denied(error: "QuotaExceededError", place: Place, there: "Interface") -> "QuotaExceededError":
    """*error* with the limit that was met and, of a store of this machine, the command that raises it."""
    from shlex import quote

    from cronicorn.domain.errors import ForbiddenError, QuotaExceededError

    try:
        limit = (await there.get("/quota"))["limit"]
    except ForbiddenError:
        return error
    more = f"{whose_of(place, there.where)} has {limit:,} tokens in a window"
    if there.profile is None:
        command = f"cronicorn tenant set {quote(place.tenant_here)} --limit {max(LIMIT_ADVISED, 2 * limit)}"
        more += f": `{command}` gives it more at once"
    return QuotaExceededError(f"{error}\n{more}.", retry_after=error.retry_after)
