"""From a document to the `auth` of a request: a whole that is read anew, since of another kind nothing could stay."""

import re
from collections.abc import Iterable
from typing import Final

from cronicorn.control.document import AuthPatch
from cronicorn.control.findings import Findings
from cronicorn.domain.auth import (
    PARAMETERS_MAX,
    TEXT_LENGTH_MAX,
    Auth,
    AuthKind,
    BasicAuth,
    BearerAuth,
    ClientAuth,
    ClientCredentials,
)
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.json_pointer import json_pointer
from cronicorn.domain.masking import looks_secret
from cronicorn.domain.secret_references import is_reference_alone, named_in
from cronicorn.domain.target import parse_target

_OF_KIND: Final = {
    AuthKind.BEARER: ("token",),
    AuthKind.BASIC: ("username", "password"),
    AuthKind.OAUTH2: ("token_url", "client_id", "client_secret", "client_auth", "scope", "parameters"),
}
_OF_STANDARD = frozenset({"grant_type", "client_id", "client_secret", "scope"})
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")
"""RFC 6749, 3.3."""
_NOT_KEPT = (
    "No credential is kept here: set it as a secret (cronicorn secret set NAME, or PUT /api/secrets/NAME) and give "
    "its reference alone, {{secret.NAME}}."
)


def auth_drafted(patch: AuthPatch, before: Auth | None, findings: Findings) -> Auth | None:
    """What *patch* says; *before* where it can't be used, and *findings* say why."""
    if patch.type is None:
        findings.refuse("/type", f"Say which: {', '.join(AuthKind)}.")
        return before
    for kind, names in _OF_KIND.items():
        for name in names:
            if kind is not patch.type and getattr(patch, name) is not None:
                findings.refuse(_pointer(name), f"Has no meaning for the type {patch.type}; leave it out.")
    auth = _read(patch, patch.type, findings)
    return before if any(place.startswith(findings.prefix) for place in findings.places) else auth


def _read(patch: AuthPatch, kind: AuthKind, findings: Findings) -> Auth:
    match kind:
        case AuthKind.BEARER:
            return BearerAuth(token=_secret(patch, "token", findings))
        case AuthKind.BASIC:
            return _basic(patch, findings)
        case AuthKind.OAUTH2:
            return _client(patch, findings)


def _basic(patch: AuthPatch, findings: Findings) -> BasicAuth:
    username, password = patch.username or "", patch.password or ""
    if not named_in(password) and is_reference_alone(username):
        if password:
            findings.refuse("/password", _NOT_KEPT)
        return BasicAuth(username=username)
    if ":" in username:
        findings.refuse("/username", "A user name has no colon: that is where the password begins (RFC 7617).")
    _plain(username, "/username", findings)
    return BasicAuth(username=username, password=_secret(patch, "password", findings))


def _client(patch: AuthPatch, findings: Findings) -> ClientCredentials:
    return ClientCredentials(
        token_url=_token_url(patch, findings),
        client_id=_plain(_required(patch, "client_id", findings), "/clientId", findings),
        client_secret=_secret(patch, "client_secret", findings),
        client_auth=patch.client_auth or ClientAuth.BASIC,
        scope=_scope(patch.scope, findings),
        parameters=tuple(_parameters(patch.parameters or {}, findings.inside("/parameters"))),
    )


def _token_url(patch: AuthPatch, findings: Findings) -> str:
    url = _required(patch, "token_url", findings)
    try:
        if named_in(url):
            findings.refuse("/tokenUrl", "URLs are shown and logged by many: name no secret in one.")
        elif url and parse_target(url).site.scheme != "https":
            findings.warn("/tokenUrl", "Whoever is on the way to an http URL can read the client's secret: use https.")
    except InvalidInputError as error:
        findings.refuse("/tokenUrl", str(error))
    return url


def _scope(scope: str | None, findings: Findings) -> str | None:
    if scope is not None and _SCOPE.fullmatch(scope) is None:
        findings.refuse("/scope", "Must be words of visible ASCII characters, without quotes and backslashes.")
    return scope


def _parameters(given: dict[str, str], findings: Findings) -> Iterable[tuple[str, str]]:
    if len(given) > PARAMETERS_MAX:
        findings.refuse("", f"At most {PARAMETERS_MAX} parameters.")
        return
    for name, value in given.items():
        pointer = json_pointer([name])
        if name in _OF_STANDARD:
            findings.refuse(pointer, "Sent already, as the standard has it: leave it out, or give it by its own field.")
        elif not name or len(name) > TEXT_LENGTH_MAX or len(value) > TEXT_LENGTH_MAX:
            findings.refuse(pointer, f"The name has 1 to {TEXT_LENGTH_MAX} characters, the value as many at most.")
        elif not name.isprintable():
            findings.refuse(pointer, "Its name holds a control character; take it out.")
        else:
            _plain(value, pointer, findings, name)
        yield name, value


def _required(patch: AuthPatch, name: str, findings: Findings) -> str:
    value: str | None = getattr(patch, name)
    if not value:
        findings.refuse(_pointer(name), "This field is required.")
    return value or ""


def _secret(patch: AuthPatch, name: str, findings: Findings) -> str:
    value = _required(patch, name, findings)
    if value and not is_reference_alone(value):
        findings.refuse(_pointer(name), _NOT_KEPT)
    return value


def _plain(value: str, pointer: str, findings: Findings, name: str = "") -> str:
    """*value*, which may be shown, or is a reference."""
    if not value.isprintable():
        findings.refuse(pointer, "Holds a control character; take it out.")
    elif not is_reference_alone(value) and (named_in(value) or looks_secret(name, value)):
        findings.refuse(pointer, _NOT_KEPT)
    return value


def _pointer(name: str) -> str:
    return f"/{AuthPatch.model_fields[name].alias}"
