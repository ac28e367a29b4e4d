"""`cronicorn version`."""

from cronicorn.cli.showing import ObjectOption, print_done


def version(as_json: ObjectOption = False) -> None:
    """Show the version.

    Example: cronicorn version --json
    """
    from importlib.metadata import version as version_of

    found = version_of("cronicorn")
    print_done({"version": found}, f"cronicorn {found}", as_json=as_json)
