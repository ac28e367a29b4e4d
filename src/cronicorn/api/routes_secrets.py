"""Routes of secrets."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from cronicorn.api.parameters import Asker
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_values import Answer, Instant
from cronicorn.control.document import SecretDocument
from cronicorn.control.secrets import Secrets
from cronicorn.domain.keychain.keychain import Secret

SecretName = Annotated[str, Path(alias="name", max_length=64)]


class SecretAnswer(Answer):
    """That there is a secret. What it says is never answered."""

    name: str
    created_at: Instant
    updated_at: Instant


class SecretsAnswer(Answer):
    """The secrets of a tenant, by name."""

    secrets: list[SecretAnswer]


def secret_routes(secrets: Secrets) -> APIRouter:
    """What a tenant keeps secret and its requests name: write-only."""
    router = APIRouter(prefix="/secrets", tags=["secrets"], route_class=StrictRoute)

    @router.get("")
    async def list_secrets(asker: Asker) -> SecretsAnswer:
        """Which secrets there are."""
        return SecretsAnswer(secrets=[_answer(secret) for secret in await secrets.list(asker)])

    @router.put("/{name}")
    async def put_secret(asker: Asker, name: SecretName, document: SecretDocument) -> SecretAnswer:
        """Set a secret, or another text for one. Calls made two seconds later have it."""
        return _answer(await secrets.set(asker, name, document))

    @router.delete("/{name}", status_code=HTTPStatus.NO_CONTENT)
    async def remove_secret(asker: Asker, name: SecretName) -> None:
        """Calls of requests that still name it are not made."""
        await secrets.remove(asker, name)

    return router


def _answer(secret: Secret) -> SecretAnswer:
    return SecretAnswer(name=secret.name, created_at=secret.created_at, updated_at=secret.updated_at)
