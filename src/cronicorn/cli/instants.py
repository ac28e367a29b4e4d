"""Instants as the command line reads and writes them."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.instant import instant_text
from cronicorn.domain.wording import distance


def read_instant(text: str, now: datetime | None = None) -> datetime:
    """The instant in UTC that ISO 8601 *text* means. Raises InvalidInputError, also when it names no offset.

    Where *now* is given, a time alone (`09:30:00Z`) is that of the day, in its offset.
    """
    try:
        if now is not None and (clock := _time_alone(text)) is not None:
            return datetime.combine(now.astimezone(clock.tzinfo), clock).astimezone(UTC)
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidInputError(f"{text[:40]!r} is not an instant with its offset, such as 2026-01-31T09:30:00Z.")


def _time_alone(text: str) -> time | None:
    """*text* as a time with its offset; None when it is none."""
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        return None
    return clock if ":" in text and clock.tzinfo is not None else None


def written(instant: datetime) -> str:
    """*instant* in UTC, to the millisecond: `2026-01-31T09:30:00.000Z`."""
    return instant_text(instant)


def local(instant: datetime, zone: str) -> str:
    """*instant* as clocks in *zone* show it, with their offset; seconds are enough for a person."""
    return (
        instant.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z")
    )


def moment(instant: datetime, now: datetime, zone: str = "UTC") -> str:
    """*instant* as seen at *now*: `09:30:00Z (in 4 s)`; with its date unless it is today's, and what *zone* shows."""
    there = ""
    if zone != "UTC":
        place = ZoneInfo(zone)
        there = f" = {_clock(instant.astimezone(place), now.astimezone(place))} {zone}"
    return f"{_clock(instant.astimezone(UTC), now.astimezone(UTC))}Z{there} ({distance(instant, now)})"


def _clock(instant: datetime, now: datetime) -> str:
    return f"{instant:%H:%M:%S}" if instant.date() == now.date() else f"{instant:%Y-%m-%d %H:%M:%S}"
