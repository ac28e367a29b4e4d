"""Crontabs, as crontab(5) of Vixie's cron, Debian's and cronie describes them."""

import re
from dataclasses import dataclass, field

from cronicorn.cli.conversion.commands import described
from cronicorn.cli.conversion.days import days_of_cron
from cronicorn.cli.conversion.report import Conversion, Converted, LeftOut, once
from cronicorn.cli.conversion.request import Fields, endpoint_fields, named_after
from cronicorn.cli.conversion.shell_line import NotConvertibleError
from cronicorn.domain.ports import Clock, Cron

_SETTING = re.compile(r"""\s*["']?([A-Za-z_]\w*)["']?\s*=\s*(.*?)\s*$""")
_NICKNAMES = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
_NO_ZONE = (
    "No CRON_TZ is set, so the times were those of the machine's zone; here they are of {zone}. --timezone names "
    "another one."
)
_GENERAL = (
    "Cron started a call also while the one before was still running; here that instant is skipped (`overlap`).",
    "Cron forgot what it missed while down; here the latest missed instant runs once, unless `catchUp: {mode: none}`.",
)
_CLOCK = (
    "When the clock jumps, a fixed time that is skipped runs right after the gap, and one that comes twice runs once, "
    "as with Debian's cron; cronie and busybox differ (`dstGap`, `dstOverlap`)."
)


@dataclass(slots=True)
class _Settings:
    """What the lines before have set."""

    variables: dict[str, str] = field(default_factory=dict)
    zone: str | None = None
    delay_minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrontabSource:
    """A crontab, and how it is to be read."""

    name: str
    text: str
    job: str
    zone: str | None
    """The zone where the crontab names none; UTC where neither does."""
    system: bool
    """Whether a user stands before each command."""


def converted_crontab(source: CrontabSource, clock: Clock, cron: Cron) -> Conversion:
    """The endpoints that call what the crontab's lines call."""
    conversion, settings = Conversion(source=source.name), _Settings()
    for number, line in enumerate(source.text.split("\n"), 1):
        text, place = line.strip(), f"{source.name}:{number}"
        if not text or text.startswith("#"):
            continue
        if (setting := _SETTING.match(text)) is not None:
            _set(settings, setting[1], _unquoted(setting[2]), place, conversion)
            continue
        try:
            conversion.add(_entry(text, place, source, settings, conversion), clock, cron)
        except NotConvertibleError as error:
            conversion.left_out.append(LeftOut(place=place, reason=str(error)))
    conversion.tell_of_all(_GENERAL, _CLOCK)
    return conversion


def _set(settings: _Settings, name: str, value: str, place: str, conversion: Conversion) -> None:
    settings.variables[name] = value
    if name == "CRON_TZ":
        settings.zone = value
    elif name == "RANDOM_DELAY" and value.isdecimal():
        settings.delay_minutes = int(value)
    elif name == "MAILTO" and value:
        note = f"{place}: MAILTO had output sent by mail; have failures told by an alert route (`cronicorn alert add`)."
        conversion.general.append(note)
    elif name == "TZ":
        conversion.general.append(f"{place}: TZ is the zone of commands, not of the times; it means nothing here.")


def _entry(text: str, place: str, source: CrontabSource, settings: _Settings, conversion: Conversion) -> Converted:
    schedule, command = _parted(text.removeprefix("-"), system=source.system)
    words = command.replace("\\%", "\0")
    line, percent, stdin = words.partition("%")
    given = stdin.replace("%", "\n").replace("\0", "%") if percent else None
    found = described(line.replace("\0", "%"), settings.variables, given)
    fields = endpoint_fields(found, conversion.placeholders)
    notes = [*found.notes, *days_of_cron(schedule)]
    zone = settings.zone or source.zone
    if zone is None:
        general = _NO_ZONE.format(zone="UTC")
        if general not in conversion.general:
            conversion.general.append(general)
    when: Fields = {"baselineCron": schedule}
    if zone is not None:
        when["timezone"] = zone
    if settings.delay_minutes:
        when["windowMs"] = settings.delay_minutes * 60_000
        notes.append("RANDOM_DELAY chose another delay each time; here each endpoint has a place of its own.")
    name = conversion.name(source.job, named_after(str(fields["url"])))
    return Converted(place=place, job=source.job, fields={"name": name, **when, **fields}, notes=once(notes))


def _parted(text: str, *, system: bool) -> tuple[str, str]:
    """The schedule and the command of an entry."""
    fields = 1 if text.startswith("@") else 5
    parts = text.split(None, fields + system)
    if len(parts) <= fields + system:
        raise NotConvertibleError("It is not an entry of a crontab" + (", with a user." if system else "."))
    schedule = " ".join(parts[:fields])
    if fields == 1 and schedule != "@reboot" and schedule.lower() not in _NICKNAMES:
        raise NotConvertibleError("Its nickname is not known here.")
    if schedule == "@reboot":
        raise NotConvertibleError("It runs when the machine starts, and no instant says when that is.")
    return schedule, parts[-1]


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
