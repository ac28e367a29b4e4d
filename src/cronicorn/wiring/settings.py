"""Every setting of a Cronicorn process: read once, checked at start, listed in one table.

`SETTINGS` is what the reference documentation and `cronicorn settings` show, and what `Settings.from_env` reads.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from difflib import get_close_matches
from typing import Any, Self

from cronicorn.domain.errors import FieldError, InvalidInputError
from cronicorn.wiring import readers
from cronicorn.wiring.database_url import DatabaseUrl, masked_url, parse_database_url
from cronicorn.wiring.durations import show_duration

PREFIX = "CRONICORN_"
IGNORED_PREFIX = "CRONICORN_TEST_"
_MS, _SECOND, _MINUTE, _DAY = (
    timedelta(milliseconds=1),
    timedelta(seconds=1),
    timedelta(minutes=1),
    timedelta(days=1),
)
_SHOWN_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the table."""

    field: str
    """The name of the field of `Settings`."""
    meaning: str
    unit: str
    default: str
    """As it would be written in the environment; empty means unset."""
    example: str
    read: Callable[[str], object]
    secret: bool = False

    @property
    def name(self) -> str:
        """The environment variable."""
        return PREFIX + self.field.upper()


SETTINGS: tuple[Setting, ...] = (
    Setting(
        field="database_url", unit="URL", default="sqlite:", example="sqlite:cronicorn.db", read=parse_database_url,
        meaning="Where everything is stored. `sqlite:` alone means `cronicorn.db` in the platform's data folder, "
        "`sqlite:PATH` and `sqlite:///PATH` a file, `memory:` nothing that outlives the process.",
    ),
    Setting(
        field="api_key", unit="secret", default="", example="a-long-random-word", read=readers.api_key, secret=True,
        meaning="The API key of the tenant `default`. When unset, one is made and printed once, on the first start.",
    ),
    Setting(
        field="host", unit="host", default="127.0.0.1", example="127.0.0.1", read=readers.host,
        meaning="The address the API listens on. Loopback unless told otherwise.",
    ),
    Setting(
        field="port", unit="port", default="3333", example="3333", read=readers.whole_number(0, 65_535),
        meaning="The port the API listens on; 0 picks a free one.",
    ),
    Setting(
        field="calls_max", unit="calls", default="100", example="100", read=readers.whole_number(1, 10_000),
        meaning="Calls in progress at once. No more is claimed than there is room for.",
    ),
    Setting(
        field="lease_ttl", unit="duration", default="30s", example="30s", read=readers.duration(_SECOND, 60 * _MINUTE),
        meaning="How long a slot belongs to a worker that is not heard of again. With POLL_INTERVAL it bounds how "
        "late the slot of a killed worker runs.",
    ),
    Setting(
        field="renew_interval", unit="duration", default="10s", example="10s",
        read=readers.duration(50 * _MS, 20 * _MINUTE),
        meaning="How often leases are renewed; a third of LEASE_TTL unless set.",
    ),
    Setting(
        field="lease_margin", unit="duration", default="3s", example="3s",
        read=readers.duration(10 * _MS, 10 * _MINUTE),
        meaning="A worker stops a call this much before its lease ends, by its own clock; a tenth of LEASE_TTL unless "
        "set.",
    ),
    Setting(
        field="poll_interval", unit="duration", default="1s", example="1s", read=readers.duration(10 * _MS, _MINUTE),
        meaning="How long an idle scheduler waits before it looks again for what other processes wrote.",
    ),
    Setting(
        field="drain_grace", unit="duration", default="30s", example="30s",
        read=readers.duration(0 * _MS, 60 * _MINUTE),
        meaning="How long calls in progress may go on after a stop was asked for.",
    ),
    Setting(
        field="egress_allow", unit="ranges", default="", example="127.0.0.0/8,10.1.2.3", read=readers.networks,
        meaning="Address ranges (CIDR, separated by commas) that may be called although they are not on the public "
        "internet. Closed by default.",
    ),
    Setting(
        field="retention", unit="duration", default="30d", example="30d", read=readers.duration(_MINUTE, 3_650 * _DAY),
        meaning="How long runs and skips are kept.",
    ),
    Setting(
        field="log_level", unit="word", default="info", example="info",
        read=readers.one_of("debug", "info", "warning", "error"),
        meaning="The least level that is logged: debug, info, warning or error.",
    ),
    Setting(
        field="log_format", unit="word", default="auto", example="json", read=readers.one_of("auto", "text", "json"),
        meaning="How logs are written: text, json, or auto (text when stderr is a terminal, json otherwise).",
    ),
    Setting(
        field="sqlite_synchronous", unit="word", default="normal", example="full",
        read=readers.one_of("normal", "full"),
        meaning="What a power cut may take from a SQLite store: normal may lose the last moments, full loses nothing.",
    ),
    Setting(
        field="seed", unit="text", default="", example="2026", read=readers.short_text,
        meaning="Decides the jitter of retries, so that a history can be repeated.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the owner of a process chose. `SETTINGS` says what each field means."""

    database_url: DatabaseUrl
    api_key: str | None = field(repr=False)
    host: str
    port: int
    calls_max: int
    lease_ttl: timedelta
    renew_interval: timedelta
    lease_margin: timedelta
    poll_interval: timedelta
    drain_grace: timedelta
    egress_allow: readers.Networks
    retention: timedelta
    log_level: str
    log_format: str
    sqlite_synchronous: str
    seed: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read CRONICORN_* from *environ*; empty ones count as unset, CRONICORN_TEST_* are left alone.

        Raises InvalidInputError that names every problem at once, one `FieldError` for each.
        """
        given = {name: text for name, text in environ.items() if name.startswith(PREFIX) and text.strip()}
        problems = list(_unknown_names(given))
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            try:
                values[setting.field] = _value(setting, given.get(setting.name, "").strip())
            except ValueError as error:
                problems.append((setting.name, _refusal(setting, given[setting.name], error)))
        _follow_the_lease(given, values)
        problems.extend(_contradictions(values))
        if problems:
            raise _unusable(problems)
        return cls(**values)


def shown_settings(settings: Settings) -> dict[str, str]:
    """The values in force by field, as text, secrets masked."""
    values = {each.name: readers.shown(getattr(settings, each.name)) for each in fields(settings)}
    secret = {setting.field for setting in SETTINGS if setting.secret}
    return {name: "***" if name in secret and text else text for name, text in values.items()}


def _value(setting: Setting, text: str) -> object:
    text = text or setting.default
    if text:
        return setting.read(text)
    return {"egress_allow": (), "seed": ""}.get(setting.field)


def _refusal(setting: Setting, text: str, error: ValueError) -> str:
    short = masked_url(text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…")
    given = "***" if setting.secret else repr(short)
    return f"{setting.name} is {given}, but must be {error}; for example {setting.name}={setting.example}."


def _unknown_names(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    known = {setting.name for setting in SETTINGS}
    fields_known = [setting.field.upper() for setting in SETTINGS]  # The prefix would make all names much alike.
    for name in sorted(given.keys() - known):
        if name.startswith(IGNORED_PREFIX):
            continue
        near = get_close_matches(name.removeprefix(PREFIX), fields_known, n=1)
        guess = f" Did you mean {PREFIX}{near[0]}?" if near else ""
        yield name, f"{name} is no setting.{guess} `cronicorn settings` lists all of them."


def _follow_the_lease(given: Mapping[str, str], values: dict[str, Any]) -> None:
    """Renew every third and stop a tenth before the end of a lease whose length alone was chosen."""
    for name, parts in (("renew_interval", 3), ("lease_margin", 10)):
        if "lease_ttl" in values and f"{PREFIX}{name.upper()}" not in given:
            values[name] = values["lease_ttl"] / parts


def _contradictions(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    leases: list[timedelta] = [
        values[name] for name in ("renew_interval", "lease_margin", "lease_ttl") if name in values
    ]
    if len(leases) < 3:  # noqa: PLR2004 (one of them could not be read)
        return
    renew, margin, ttl = leases
    if renew + margin >= ttl:
        yield (
            "CRONICORN_LEASE_TTL",
            (
                f"CRONICORN_LEASE_TTL is {show_duration(ttl)}, but must be longer than CRONICORN_RENEW_INTERVAL "
                f"({show_duration(renew)}) and CRONICORN_LEASE_MARGIN ({show_duration(margin)}) together; "
                "for example 30s, 10s and 3s."
            ),
        )


def _unusable(problems: list[tuple[str, str]]) -> InvalidInputError:
    found = tuple(FieldError(pointer=f"/{name}", message=message) for name, message in problems)
    lines = [each.message for each in found]
    text = lines[0] if len(lines) == 1 else "\n".join([f"{len(lines)} settings can't be used:", *lines])
    return InvalidInputError(text, fields=found)
