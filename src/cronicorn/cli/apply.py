"""`cronicorn apply`: make jobs and endpoints what a file says."""

from typing import Annotated

import typer

from cronicorn.cli.local import DatabaseOption, TenantOption, run


def apply(
    file: Annotated[str, typer.Option("--file", "-f", metavar="FILE.yaml", help="The file; - reads stdin.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")] = False,
    database: DatabaseOption = None,
    tenant: TenantOption = "default",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Create or update the jobs, endpoints and alerts that a file lists, by name. Nothing is ever removed.

    A file: jobs: [{name: shop, endpoints: [{name: stock, url: https://shop.example/stock, baselineIntervalMs: 60000}]}]
    """
    run(_apply(file, database, tenant, dry_run=dry_run, as_json=as_json))


async def _apply(path: str, database: str | None, tenant: str, *, dry_run: bool, as_json: bool) -> None:
    import json
    import sys

    from cronicorn.cli.differences import applied_as_json, applied_as_lines, plain, stopped_as_lines
    from cronicorn.cli.local import opened, opened_to_try
    from cronicorn.cli.yaml_file import read_yaml_file
    from cronicorn.control.difference import Difference
    from cronicorn.domain.errors import CronicornError, InvalidInputError

    written: list[Difference] = []
    file = read_yaml_file(path)
    if not isinstance(file.value, dict):
        what = "is empty" if file.value is None else "says something else"
        raise InvalidInputError(f"{file.name} {what}: it needs `jobs:`, a list of jobs with their endpoints.")
    async with (opened_to_try if dry_run else opened)(database) as local:
        principal = local.principal(tenant)
        try:
            applied = await local.control.files.apply(principal, file.value, dry_run=dry_run, written=written.append)
        except InvalidInputError as error:
            raise InvalidInputError("\n".join(map(file.located, error.fields)) or str(error)) from error
        except CronicornError:
            print("\n".join(stopped_as_lines(written)), file=sys.stderr if as_json else sys.stdout, flush=True)
            raise
    for warning in applied.warnings:
        print(f"Warning: {file.located(warning)}", file=sys.stderr)
    if as_json:
        print(json.dumps(applied_as_json(applied, dry_run=dry_run), ensure_ascii=False, indent=2, default=plain))
    else:
        print("\n".join(applied_as_lines(applied, dry_run=dry_run)))
