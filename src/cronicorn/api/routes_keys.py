"""Routes of API keys."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from cronicorn.api.parameters import Asker, Id, Offset
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_keys import KeysAnswer, NewKeyAnswer, keys_answer, new_key_answer
from cronicorn.control.keys import LISTED_MAX, KeyDocument, Keys


def key_routes(keys: Keys) -> APIRouter:
    """What can be asked about API keys."""
    router = APIRouter(prefix="/keys", tags=["keys"], route_class=StrictRoute)

    @router.post("", status_code=HTTPStatus.CREATED)
    async def create_key(asker: Asker, document: KeyDocument) -> NewKeyAnswer:
        """The key itself is answered only now. It may do no more than whoever makes it."""
        return new_key_answer(await keys.create(asker, document))

    @router.get("")
    async def list_keys(
        asker: Asker, limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 100, offset: Offset = 0
    ) -> KeysAnswer:
        """Newest first, revoked and expired ones included; never the keys themselves."""
        return keys_answer(await keys.list(asker, limit=limit, offset=offset))

    @router.delete("/{id}", status_code=HTTPStatus.NO_CONTENT)
    async def revoke_key(asker: Asker, key_id: Id) -> None:
        """It opens nothing from the next request on."""
        await keys.revoke(asker, key_id)

    return router
