"""`cronicorn tenant egress`: what one tenant may call although it is not on the public internet."""

from typing import Annotated

import typer

from cronicorn.cli.local import run
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_installation, reached
from cronicorn.cli.showing import ObjectOption, print_done


@at_installation
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
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Show or set what a tenant may call beside the public internet and what the settings open to all.

    Workers know of a change within seconds.

    Examples: cronicorn tenant egress acme · cronicorn tenant egress acme --allow 10.1.0.0/16,reports.internal
    """
    run(_egress(place, name, allow, as_json=as_json))


async def _egress(place: Place, name: str, allow: str | None, *, as_json: bool) -> None:
    from cronicorn.cli.finding import find_tenant
    from cronicorn.domain.provision.allowed import Allowed

    async with reached(place, to_read=allow is None) as there:
        tenant = await find_tenant(there, name)
        path = f"/tenants/{tenant['id']}/egress"
        if allow is None:
            set_now = await there.get(path)
        else:
            entries = [entry for part in allow.split(",") if (entry := part.strip())]
            set_now = await there.put(path, {"allow": entries})
    egress = Allowed.parse(",".join(set_now["allow"]))
    shown = {"id": tenant["id"], "ranges": [str(each) for each in egress.ranges], "hosts": egress.hosts}
    told = f"Tenant {tenant['name']!r} may call {str(egress) or 'nothing'} beside what all may call."
    print_done(shown, told, as_json=as_json)
