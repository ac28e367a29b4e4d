"""The settings of a Cronicorn process: read once, from what `SETTINGS` lists, and checked at start."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Self

from cronicorn.domain.errors import FieldError, InvalidInputError
from cronicorn.wiring import readers
from cronicorn.wiring.contradictions import contradictions
from cronicorn.wiring.database_url import DatabaseUrl
from cronicorn.wiring.host_flows import HostFlow
from cronicorn.wiring.secret_files import read_secret
from cronicorn.wiring.secret_url import SecretUrl, masked_url
from cronicorn.wiring.setting import PREFIX, Setting, as_given
from cronicorn.wiring.settings_table import SETTINGS
from cronicorn.wiring.tiers import TierValue

IGNORED_PREFIX = "CRONICORN_TEST_"
OF_COMMANDS = frozenset({f"{PREFIX}PROFILE", f"{PREFIX}PROFILES_FILE"})
"""Variables that say where commands act. They are no settings: a process that works is where it is."""
_SHOWN_MAX = 60
_LISTS = {
    "egress_allow",
    "host_flow",
    "master_key",
    "mcp_exclude",
    "postgres_without",
    "endpoints_max",
    "interval_min",
    "runs_per_month",
}
_DATABASE = f"{PREFIX}DATABASE_URL"
_BY_THEIR_NAMES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the owner of a process chose. `SETTINGS` says what each field means."""

    database_url: DatabaseUrl
    api_key: str | None = field(repr=False)
    host: str
    port: int
    public_url: str | None
    metrics_port: int | None
    calls_max: int
    tenant_calls_max: int | None
    host_calls_max: int | None
    host_flow: tuple[HostFlow, ...]
    poll_interval: timedelta
    drain_grace: timedelta
    egress_allow: readers.Networks
    retention: timedelta
    retention_failures: timedelta | None
    redaction_key: bytes | None = field(repr=False)
    endpoints_max: tuple[TierValue[int], ...]
    interval_min: tuple[TierValue[timedelta], ...]
    runs_per_month: tuple[TierValue[int], ...]
    seed: str
    master_key: tuple[bytes, ...] = field(repr=False)
    """The one that seals first; none where they are not among the settings."""
    master_key_command: str | None
    signing_plain: bool
    lease_mechanism: str
    lease_ttl: timedelta
    renew_interval: timedelta
    lease_margin: timedelta
    legacy_lock: timedelta
    redis_url: SecretUrl | None
    etcd_url: SecretUrl | None
    sqlite_backup: bool
    sqlite_synchronous: str
    postgres_connections: int
    postgres_shards: int
    postgres_isolation: str
    postgres_without: tuple[str, ...]
    ai_model: str | None
    ai_base_url: SecretUrl | None
    ai_api_key: str | None = field(repr=False)
    ai_temperature: str
    mcp: bool
    mcp_write: bool
    mcp_read_only: bool
    mcp_toolsets: tuple[str, ...]
    mcp_exclude: tuple[str, ...]
    mcp_key: str | None = field(repr=False)
    mcp_authorization_server: str | None
    quota_mode: str
    quota_store: str
    quota_tiers: tuple[TierValue[int], ...]
    quota_tier: str
    quota_period: str
    quota_zone: str
    quota_calls_max: int
    quota_call_tokens_max: int
    quota_soft_forced: bool
    alert_interval: timedelta
    smtp_url: SecretUrl | None
    smtp_from: str
    log_level: str
    log_format: str
    traces_url: SecretUrl | None
    traces_share: float

    @classmethod
    def from_env(cls, environ: Mapping[str, str], given_as: Mapping[str, str] = _BY_THEIR_NAMES) -> Self:
        """Read CRONICORN_* from *environ*; empty ones count as unset, CRONICORN_TEST_* are left alone.

        *given_as* names the options by which some variables were given, so that problems are told of these.
        Raises InvalidInputError that names every problem at once, one `FieldError` for each.
        """
        given = {name: text for name, text in environ.items() if name.startswith(PREFIX) and text.strip()}
        problems = list(_unknown_names(given))
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            try:
                text = read_secret(setting, given) or given.get(setting.name, "").strip()
            except ValueError as error:
                problems.append((setting.name, str(error)))
                continue
            try:
                values[setting.field] = _value(setting, text)
            except ValueError as error:
                problems.append((setting.name, _refusal(setting, text, error)))
        _follow_the_lease(given, values)
        problems.extend(contradictions(values))
        if problems:
            raise _unusable([(name, as_given(message, given_as)) for name, message in problems])
        if _DATABASE in given_as:
            values["database_url"] = replace(values["database_url"], given_as=given_as[_DATABASE])
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
    return () if setting.field in _LISTS else {"seed": ""}.get(setting.field)


def _refusal(setting: Setting, text: str, error: ValueError) -> str:
    short = masked_url(text)
    short = short if len(short) <= _SHOWN_MAX else f"{short[:_SHOWN_MAX]}…"
    given = "***" if setting.secret else repr(short)
    return f"{setting.name} is {given}, but must be {error}; for example {setting.name}={setting.example}."


def _unknown_names(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    known = {name for setting in SETTINGS for name in setting.names}
    fields_known = [setting.field.upper() for setting in SETTINGS]  # The prefix would make all names much alike.
    for name in sorted(given.keys() - known - OF_COMMANDS):
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


def _unusable(problems: list[tuple[str, str]]) -> InvalidInputError:
    found = tuple(FieldError(pointer=f"/{name}", message=message) for name, message in problems)
    lines = [each.message for each in found]
    text = lines[0] if len(lines) == 1 else "\n".join([f"{len(lines)} settings can't be used:", *lines])
    return InvalidInputError(text, fields=found)
