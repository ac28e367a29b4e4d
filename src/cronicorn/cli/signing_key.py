"""`cronicorn signing-key`: the key that a tenant's calls are signed with."""

from typing import Annotated, Any

import typer

from cronicorn.cli.local import run
from cronicorn.cli.options import given, milliseconds
from cronicorn.cli.place import Place
from cronicorn.cli.reaching import at_place, reached, whose_of
from cronicorn.cli.showing import ObjectOption, print_done, print_json

app = typer.Typer(help="Sign the calls of a tenant, and change the key.", no_args_is_help=True)


@app.command("show")
@at_place
def show(*, as_json: ObjectOption = False, place: Place) -> None:
    """Show by which key calls are signed; of the key only its beginning.

    Example: cronicorn signing-key show
    """
    run(_show(place, as_json=as_json))


@app.command("create")
@at_place
def create(*, as_json: ObjectOption = False, place: Place) -> None:
    """Sign all calls of a tenant from now on, and show the key, once.

    Example: cronicorn signing-key create --json
    """
    run(_made(place, "/signing-keys", None, as_json=as_json))


@app.command("rotate")
@at_place
def rotate(
    *,
    overlap: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="How long the key before goes on signing; 24h if not given."),
    ] = None,
    as_json: ObjectOption = False,
    place: Place,
) -> None:
    """Put a new key in the place of the present one, and show it, once.

    Example: cronicorn signing-key rotate --overlap 1h
    """
    body = given(overlapMs=milliseconds(overlap, "--overlap"))
    run(_made(place, "/signing-keys/rotate", body or None, as_json=as_json))


@app.command("end-overlap")
@at_place
def end_overlap(*, as_json: ObjectOption = False, place: Place) -> None:
    """Let only the newest key sign from now on.

    Example: cronicorn signing-key end-overlap
    """
    run(_end_overlap(place, as_json=as_json))


@app.command("remove")
@at_place
def remove(*, as_json: ObjectOption = False, place: Place) -> None:
    """Sign no more calls of a tenant.

    Example: cronicorn signing-key remove
    """
    run(_remove(place, as_json=as_json))


async def _show(place: Place, *, as_json: bool) -> None:
    async with reached(place, to_read=True) as there:
        found = await there.get("/signing-keys")
        whose = whose_of(place, there.where)
    rows = _rows(found)
    if as_json:
        print_json(rows)
        return
    if not rows:
        print(f"The calls of {_small(whose)} are not signed. `cronicorn signing-key create` signs them.")
    for row in rows:
        print(f"{row['prefix']}…  {'signs until ' + row['until'] if row['until'] else 'signs'}")


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The keys that sign, the newest first."""
    if not found["hasKey"]:
        return []
    newest = {**found, "until": None}
    names = {"prefix": "keyPrefix", "created_at": "createdAt", "rotated_at": "rotatedAt", "until": "until"}
    return [{name: each.get(field) for name, field in names.items()} for each in (newest, *found["olderKeys"])]


async def _made(place: Place, path: str, body: dict[str, Any] | None, *, as_json: bool) -> None:
    import sys

    async with reached(place) as there:
        made = await there.post(path, body)
        whose = whose_of(place, there.where)
    if as_json:
        print_json({"key": made["rawKey"], "prefix": made["keyPrefix"]})
        return
    print(f"The calls of {_small(whose)} are signed with this key. It is shown only now:", file=sys.stderr)
    print(made["rawKey"])


async def _end_overlap(place: Place, *, as_json: bool) -> None:
    async with reached(place) as there:
        await there.post("/signing-keys/end-overlap")
        whose = whose_of(place, there.where)
    print_done({"overlap": False}, f"Only the newest key signs the calls of {_small(whose)}.", as_json=as_json)


async def _remove(place: Place, *, as_json: bool) -> None:
    async with reached(place) as there:
        await there.delete("/signing-keys")
        whose = whose_of(place, there.where)
    print_done({"signed": False}, f"The calls of {_small(whose)} are no longer signed.", as_json=as_json)


def _small(whose: str) -> str:
    """*whose* inside of a sentence."""
    return whose[0].lower() + whose[1:]
