"""Routes of signing keys."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Depends

from cronicorn.api.parameters import Asker
from cronicorn.api.strict_json import StrictRoute, check_says_nothing
from cronicorn.api.wire_signing import (
    NewSigningKeyAnswer,
    SigningKeyAnswer,
    new_signing_key_answer,
    signing_key_answer,
)
from cronicorn.control.document import RotationDocument
from cronicorn.control.signing_keys import OVERLAP_DEFAULT, SigningKeys
from cronicorn.domain.instant import MILLISECOND


def signing_key_routes(keys: SigningKeys) -> APIRouter:
    """How a tenant's calls are signed."""
    router = APIRouter(prefix="/signing-keys", tags=["signing-keys"], route_class=StrictRoute)

    @router.get("")
    async def show_signing_key(asker: Asker) -> SigningKeyAnswer:
        """Whether calls are signed. The key itself is never shown again."""
        return signing_key_answer(await keys.show(asker))

    @router.post("", status_code=HTTPStatus.CREATED, dependencies=[Depends(check_says_nothing)])
    async def create_signing_key(asker: Asker) -> NewSigningKeyAnswer:
        """Sign all calls from now on, within seconds. The key is shown this once."""
        return new_signing_key_answer(await keys.create(asker))

    @router.post("/rotate")
    async def rotate_signing_key(
        asker: Asker, document: Annotated[RotationDocument | None, Body()] = None
    ) -> NewSigningKeyAnswer:
        """Put a new key in the place of the present one, which goes on signing for `overlapMs`, or a day."""
        wanted = document.overlap_ms if document is not None else None
        overlap = OVERLAP_DEFAULT if wanted is None else wanted * MILLISECOND
        return new_signing_key_answer(await keys.rotate(asker, overlap))

    @router.post("/end-overlap", status_code=HTTPStatus.NO_CONTENT, dependencies=[Depends(check_says_nothing)])
    async def end_signing_overlap(asker: Asker) -> None:
        """Let only the newest key sign from now on."""
        await keys.end_overlap(asker)

    @router.delete("", status_code=HTTPStatus.NO_CONTENT)
    async def remove_signing_key(asker: Asker) -> None:
        """Sign no more calls."""
        await keys.remove(asker)

    return router
