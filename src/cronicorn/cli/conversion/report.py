"""What came of a conversion: a file of jobs for review, and all that differs in meaning."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import yaml

from cronicorn.cli.conversion.placeholders import Placeholders
from cronicorn.cli.conversion.request import Fields
from cronicorn.control.document import EndpointDocument
from cronicorn.control.drafting import blank, drafted
from cronicorn.control.file_schema import MODELINE
from cronicorn.control.findings import Findings
from cronicorn.control.validation import judge
from cronicorn.domain.ports import Clock, Cron

_WIDTH = 1_000
_NAMED = 3
"""So many places are named of which the same is told; the file names them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """One endpoint of the file."""

    place: str
    """Where it comes from, such as `crontab:3`."""
    job: str
    fields: Fields
    notes: tuple[str, ...]
    """What differs in meaning, as sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What could not be converted."""

    place: str
    reason: str


@dataclass(slots=True)
class Conversion:
    """All that came of one source."""

    source: str
    placeholders: Placeholders = field(default_factory=Placeholders)
    converted: list[Converted] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    general: list[str] = field(default_factory=list)
    """What differs for all of them."""

    def name(self, job: str, wanted: str) -> str:
        """*wanted*, or what comes next where another endpoint of *job* has it."""
        taken = {each.fields["name"] for each in self.converted if each.job == job}
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted} {number}"
        return name

    def add(self, converted: Converted, clock: Clock, cron: Cron) -> None:
        """Take *converted* in, if Cronicorn would."""
        wrong = _faults(converted.fields, clock, cron)
        if wrong:
            self.left_out.append(LeftOut(place=converted.place, reason=f"Cronicorn would refuse it: {wrong}"))
        else:
            self.converted.append(converted)

    def tell_of_all(self, notes: Sequence[str], clock: str) -> None:
        """Note what differs for all that was converted: *clock* where some zone's clock jumps."""
        if self.converted:
            zones = {str(each.fields.get("timezone", "UTC")) for each in self.converted}
            self.general += [*notes, *([clock] if zones != {"UTC"} else [])]

    def text(self) -> str:
        """The file, with what to know before each endpoint."""
        return "".join(self._lines())

    def report(self) -> Iterator[str]:
        """What a person has to know, in lines: places, and never what stood there."""
        yield from map(_line, self._told())

    def _told(self) -> Iterator[str]:
        places: dict[str, list[str]] = {}
        for each in self.converted:
            for note in each.notes:
                places.setdefault(note, []).append(each.place)
        for note, there in places.items():
            more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
            yield f"{', '.join(there[:_NAMED])}{more}: {note}"
        for left in self.left_out:
            yield f"{left.place}: LEFT OUT. {left.reason}"
        for name, was in self.placeholders.noted.items():
            yield f"{was} became {{{{secret.{name}}}}}: `cronicorn secret set {name}` before you apply the file."
        yield from self.general
        yield f"{len(self.converted)} converted, {len(self.left_out)} left out."

    def _lines(self) -> Iterator[str]:
        yield MODELINE
        yield _comment(f"Made of {self.source}. Review it, then: cronicorn diff -f FILE, cronicorn apply -f FILE")
        yield from (_comment(f"- {note}") for note in self.general)
        yield "jobs:\n" if self.converted else "jobs: []\n"
        for job in dict.fromkeys(each.job for each in self.converted):
            yield f"  - name: {_yaml(job)}\n    endpoints:\n"
            for each in self.converted:
                if each.job == job:
                    yield from (
                        f"      {_comment(line)}" for line in (each.place, *(f"- {note}" for note in each.notes))
                    )
                    yield _item(each.fields)
        yield from (_comment(f"{left.place} is left out: {left.reason}") for left in self.left_out)


def _comment(text: str) -> str:
    return f"# {_line(text)}\n"


def _line(text: str) -> str:
    """*text* on one line, whatever names in it hold: nothing ends a comment, or speaks to a terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def _item(fields: Fields) -> str:
    text = yaml.safe_dump(fields, allow_unicode=True, sort_keys=False, width=_WIDTH)
    lines = text.splitlines()
    return "".join(f"      {'- ' if place == 0 else '  '}{line}\n" for place, line in enumerate(lines))


def _yaml(text: str) -> str:
    written: str = yaml.safe_dump(text, allow_unicode=True, width=_WIDTH)
    return written.removesuffix("...\n").strip()


def _faults(fields: Fields, clock: Clock, cron: Cron) -> str:
    """What Cronicorn finds wrong with an endpoint of these *fields*, if anything."""
    findings, now = Findings(), clock.now()
    drawn_on = blank("", "", "new", now)
    judge(drafted(drawn_on, EndpointDocument.model_validate(fields), now, findings), drawn_on, now, cron, findings)
    return " ".join(f"{each.pointer.removeprefix('/')}: {each.message}" for each in findings.errors)


def once(notes: Sequence[str]) -> tuple[str, ...]:
    """*notes*, each once."""
    return tuple(dict.fromkeys(notes))
