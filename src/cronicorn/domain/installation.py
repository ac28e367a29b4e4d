"""What whoever only reads a database is told when it holds nothing that this version can read."""

from collections.abc import Collection

from cronicorn.domain.errors import ConflictError, InvalidInputError, NotFoundError


def check_revision(found: str | None, newest: str, place: str) -> None:
    """Raise unless the tables in *place* are those of this version: *found* is the revision they have, *newest* ours.

    Revisions sort by age. None means that there are no tables. Raises NotFoundError then, ConflictError for others.
    """
    if found is None:
        raise NotFoundError(
            f"There is no Cronicorn installation in this database ({place}); start `cronicorn up` or "
            "`cronicorn scheduler` once to make one."
        )
    if found < newest:
        raise ConflictError(
            f"The database ({place}) belongs to an older version of Cronicorn (its revision is {found}, not {newest}): "
            "start `cronicorn up` or `cronicorn scheduler` of this version on it once, which brings it up to date."
        )
    if found > newest:
        raise ConflictError(
            f"The database ({place}) was written by a newer version of Cronicorn (its revision is {found}, not "
            f"{newest}): upgrade, or name another database."
        )


def check_known(revision: str, known: Collection[str]) -> None:
    """Raise InvalidInputError unless *revision* is one of those *known*."""
    if revision not in known:
        raise InvalidInputError(f"There is no revision {revision!r}: this version knows {', '.join(sorted(known))}.")
