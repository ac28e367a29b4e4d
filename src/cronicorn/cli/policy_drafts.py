"""`cronicorn policy compile`, `show`, `diff`, `activate` and `reject`: drafts that a model made of descriptions."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run

if TYPE_CHECKING:
    from cronicorn.control.drafts import DraftView, PolicyDrafts
    from cronicorn.domain.errors import QuotaExceededError
    from cronicorn.domain.principal import Principal

    Deed: TypeAlias = "Callable[[PolicyDrafts, Principal, str], Awaitable[DraftView]]"

NEEDS_ATTENTION = 1
LIMIT_ADVISED = 100_000
"""Tokens in a window that are room for more than one compile."""

_Endpoint = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Its id, or its name as job/endpoint.")]
_Draft = Annotated[str | None, typer.Argument(metavar="[DRAFT]", help="The id of a draft; by default the newest.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def compile_description(
    endpoint: _Endpoint, *, database: DatabaseOption = None, tenant: TenantOption = "default", as_json: _Json = False
) -> None:
    """Let the connected model make a draft of the endpoint's description, and show how it was judged.

    Nothing takes effect before it is activated, unless the endpoint's compile mode is auto. Exits with 1 when no policy
    came of it that could be accepted.

    Example: cronicorn policy compile shop/stock
    """

    async def made(drafts: "PolicyDrafts", principal: "Principal", endpoint_id: str) -> "DraftView":
        return await drafts.make(principal, endpoint_id)

    run(_show(endpoint, made, (database, tenant), as_json=as_json, compiling=True))


def show(
    endpoint: _Endpoint,
    draft: _Draft = None,
    *,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: _Json = False,
) -> None:
    """Show a draft: in words, what it would change, what validators say, and what it would have done on the record.

    Examples: cronicorn policy show shop/stock · cronicorn policy show shop/stock draft_0123abcd --json
    """
    run(_show(endpoint, _looked_at(draft), (database, tenant), as_json=as_json))


def diff(
    endpoint: _Endpoint,
    draft: _Draft = None,
    *,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: _Json = False,
) -> None:
    """Show only what a draft would change of the policy that is in force now.

    Example: cronicorn policy diff shop/stock
    """
    run(_diff(endpoint, _looked_at(draft), (database, tenant), as_json=as_json))


def activate(
    endpoint: _Endpoint,
    draft: _Draft = None,
    *,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: _Json = False,
) -> None:
    """Give the endpoint the policy of a draft. Refused when its description or policy have changed since.

    Example: cronicorn policy activate shop/stock
    """

    async def activated(drafts: "PolicyDrafts", principal: "Principal", endpoint_id: str) -> "DraftView":
        return await drafts.activate(principal, endpoint_id, await _named(drafts, principal, endpoint_id, draft))

    run(_decide(endpoint, activated, (database, tenant), as_json=as_json))


def reject(
    endpoint: _Endpoint,
    draft: _Draft = None,
    *,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: _Json = False,
) -> None:
    """Do not use a draft.

    Example: cronicorn policy reject shop/stock draft_0123abcd
    """

    async def rejected(drafts: "PolicyDrafts", principal: "Principal", endpoint_id: str) -> "DraftView":
        return await drafts.reject(principal, endpoint_id, await _named(drafts, principal, endpoint_id, draft))

    run(_decide(endpoint, rejected, (database, tenant), as_json=as_json))


def _looked_at(draft: str | None) -> "Deed":
    async def looked_at(drafts: "PolicyDrafts", principal: "Principal", endpoint_id: str) -> "DraftView":
        return await drafts.get(principal, endpoint_id, await _named(drafts, principal, endpoint_id, draft))

    return looked_at


async def _named(drafts: "PolicyDrafts", principal: "Principal", endpoint_id: str, draft: str | None) -> str:
    """The id that was given, or that of the newest draft. Raises NotFoundError when there is none."""
    from cronicorn.domain.errors import NotFoundError

    if draft is not None:
        return draft
    known = await drafts.list(principal, endpoint_id)
    if not known:
        raise NotFoundError("The endpoint has no drafts; `cronicorn policy compile` makes one.")
    return known[0].id


async def _show(
    endpoint: str, deed: "Deed", where: tuple[str | None, str], *, as_json: bool, compiling: bool = False
) -> None:
    import json

    from cronicorn.cli.draft_lines import draft_document, draft_lines
    from cronicorn.domain.compilation.draft import DraftStatus

    name, view = await _done(endpoint, deed, where, compiling=compiling)
    if as_json:
        print(json.dumps(draft_document(name, view), ensure_ascii=False, indent=2))
    else:
        print("\n".join(draft_lines(name, view)))
    if compiling and view.draft.status is DraftStatus.NEEDS_ATTENTION:
        raise typer.Exit(NEEDS_ATTENTION)


async def _diff(endpoint: str, deed: "Deed", where: tuple[str | None, str], *, as_json: bool) -> None:
    import json

    from cronicorn.cli.draft_lines import difference_lines, draft_document

    name, view = await _done(endpoint, deed, where)
    if as_json:
        print(json.dumps(draft_document(name, view)["differences"], ensure_ascii=False, indent=2))
    else:
        print("\n".join(difference_lines(view.differences)))


async def _decide(endpoint: str, deed: "Deed", where: tuple[str | None, str], *, as_json: bool) -> None:
    import json

    name, view = await _done(endpoint, deed, where)
    told = {"draft": view.draft.id, "endpoint": name, "status": view.draft.status.value}
    print(json.dumps(told) if as_json else f"Draft {view.draft.id} of {name} is {view.draft.status}.")


async def _done(
    endpoint: str, deed: "Deed", where: tuple[str | None, str], *, compiling: bool = False
) -> "tuple[str, DraftView]":
    """The full name of the endpoint, and what *deed* answers."""
    from cronicorn.cli.endpoint_names import find_endpoint
    from cronicorn.cli.local import opened
    from cronicorn.domain.errors import QuotaExceededError

    database, tenant = where
    async with opened(database, compiling=compiling) as local:
        principal = local.principal(tenant)
        named = await find_endpoint(local.control, principal, endpoint)
        try:
            return named.name, await deed(local.control.drafts, principal, named.endpoint.id)
        except QuotaExceededError as error:
            if not error.raising_helps:
                raise
            standing = await local.control.quotas.show(principal)
            raise _denied(error, tenant, standing.view.limit) from error


def _denied(error: "QuotaExceededError", tenant: str, limit: int) -> "QuotaExceededError":
    """*error* with the command that helps."""
    from shlex import quote

    from cronicorn.domain.errors import QuotaExceededError

    command = f"cronicorn tenant set {quote(tenant)} --limit {max(LIMIT_ADVISED, 2 * limit)}"
    more = f"The tenant {tenant!r} has {limit:,} tokens in a window: `{command}` gives it more at once."
    return QuotaExceededError(f"{error}\n{more}", retry_after=error.retry_after)
