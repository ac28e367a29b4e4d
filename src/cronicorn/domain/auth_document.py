"""The document of an `auth` (`cronicorn.domain.document`). What is as usual is left out."""

from collections.abc import Mapping

from cronicorn.domain.auth import Auth, AuthKind, BasicAuth, BearerAuth, ClientAuth, ClientCredentials
from cronicorn.domain.fields import Document, Fields, Value, lean, pairs, pairs_of, unusual


def auth_document(auth: Auth | None) -> Document | None:
    """What stores keep of *auth*."""
    match auth:
        case None:
            return None
        case BearerAuth():
            return {"kind": AuthKind.BEARER.value, "token": auth.token}
        case BasicAuth():
            return {"kind": AuthKind.BASIC.value, "username": auth.username, "password": auth.password}
        case ClientCredentials():
            return lean({
                "kind": AuthKind.OAUTH2.value,
                "token_url": auth.token_url,
                "client_id": auth.client_id,
                "client_secret": auth.client_secret,
                "client_auth": unusual(auth.client_auth.value, ClientAuth.BASIC.value),
                "scope": auth.scope,
                "parameters": pairs(auth.parameters) if auth.parameters else None,
            })  # fmt: skip


def auth_of(document: Mapping[str, Value]) -> Auth:
    """The `auth` that `auth_document` wrote. Raises ValueError for anything else."""
    fields = Fields(document)
    match AuthKind(fields.text("kind")):
        case AuthKind.BEARER:
            return BearerAuth(token=fields.text("token"))
        case AuthKind.BASIC:
            return BasicAuth(username=fields.text("username"), password=fields.text("password"))
        case AuthKind.OAUTH2:
            return ClientCredentials(
                token_url=fields.text("token_url"),
                client_id=fields.text("client_id"),
                client_secret=fields.text("client_secret"),
                client_auth=ClientAuth(fields.text("client_auth", ClientAuth.BASIC)),
                scope=fields.text_or_none("scope"),
                parameters=pairs_of(fields.items("parameters")),
            )
