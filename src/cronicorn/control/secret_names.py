"""Requests that name secrets: each must be there when the request is written."""

from collections.abc import Iterable

from cronicorn.control.document import EndpointPatch
from cronicorn.control.findings import Findings
from cronicorn.domain.json_pointer import json_pointer
from cronicorn.domain.keychain.ports import KeychainStore
from cronicorn.domain.secret_references import named_in


class SecretNames:
    """Knows which secrets tenants have. Where a document names none, no store is asked."""

    def __init__(self, store: KeychainStore) -> None:
        self._store = store

    async def unknown(self, tenant_id: str, patch: EndpointPatch) -> Findings:
        """The findings about secrets that *patch* names and the tenant does not have. Raises UnavailableError."""
        findings = Findings()
        named = [(pointer, names) for pointer, names in _named(patch) if names]
        if not named:
            return findings
        known = {secret.name for secret in (await self._store.get(tenant_id)).secrets}
        for pointer, names in named:
            for name in sorted(names - known):
                findings.refuse(pointer, f"There is no secret {name[:64]!r}: set it first, or correct the name.")
        return findings


def _named(patch: EndpointPatch) -> Iterable[tuple[str, frozenset[str]]]:
    """The secrets that each part of *patch* names."""
    for name, value in (patch.headers_json or {}).items():
        yield json_pointer(["headersJson", name]), named_in(value)
    yield "/bodyJson", _named_inside(patch.body_json)
    if patch.auth is not None:
        yield "/auth", _named_inside(patch.auth.model_dump(exclude_none=True))


def _named_inside(body: object) -> frozenset[str]:
    """The secrets that the texts of *body*, a JSON value, name; those that names in it name, too."""
    found: frozenset[str] = frozenset()
    waiting, seen = [body], set[int]()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:  # Shared within the body, which lives as long as this: looked at once.
            continue
        seen.add(id(value))
        if isinstance(value, str):
            found |= named_in(value)
        elif isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
    return found
