"""Documents: what the doors accept, in the camelCase of the wire format. One definition for REST, files and tools.

A document has the right shape: known fields, right types, nothing converted. `limits` enforces the limits that it
declares; what its values mean is judged by `drafting` and `validation`, which report all their findings together.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from cronicorn.domain.auth import TEXT_LENGTH_MAX, AuthKind, ClientAuth
from cronicorn.domain.call import EXECUTION_MAX, REDIRECTS_MAX, Method
from cronicorn.domain.cron import DstGap, DstOverlap
from cronicorn.domain.endpoint import (
    CATCH_UP_RUNS_MAX,
    COOLDOWN_LEAST,
    RETRIES_MAX,
    CatchUpMode,
    CompileMode,
    KeepBodies,
    Overlap,
)
from cronicorn.domain.flow.limits import KEY_LENGTH_MAX, PARALLELISM_MAX, PERIOD_MAX, RATE_MAX
from cronicorn.domain.instant import MILLISECOND
from cronicorn.domain.keychain.keychain import OVERLAP_MAX
from cronicorn.domain.preview import PREVIEW_MAX
from cronicorn.domain.secret_references import SECRET_LENGTH_MAX, SECRET_LENGTH_MIN
from cronicorn.domain.signals.signal import Adapt, Signal

LENGTH_MS_MAX = 315_360_000_000
"""No length of time is over ten years."""
TTL_MINUTES_MAX = 43_200
"""A hint lasts at most thirty days."""

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NEVER_SUPPORTED = ("buffer_all", "allow_all", "terminate_other")


def _read_instant(value: object) -> datetime | None:
    """An instant in UTC, from RFC 3339 text; a YAML timestamp is a datetime already."""
    if value is None:
        return None
    try:
        if isinstance(value, str) and _RFC_3339.fullmatch(value):
            value = datetime.fromisoformat(value.upper())
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise PydanticCustomError("instant", "Must be an instant with its offset, such as 2026-01-31T09:30:00Z.")


def _read_overlap(value: object) -> object:
    if isinstance(value, str) and value in _NEVER_SUPPORTED:
        raise PydanticCustomError(
            "overlap",
            "Not supported: with one lease for each endpoint, its calls never run side by side and never queue up. "
            "Use skip, buffer_one or cancel_other.",
        )
    return value


def _read_adapt(value: object) -> object:
    """YAML reads the words on and off as true and false."""
    if isinstance(value, bool):
        return Adapt.ON if value else Adapt.OFF
    return value


def _read_compile(value: object) -> object:
    """YAML reads the word off as false."""
    return CompileMode.OFF if value is False else value


def _read_statuses(value: object) -> object:
    """A YAML file may say 304 where JSON says "304"."""
    if not isinstance(value, list):
        return value
    return [str(item) if isinstance(item, int) and not isinstance(item, bool) else item for item in value]


def from_to(least: int, most: int) -> Any:
    """A field of a number from *least* to *most*."""
    return Field(json_schema_extra={"minimum": least, "maximum": most})


def items(least: int, most: int) -> Any:
    """A field of a list of *least* to *most* items."""
    return Field(json_schema_extra={"minItems": least, "maxItems": most})


def characters(least: int, most: int) -> Any:
    """A field of a text of *least* to *most* characters."""
    return Field(json_schema_extra={"minLength": least, "maxLength": most})


T = TypeVar("T")

Choice = Annotated[T, Field(strict=False)]
"""One of the values of an enumeration, by its text."""
Instant = Annotated[datetime, BeforeValidator(_read_instant)]
InstantOrNull = Annotated[datetime | None, BeforeValidator(_read_instant)]
LengthMs = Annotated[int | None, from_to(1, LENGTH_MS_MAX)]
TtlMinutes = Annotated[int | None, from_to(1, TTL_MINUTES_MAX)]
Name = Annotated[str | None, characters(1, 255)]


class Document(BaseModel):
    """An input of a known shape."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)


class JobPatch(Document):
    """Changes to a job; what is absent stays, null clears."""

    name: Name = None
    description: Annotated[str | None, characters(0, 1_000)] = None


class JobDocument(JobPatch):
    """A new job."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})


class CatchUpPatch(Document):
    """What happens to instants that passed while nobody could run them."""

    mode: Choice[CatchUpMode] | None = None
    window_ms: LengthMs = None
    max_runs: Annotated[int | None, from_to(1, CATCH_UP_RUNS_MAX)] = None


class RetriesPatch(Document):
    """Attempts within one slot."""

    retry_count: Annotated[int | None, from_to(0, RETRIES_MAX)] = None
    min_backoff_ms: LengthMs = None
    max_backoff_ms: LengthMs = None
    max_doublings: Annotated[int | None, from_to(0, 64)] = None


class FlowPatch(Document):
    """How many calls may begin in any stretch of a period, and be in progress, of all endpoints under one key.

    Without a key it is the host that is called.
    """

    key: Annotated[str | None, characters(1, KEY_LENGTH_MAX)] = None
    rate: Annotated[int | None, from_to(1, RATE_MAX)] = None
    period_ms: Annotated[int | None, from_to(1, PERIOD_MAX // MILLISECOND)] = None
    parallelism: Annotated[int | None, from_to(1, PARALLELISM_MAX)] = None


class RedactPatch(Document):
    """What of answers is hashed before anything reads or keeps it."""

    body: Annotated[list[str] | None, items(0, 32)] = None
    headers: Annotated[list[str] | None, items(0, 32)] = None


class AuthPatch(Document):
    """What the `Authorization` header is made of: which fields belong to it depends on its type.

    Credentials are references to secrets.
    """

    type: Choice[AuthKind] | None = None
    token: Annotated[str | None, characters(1, TEXT_LENGTH_MAX)] = None
    username: Annotated[str | None, characters(0, TEXT_LENGTH_MAX)] = None
    password: Annotated[str | None, characters(0, TEXT_LENGTH_MAX)] = None
    token_url: Annotated[str | None, Field(json_schema_extra={"format": "uri"})] = None
    client_id: Annotated[str | None, characters(1, TEXT_LENGTH_MAX)] = None
    client_secret: Annotated[str | None, characters(1, TEXT_LENGTH_MAX)] = None
    client_auth: Choice[ClientAuth] | None = None
    scope: Annotated[str | None, characters(1, TEXT_LENGTH_MAX)] = None
    parameters: dict[str, str] | None = None


class EndpointPatch(Document):
    """Changes to an endpoint; what is absent stays, null clears."""

    name: Name = None
    description: Annotated[str | None, characters(0, 2_000)] = None
    baseline_cron: Annotated[str | None, characters(1, 255)] = None
    baseline_interval_ms: Annotated[int | None, from_to(1_000, LENGTH_MS_MAX)] = None
    once_at: InstantOrNull = None
    dormant: bool | None = None
    anchor_at: InstantOrNull = None
    timezone: Annotated[str | None, characters(1, 255)] = None
    dst_gap: Choice[DstGap] | None = None
    dst_overlap: Choice[DstOverlap] | None = None
    window_ms: Annotated[int | None, from_to(0, LENGTH_MS_MAX)] = None
    min_interval_ms: LengthMs = None
    max_interval_ms: LengthMs = None
    catch_up: CatchUpPatch | None = None
    overlap: Annotated[Choice[Overlap] | None, BeforeValidator(_read_overlap)] = None
    retries: RetriesPatch | None = None
    success_statuses: Annotated[
        list[str] | None,
        BeforeValidator(_read_statuses),
        items(1, 20),
    ] = None
    criteria: dict[str, Any] | None = None
    url: Annotated[str | None, Field(json_schema_extra={"format": "uri"})] = None
    method: Choice[Method] | None = None
    headers_json: dict[str, str] | None = None
    body_json: Any = None
    auth: AuthPatch | None = None
    timeout_ms: LengthMs = None
    max_execution_time_ms: Annotated[int | None, from_to(1, EXECUTION_MAX // MILLISECOND)] = None
    max_response_size_kb: Annotated[int | None, from_to(1, 2**31 - 1)] = None
    redirects_max: Annotated[int | None, from_to(0, REDIRECTS_MAX)] = None
    policy: dict[str, Any] | None = None
    compile: Annotated[Choice[CompileMode] | None, BeforeValidator(_read_compile)] = None
    adapt: Annotated[Choice[Adapt] | None, BeforeValidator(_read_adapt)] = None
    signals: dict[Choice[Signal], bool] | None = None
    flow: FlowPatch | None = None
    keep_bodies: Choice[KeepBodies] | None = None
    redact: RedactPatch | None = None
    analysis: bool | None = None
    analysis_cooldown_ms: Annotated[int | None, from_to(COOLDOWN_LEAST // MILLISECOND, LENGTH_MS_MAX)] = None


class EndpointDocument(EndpointPatch):
    """A new endpoint."""

    model_config = ConfigDict(json_schema_extra={"required": ["name", "url"]})


class JobWithEndpoints(JobDocument):
    """A job and its endpoints, as a file lists them."""

    endpoints: list[EndpointDocument] = []


class IntervalHintDocument(Document):
    """Run every so often instead of the baseline, for a while."""

    interval_ms: Annotated[int, from_to(1_000, LENGTH_MS_MAX)]
    ttl_minutes: TtlMinutes = None
    reason: str | None = None


class OneShotHintDocument(Document):
    """Run once, not later than an instant. Of two ways to say when, `nextRunAt` counts."""

    next_run_at: InstantOrNull = None
    next_run_in_ms: LengthMs = None
    ttl_minutes: TtlMinutes = None
    reason: str | None = None


class DeferHintDocument(Document):
    """Do not run before an instant. Of two ways to say when, `until` counts."""

    until: InstantOrNull = None
    for_ms: LengthMs = None
    reason: str | None = None


class PauseDocument(Document):
    """Do not run at all before an instant; null resumes."""

    paused_until: InstantOrNull
    reason: str | None = None


class RotationDocument(Document):
    """How a signing key is rotated."""

    overlap_ms: Annotated[int | None, from_to(0, OVERLAP_MAX // MILLISECOND)] = None
    """For so long the key before goes on signing, a day unless given; 0 ends all older keys at once."""


class SecretDocument(Document):
    """What a secret is to say."""

    value: Annotated[str, Field(repr=False), characters(SECRET_LENGTH_MIN, SECRET_LENGTH_MAX)]


class PreviewDocument(Document):
    """An endpoint to be planned without being stored; its name and URL may be left out."""

    endpoint: EndpointPatch
    count: Annotated[int, from_to(1, PREVIEW_MAX)] = 10
