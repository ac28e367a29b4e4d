"""Whether an installation is well, and what to do where it is not. Pure: what was found comes in as arguments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cronicorn.domain.durations import coarse
from cronicorn.domain.instant import ZERO

_CLOCK_MAX = timedelta(seconds=2)
_KEY_ENDS_WITHIN = timedelta(days=14)
_ROOM_LEAST, _ROOM_LITTLE = 100 * 2**20, 2**30
_NAMED_MAX = 5
_EVERYBODY_ELSE = 0o077


class Wellness(StrEnum):
    """How something is."""

    OK = "ok"
    LOOK = "look"
    """It works, and a person should see to it."""
    BROKEN = "broken"
    UNSEEN = "unseen"
    """It could not be looked at from here, or was not to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found of one thing."""

    what: str
    wellness: Wellness
    told: str
    advice: str | None = None
    """What to do; None where there is nothing to do."""


def is_well(examined: Iterable[Examined]) -> bool:
    """Whether nothing is broken."""
    return all(each.wellness is not Wellness.BROKEN for each in examined)


def clock_against(
    whose: str, theirs: datetime, between: tuple[datetime, datetime], exact_to: timedelta = ZERO
) -> Examined:
    """How far the clock of *whose* is from ours, which showed the two instants of *between* when it was asked.

    It showed *theirs*, or up to *exact_to* more: HTTP tells whole seconds.
    """
    asked, answered = between
    span = max(ZERO, theirs - answered, asked - theirs - exact_to)
    what = f"clock against {whose}"
    if span <= _CLOCK_MAX:
        return Examined(what=what, wellness=Wellness.OK, told="the same, as far as can be told")
    way = "behind" if theirs > answered else "ahead"
    return Examined(
        what=what, wellness=Wellness.LOOK, told=f"this machine's clock is {coarse(span)} {way}",
        advice="let NTP set both clocks: what is planned at which instant depends on them",
    )  # fmt: skip


def versions(own: str, workers: Sequence[tuple[str, str | None, bool]]) -> Examined:
    """Whether somebody works, all with the version *own*: each worker's name, version and whether it is alive."""
    alive = [(name, version) for name, version, living in workers if living]
    if not alive:
        return Examined(
            what="workers", wellness=Wellness.BROKEN, told="none is alive: nothing that is due is called",
            advice="start `cronicorn up` or `cronicorn scheduler` on this database",
        )  # fmt: skip
    others = [f"{name} ({version})" for name, version in alive if version not in {own, None}]
    if others:
        named = ", ".join(others[:_NAMED_MAX]) + (" …" if len(others) > _NAMED_MAX else "")
        return Examined(
            what="workers", wellness=Wellness.LOOK, told=f"{len(alive)} alive, not of version {own}: {named}",
            advice="finish the upgrade: restart them with this version, or use theirs here",
        )  # fmt: skip
    return Examined(what="workers", wellness=Wellness.OK, told=f"{len(alive)} alive, of version {own}")


def lag(overdue: int, by: timedelta) -> Examined:
    """Whether work is done in time: *overdue* slots have been due for longer than *by*, and nobody holds them."""
    if not overdue:
        return Examined(what="lag", wellness=Wellness.OK, told=f"nothing has been due for longer than {coarse(by)}")
    slots = "1 slot has" if overdue == 1 else f"{overdue} slots have"
    return Examined(
        what="lag", wellness=Wellness.LOOK, told=f"{slots} been due for longer than {coarse(by)}",
        advice="see whether workers live and have room (`cronicorn workers`): add one, or raise CRONICORN_CALLS_MAX",
    )  # fmt: skip


def incidents(count: int) -> Examined:
    """Whether something is known to be wrong with endpoints: *count* incidents go on."""
    if not count:
        return Examined(what="incidents", wellness=Wellness.OK, told="none goes on")
    told = "1 goes on" if count == 1 else f"{count} go on"
    return Examined(
        what="incidents", wellness=Wellness.LOOK, told=told, advice="`cronicorn alert incidents` tells of what"
    )


def room(where: str, free: int) -> Examined:
    """Whether the disk that holds *where* has room: *free* bytes."""
    left = f"{free / 2**30:.1f} GiB are free for {where}"
    advice = "make room, or keep less history (CRONICORN_RETENTION): a full disk stops all work"
    if free < _ROOM_LEAST:
        return Examined(what="disk", wellness=Wellness.BROKEN, told=left, advice=advice)
    if free < _ROOM_LITTLE:
        return Examined(what="disk", wellness=Wellness.LOOK, told=left, advice=advice)
    return Examined(what="disk", wellness=Wellness.OK, told=left)


def secrecy(path: str, mode: int) -> Examined:
    """Whether the file at *path*, which holds secrets, is for its owner alone: *mode* are its permissions."""
    what = f"file {path}"
    if mode & _EVERYBODY_ELSE:
        told, advice = f"others may use it (mode {mode & 0o777:o})", f"`chmod 600 {path}`"
        return Examined(what=what, wellness=Wellness.LOOK, told=told, advice=advice)
    return Examined(what=what, wellness=Wellness.OK, told="for its owner alone")


def ending_keys(keys: Iterable[tuple[str, datetime]], now: datetime) -> Examined:
    """Whether API keys end soon: the name of each that ends, and when."""
    soon = sorted((at, name) for name, at in keys if now < at <= now + _KEY_ENDS_WITHIN)
    if not soon:
        return Examined(what="API keys", wellness=Wellness.OK, told=f"none ends within {coarse(_KEY_ENDS_WITHIN)}")
    named = ", ".join(f"{name!r} in {coarse(at - now)}" for at, name in soon[:_NAMED_MAX])
    return Examined(
        what="API keys", wellness=Wellness.LOOK, told=f"{len(soon)} end soon: {named}",
        advice="`cronicorn key add` makes others, before programs are shut out",
    )  # fmt: skip
