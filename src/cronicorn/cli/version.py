"""`cronicorn version`."""


def version() -> None:
    """Show the version."""
    from importlib.metadata import version as version_of

    print(f"cronicorn {version_of('cronicorn')}")
