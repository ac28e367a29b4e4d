"""`cronicorn tenant egress`: what one tenant may call although it is not on the public internet."""

from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption, run
from cronicorn.cli.showing import ObjectOption, print_done


def tenant_egress(
    name: Annotated[str, typer.Argument(help="The tenant's name or id.")],
    *,
    allow: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Ranges of addresses and names of hosts, separated by commas, in the place of those before; an empty "
            "text opens none.",
        ),
    ] = None,
    database: DatabaseOption = None,
    as_json: ObjectOption = False,
) -> None:
    """Show or set what a tenant may call beside the public internet and what the settings open to all.

    Workers know of a change within seconds.

    Examples: cronicorn tenant egress acme · cronicorn tenant egress acme --allow 10.1.0.0/16,reports.internal
    """
    run(_egress(name, allow, database, as_json=as_json))


async def _egress(name: str, allow: str | None, database: str | None, *, as_json: bool) -> None:
    from dataclasses import replace

    from cronicorn.cli.local import opened, opened_to_read
    from cronicorn.control.provisions import allowed

    async with opened_to_read(database) if allow is None else opened(database) as local:
        principal = local.principal(name)
        provisions = local.control.provisions
        if allow is None:
            egress = (await provisions.show(principal)).egress
        else:
            wanted = allowed(allow)
            egress = (await provisions.change(principal, lambda before: replace(before, egress=wanted))).egress
    shown = {"id": principal.tenant_id, "ranges": [str(each) for each in egress.ranges], "hosts": egress.hosts}
    told = f"Tenant {name!r} may call {str(egress) or 'nothing'} beside what all may call."
    print_done(shown, told, as_json=as_json)
