"""`cronicorn schema`: the shape of files of jobs, for editors."""


def schema() -> None:
    """Print the JSON Schema of the files that `cronicorn apply` reads, for editors that complete and check them.

    Put it beside the files, as cronicorn.schema.json: exported files name it in their first line.

    Example: cronicorn schema > cronicorn.schema.json
    """
    from cronicorn.control.file_schema import schema_text

    print(schema_text(), end="")
