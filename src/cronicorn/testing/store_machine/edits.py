"""The edits that a machine makes, and what of them the model must remember."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from cronicorn.domain.editing import (
    asked_to_run,
    forgiven,
    hinted,
    resumed,
    suspended,
    taken_back,
    unhinted,
)
from cronicorn.domain.endpoint import Job, JobEndpoint, JobStatus
from cronicorn.domain.fixtures import a_defer, a_one_shot, a_pause, an_interval_hint
from cronicorn.domain.hint import Author, Hint
from cronicorn.domain.instant import shifted
from cronicorn.domain.settlement import Change, Stored
from cronicorn.testing.contracts.stores import CRON
from cronicorn.testing.store_machine.model import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A named edit, with the length it takes."""

    name: str
    apply: Callable[[JobEndpoint, Job, Stored, timedelta], Change]
    note: Callable[[Known, Stored, timedelta], None] = lambda known, stored, length: None

    def __repr__(self) -> str:
        return self.name


def _hint(name: str, make: Callable[[Stored, timedelta], Hint]) -> Edit:
    return Edit(
        name=name,
        apply=lambda endpoint, _, stored, length: hinted(endpoint, make(stored, length), stored, CRON),
        note=lambda known, stored, length: known.hinted(make(stored, length)),
    )


def follow(endpoint: JobEndpoint, job: Job, stored: Stored) -> Change:
    """The endpoint as its job's status has it."""
    active = job.status is JobStatus.ACTIVE
    return suspended(endpoint, job_active=active, archived_at=endpoint.archived_at, stored=stored, cron=CRON)


def _archive(endpoint: JobEndpoint, job: Job, stored: Stored, _: timedelta) -> Change:
    active = job.status is JobStatus.ACTIVE
    return suspended(endpoint, job_active=active, archived_at=stored.now, stored=stored, cron=CRON)


def _unarchive(endpoint: JobEndpoint, job: Job, stored: Stored, _: timedelta) -> Change:
    active = job.status is JobStatus.ACTIVE
    return suspended(endpoint, job_active=active, archived_at=None, stored=stored, cron=CRON)


EDITS = (
    _hint("interval", lambda stored, length: an_interval_hint(length, now=stored.now)),
    _hint("one-shot", lambda stored, length: a_one_shot(shifted(stored.now, length), now=stored.now)),
    _hint(
        "defer",
        lambda stored, length: a_defer(shifted(stored.now, length), author=Author.PERSON, now=stored.now),
    ),
    _hint("pause", lambda stored, length: a_pause(shifted(stored.now, length), now=stored.now)),
    Edit(
        name="clear hints",
        apply=lambda endpoint, _, stored, __: unhinted(endpoint, stored, CRON),
        note=lambda known, _, __: known.unhinted(pauses=False),
    ),
    Edit(
        name="resume",
        apply=lambda endpoint, _, stored, __: resumed(endpoint, stored, CRON),
        note=lambda known, _, __: known.unhinted(pauses=True),
    ),
    Edit(name="forgive", apply=lambda endpoint, _, stored, __: forgiven(endpoint, stored, CRON)),
    Edit(name="run now", apply=lambda endpoint, _, stored, __: asked_to_run(endpoint, stored)),
    Edit(name="take back", apply=lambda endpoint, _, stored, __: taken_back(endpoint, stored)),
    Edit(name="archive", apply=_archive),
    Edit(name="unarchive", apply=_unarchive),
)
