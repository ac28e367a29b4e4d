"""Settings that can each be read but not be had together: which, where and what to do."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from cronicorn.domain.durations import show_duration
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.mechanism import KEPT, Invariant, Mechanism, shares_of
from cronicorn.domain.quota.bounds import CALL_TOKENS_MAX
from cronicorn.domain.quota.soft import SoftBound
from cronicorn.wiring.setting import PREFIX

Problem = tuple[str, str]
"""The name of a setting, and what is wrong with it."""

SERVICES = {Mechanism.REDIS: "redis_url", Mechanism.ETCD: "etcd_url"}
"""Those that need a service beside PostgreSQL, and the field that says where it is."""
_BY_TIER = ("endpoints_max", "interval_min", "runs_per_month")
_CAPS = ("tenant_calls_max", "host_calls_max")
_COUNTED = {mechanism for mechanism in Mechanism if Invariant.I17 in KEPT[mechanism]}
"""Those whose calls in progress the database can count."""


def contradictions(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with *values*, by field. Those that could not be read are not in it."""
    yield from _of_the_lease(values)
    yield from _of_the_master_key(values)
    yield from _of_the_model(values)
    yield from _of_the_quota(values)
    yield from _of_the_soft_quota(values)
    if "lease_mechanism" in values:
        mechanisms = [mechanism for mechanism, _ in shares_of(values["lease_mechanism"])]
        yield from _of_mechanisms(values, mechanisms)
        yield from _of_caps(values, mechanisms)


def _of_the_master_key(values: Mapping[str, Any]) -> Iterator[Problem]:
    if values.get("master_key") and values.get("master_key_command"):
        name = f"{PREFIX}MASTER_KEY_COMMAND"
        yield name, f"{name} and {PREFIX}MASTER_KEY both tell the master key: keep one of them."


def _of_the_lease(values: Mapping[str, Any]) -> Iterator[Problem]:
    leases: list[timedelta] = [
        values[name] for name in ("renew_interval", "lease_margin", "lease_ttl") if name in values
    ]
    if len(leases) < 3:  # noqa: PLR2004 (one of them could not be read)
        return
    renew, margin, ttl = leases
    if renew + margin >= ttl:
        yield (
            f"{PREFIX}LEASE_TTL",
            (
                f"{PREFIX}LEASE_TTL is {show_duration(ttl)}, but must be longer than {PREFIX}RENEW_INTERVAL "
                f"({show_duration(renew)}) and {PREFIX}LEASE_MARGIN ({show_duration(margin)}) together; "
                "for example 30s, 10s and 3s."
            ),
        )


def _of_mechanisms(values: Mapping[str, Any], mechanisms: list[Mechanism]) -> Iterator[Problem]:
    name = f"{PREFIX}LEASE_MECHANISM"
    for mechanism, field in SERVICES.items():
        if mechanism not in mechanisms:
            continue
        if field in values and values[field] is None:
            where = f"{PREFIX}{field.upper()}"
            yield where, f"{where} is not set, but {name} asks for {mechanism}: say where it is, or choose lease."
        if _backend(values) not in {None, "postgresql"}:
            yield (
                name,
                (
                    f"{name} asks for {mechanism}, which needs PostgreSQL: set {PREFIX}DATABASE_URL to "
                    "postgresql://…, or choose lease."
                ),
            )
    if _backend(values) == "memory" and mechanisms != [Mechanism.LEASE]:
        yield name, f"{name} must be lease for the store memory:, which knows no other; use sqlite: or postgresql://…"
    if Mechanism.LEGACY in mechanisms and {"legacy_lock", "lease_ttl"} <= values.keys():
        lock, ttl = values["legacy_lock"], values["lease_ttl"]
        if lock < ttl:
            yield (
                f"{PREFIX}LEGACY_LOCK",
                (
                    f"{PREFIX}LEGACY_LOCK is {show_duration(lock)}, but must not be shorter than {PREFIX}LEASE_TTL "
                    f"({show_duration(ttl)}); for example 60s and 30s."
                ),
            )


def _of_caps(values: Mapping[str, Any], mechanisms: list[Mechanism]) -> Iterator[Problem]:
    for name in (f"{PREFIX}{field.upper()}" for field in _CAPS if values.get(field) is not None):
        if _backend(values) not in {None, "postgresql"}:
            yield name, f"{name} needs PostgreSQL: unset it, or set {PREFIX}DATABASE_URL to postgresql://…"
        elif not set(mechanisms) <= _COUNTED:
            yield name, f"{name} is kept by lease and legacy alone: unset it, or change {PREFIX}LEASE_MECHANISM."


def _of_the_model(values: Mapping[str, Any]) -> Iterator[Problem]:
    if not {"ai_model", "ai_base_url", "ai_api_key"} <= values.keys():
        return
    name = f"{PREFIX}AI_MODEL"
    if values["ai_model"] is None:
        for each in (f"{PREFIX}{field.upper()}" for field in ("ai_base_url", "ai_api_key") if values[field]):
            yield each, f"{each} is set, but {name} is not: name a model, or leave both out."
    elif values["ai_base_url"] is None and values["ai_api_key"] is None:
        where = f"{PREFIX}AI_API_KEY"
        yield (
            where,
            (
                f"{where} is not set, but {name} names a model of a provider: set the key, or {PREFIX}AI_BASE_URL to "
                "a server of your own."
            ),
        )


def _of_the_quota(values: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _of_tiers(values)
    if values.get("quota_store") != "redis":
        return
    name = f"{PREFIX}QUOTA_STORE"
    if "redis_url" in values and values["redis_url"] is None:
        where = f"{PREFIX}REDIS_URL"
        yield where, f"{where} is not set, but {name} is redis: say where it is, or choose database."
    if _backend(values) not in {None, "postgresql"}:
        yield (
            name,
            f"{name} is redis, which needs PostgreSQL: set {PREFIX}DATABASE_URL to postgresql://…, or choose database.",
        )
    if values.get("quota_mode") == "advisory":
        mode = f"{PREFIX}QUOTA_MODE"
        yield mode, f"{mode} can't be advisory where {name} is redis: choose reserve, which exceeds nothing."


def _of_tiers(values: Mapping[str, Any]) -> Iterator[Problem]:
    if "quota_tiers" not in values:
        return
    tiers = {each.tier for each in values["quota_tiers"]}
    named = [(field, each.tier) for field in _BY_TIER for each in values.get(field, ()) if each.tier]
    if "quota_tier" in values:
        named.insert(0, ("quota_tier", values["quota_tier"]))
    for field, tier in named:
        if tier not in tiers:
            name = f"{PREFIX}{field.upper()}"
            known = ", ".join(sorted(tiers))
            yield (
                name,
                f"{name} names the tier {tier!r}, but {PREFIX}QUOTA_TIERS has {known}: name one, or add it there.",
            )


def _of_the_soft_quota(values: Mapping[str, Any]) -> Iterator[Problem]:
    named = {"quota_tiers", "quota_calls_max", "quota_call_tokens_max", "quota_soft_forced"}
    if values.get("quota_mode") != "soft" or not named <= values.keys():
        return
    yield from _of_calls(values)
    least = min(values["quota_tiers"], key=lambda each: each.value)
    bound = SoftBound(
        limit=least.value, concurrency=values["quota_calls_max"], call_tokens_max=values["quota_call_tokens_max"]
    )
    try:
        bound.check(forced=values["quota_soft_forced"])
    except InvalidInputError as error:
        name = f"{PREFIX}QUOTA_MODE"
        yield (
            name,
            (
                f"{name} is soft, and the tier {least.tier!r} is small. {error} Lower {PREFIX}QUOTA_CALLS_MAX or "
                f"{PREFIX}QUOTA_CALL_TOKENS_MAX, or set {PREFIX}QUOTA_SOFT_FORCED to yes."
            ),
        )


def _of_calls(values: Mapping[str, Any]) -> Iterator[Problem]:
    if values.get("ai_model") is not None and values["quota_call_tokens_max"] < CALL_TOKENS_MAX:
        name = f"{PREFIX}QUOTA_CALL_TOKENS_MAX"
        yield (
            name,
            (
                f"{name} is {values['quota_call_tokens_max']}, but one call of a model may cost {CALL_TOKENS_MAX} "
                "tokens: the bound of the mode soft would not be one. Unset it, or give that at least."
            ),
        )


def _backend(values: Mapping[str, Any]) -> str | None:
    """None when the URL could not be read."""
    return values["database_url"].backend if "database_url" in values else None
