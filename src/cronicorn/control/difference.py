"""What applying a file does, or would do: values that a terminal can show and a program can read."""

from dataclasses import dataclass
from enum import StrEnum

from cronicorn.control.rendering import Fields, shown
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.errors import FieldError


class Deed(StrEnum):
    """What applying a file does to one job or endpoint."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field that changes. Credentials are masked; None means that the field is not set."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What applying a file does to one job (`endpoint` is None) or endpoint, by their names."""

    deed: Deed
    job: str
    endpoint: str | None = None
    changes: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The outcome of applying a file, in the order of the file."""

    differences: tuple[Difference, ...]
    warnings: tuple[FieldError, ...]


def job_difference(before: Job | None, after: Job) -> Difference:
    """What becomes of a job."""
    if before is None:
        return Difference(deed=Deed.CREATED, job=after.name)
    if before.description == after.description:
        return Difference(deed=Deed.UNCHANGED, job=after.name)
    change = FieldChange(field="description", before=before.description, after=after.description)
    return Difference(deed=Deed.UPDATED, job=after.name, changes=(change,))


def endpoint_difference(job: str, before: JobEndpoint | None, after: JobEndpoint) -> Difference:
    """What becomes of an endpoint of *job*."""
    if before is None:
        return Difference(deed=Deed.CREATED, job=job, endpoint=after.name)
    deed = Deed.UNCHANGED if before == after else Deed.UPDATED
    return Difference(deed=deed, job=job, endpoint=after.name, changes=_changes(before, after))


def _changes(before: JobEndpoint, after: JobEndpoint) -> tuple[FieldChange, ...]:
    old, new = shown(before, reveal=True), shown(after, reveal=True)
    old_shown, new_shown = shown(before), shown(after)
    return tuple(
        FieldChange(field=name, before=old_shown.get(name), after=new_shown.get(name))
        for name in {**old, **new}
        if not _same(old, new, name)
    )


def _same(old: Fields, new: Fields, name: str) -> bool:
    """Compared as text: for Python, true is 1, but not in a body."""
    return repr(old.get(name)) == repr(new.get(name))
