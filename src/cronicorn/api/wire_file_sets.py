"""Whose the fields of jobs and endpoints are, on the wire."""

from collections.abc import Iterable

from cronicorn.api.wire_values import Answer
from cronicorn.control.file_owners import FileOwner


class FileSetAnswer(Answer):
    """What the files of one set say of a job or an endpoint: the fields that they name, and those edited since."""

    name: str
    made: bool
    """Whether the set made it."""
    fields: list[str]
    edited: list[str]


def file_set_answers(owners: Iterable[FileOwner] | None) -> list[FileSetAnswer] | None:
    """*owners* on the wire; None for what nobody asked."""
    if owners is None:
        return None
    return [
        FileSetAnswer(name=each.file_set, made=each.made, fields=list(each.fields), edited=list(each.edited))
        for each in owners
    ]
