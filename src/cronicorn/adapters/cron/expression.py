"""Cron text in Debian's dialect: what it means is decided by `cronsim`, what is wrong with it is said here.

- Five fields (minute, hour, day of month, month, day of week), or six with seconds first. Names in any case.
- Day of month and day of week are OR-ed: `0 0 13 * 5` is every 13th and every Friday. When one of the two
  starts with `*` both must match, and that holds for steps too: `0 0 1-7 * */2` is the Sundays, Tuesdays,
  Thursdays and Saturdays of a month's first seven days. Day of week counts 0-7, so `*/7` is Sunday, and `5/2`
  is Friday and Sunday.
- `5/15` means `5-59/15`. A step in a range of one value has nowhere to step to: `3-3/7` is 3.
- `L` and `LW` are a month's last day and last weekday, `5L` its last Friday, `1#2` its second Monday.
- `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`: lower case only (OCPS 1.1).
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from cronsim import CronSim, CronSimError

from cronicorn.domain.errors import InvalidInputError

EXPRESSION_LENGTH_MAX: Final = 1000
"""Every value of every field written out takes 523 characters."""

SHOWN_LENGTH_MAX: Final = 60

NICKNAMES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

ANY_YEARS: Final = (2000, 2001, 2002, 2003, 2004, 2005, 2006, 2008, 2009, 2010, 2012, 2016, 2020, 2024)
"""One year of each kind: leap or not, beginning on each day of the week."""

ANY_TIME: Final = datetime(2000, 1, 1)  # noqa: DTZ001 (a local time, of no zone)

_SHAPE: Final = "five fields (minute, hour, day of month, month, day of week), such as `0 9 * * 1-5`"
_ZONE_PREFIX: Final = re.compile(r"\s*(?:CRON_)?TZ\s*=", re.IGNORECASE)
_ONE_VALUE_STEP: Final = re.compile(r"(?<![^,])(\w+)-\1/0*[1-9]\d*(?![^,])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a cron expression, as a message names it."""

    name: str
    size: int
    """How many different values there are."""
    allowed: str


FIELDS: Final = (
    Field(name="second", size=60, allowed="0-59"),
    Field(name="minute", size=60, allowed="0-59"),
    Field(name="hour", size=24, allowed="0-23"),
    Field(name="day-of-month", size=31, allowed="1-31, `L` or `LW`"),
    Field(name="month", size=12, allowed="1-12 or `JAN`-`DEC`"),
    Field(name="day-of-week", size=7, allowed="0-7 (0 and 7 are Sunday), `SUN`-`SAT`, `5L` or `1#2`"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A cron expression that has been read: the local times it names."""

    cronsim: CronSim | None
    """At rest, never advanced; None when no date ever matches."""
    wildcard: bool
    """Whether seconds, minutes or hours start with `*`: such jobs follow the clock when it jumps."""

    def first_after(self, local: datetime) -> datetime | None:
        """The first matching local time after *local*, both naive; None when none comes within 50 years."""
        if self.cronsim is None:
            return None
        search = CronSim.__new__(CronSim)  # What `copy` does, at a fifth of its cost.
        vars(search).update(vars(self.cronsim))
        search.dt = local.replace(microsecond=0)
        try:
            return next(search, None)
        except OverflowError:  # It looked beyond year 9999.
            return None


def read_pattern(expression: str) -> Pattern:
    """What *expression* means. Raises InvalidInputError with a sentence that says what to mend."""
    fields = _fields_of(expression)
    return Pattern(cronsim=_cronsim_of(fields), wildcard=any(text.startswith("*") for text in fields[:3]))


def check_steps(expression: str) -> None:
    """Refuse a step that is longer than its field: `*/70` minutes would be hourly, which nobody means."""
    for field, text in zip(FIELDS, _fields_of(expression), strict=True):
        for term in text.split(","):
            _, slash, step = term.partition("/")
            if slash and int(step) > field.size:
                raise InvalidInputError(
                    f"The {field.name} field has {shown(term)}, a step beyond its {field.size} values. "
                    f"Use a step of at most {field.size}, or an interval instead of a cron expression."
                )


def shown(text: str) -> str:
    """*text* as a message quotes it: short, and nothing in it that a terminal or a log would obey."""
    harmless = text[:SHOWN_LENGTH_MAX].encode("unicode_escape").decode()
    return f"`{harmless}`" if len(text) <= SHOWN_LENGTH_MAX else f"`{harmless}…`"


def _fields_of(expression: str) -> list[str]:
    """The six fields, seconds first."""
    if len(expression) > EXPRESSION_LENGTH_MAX:
        raise InvalidInputError(
            f"The cron expression has {len(expression)} characters, more than the "
            f"{EXPRESSION_LENGTH_MAX} that are read. "
            "Use ranges and steps (`0-30/5`), or several endpoints."
        )
    if _ZONE_PREFIX.match(expression):
        raise InvalidInputError(
            f"The cron expression {shown(expression)} names a time zone. "
            "Leave the prefix out and put the zone into the timezone field."
        )
    if not expression.isascii():
        raise InvalidInputError(f"The cron expression {shown(expression)} has characters beyond ASCII. Write {_SHAPE}.")
    return _counted(expression, expression.split())


def _counted(expression: str, words: list[str]) -> list[str]:
    """Five or six words as six fields."""
    if not words:
        raise InvalidInputError(f"The cron expression is empty. Write {_SHAPE}.")
    if words[0].startswith("@"):
        words = _expanded(expression.strip()).split()
    if len(words) == len(FIELDS) - 1:
        words = ["0", *words]
    if len(words) != len(FIELDS):
        raise InvalidInputError(
            f"The cron expression {shown(expression)} has {len(words)} field{'s' * (len(words) != 1)}. "
            f"Write {_SHAPE}, or six with seconds first; there is no year field."
        )
    return [_ONE_VALUE_STEP.sub(r"\1", word) for word in words]


def _expanded(nickname: str) -> str:
    """The fields a nickname stands for."""
    if nickname in NICKNAMES:
        return NICKNAMES[nickname]
    if nickname.lower() in NICKNAMES:
        raise InvalidInputError(f"The nickname {shown(nickname)} is written in lower case: `{nickname.lower()}`.")
    if nickname.lower().startswith("@every"):
        raise InvalidInputError(
            f"Cron can't read {shown(nickname)}. Give the endpoint an interval instead of a cron expression."
        )
    raise InvalidInputError(f"There is no nickname {shown(nickname)}. Use one of {', '.join(NICKNAMES)}, or {_SHAPE}.")


def _cronsim_of(fields: list[str]) -> CronSim | None:
    """The parsed expression, or None when it can be read but names no date that exists."""
    try:
        parsed = CronSim(" ".join(fields), ANY_TIME)
    except CronSimError as error:
        # cronsim refuses `30 2 *` just as `32 1 *`, but only the latter has a field that is wrong by itself.
        for position, text in enumerate(fields):
            _check_terms(position, text, error)
        return None
    return parsed if _ever_matches(parsed) else None


def _check_terms(position: int, text: str, error: CronSimError) -> None:
    """Refuse the first term of one field that can't be read."""
    field = FIELDS[position]
    for term in text.split(","):
        if not _can_be_read(position, term):
            raise InvalidInputError(
                f"The {field.name} field has {shown(term) if term else 'an empty item'}, which can't be read. "
                f"Use {field.allowed}; ranges rise (`1-5`), steps are 1 or more (`*/5`), commas part items."
            ) from error


def _can_be_read(position: int, term: str) -> bool:
    """Whether *term* makes sense in its field when every other field is `*`."""
    fields = ["*"] * len(FIELDS)
    fields[position] = term
    try:
        CronSim(" ".join(fields), ANY_TIME)
    except CronSimError:
        return False
    return bool(term)


def _ever_matches(parsed: CronSim) -> bool:
    """Whether any date matches. Years repeat, so fourteen of them tell, much sooner than a search."""
    return any(
        parsed.match_day(date(year, month, day))
        for year in ANY_YEARS
        for month in sorted(parsed.months)
        for day in range(1, monthrange(year, month)[1] + 1)
    )
