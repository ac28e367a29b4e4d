"""The key that signs a tenant's calls: made and rotated, and shown once, then."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.document import RotationDocument
from cronicorn.control.findings import Findings
from cronicorn.control.misfits import whole_document
from cronicorn.control.plane import ControlPlane
from cronicorn.control.signing_keys import OVERLAP_DEFAULT, NewSigningKey
from cronicorn.domain.durations import show_duration
from cronicorn.domain.errors import CronicornError
from cronicorn.domain.instant import MILLISECOND
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal
from cronicorn.web.form_fields import read_texts, tidied
from cronicorn.web.form_shown import TOLD_IN_FORMS, form_shown
from cronicorn.web.form_values import LENGTH
from cronicorn.web.once import made_to_show
from cronicorn.web.site import WebSite, see
from cronicorn.web.view import Looked, View

_PAGE = "/signing-key"
_FIELDS: Final = {"overlapMs": LENGTH}
_LABELS: Final = {"overlapMs": "The key before goes on signing for"}
_NEW: Final = {"overlapMs": show_duration(OVERLAP_DEFAULT)}


def signing_key_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """Whether calls are signed, and by which key."""
    router, keys = APIRouter(), control.signing_keys

    @router.get(_PAGE)
    async def show(view: Looked) -> Response:
        return await _shown(site, control, view, _NEW)

    @router.post(f"{_PAGE}/make")
    async def create(view: Looked) -> Response:
        try:
            made = await made_to_show(control.repeats, view, lambda: keys.create(view.asker))
        except TOLD_IN_FORMS as error:
            return await _shown(site, control, view, _NEW, error)
        return see(_PAGE) if made is None else await _shown(site, control, view, _NEW, made=made)

    @router.post(f"{_PAGE}/rotate")
    async def rotate(view: Looked) -> Response:
        view.asker.check(Operation.SIGNING_KEY_ROTATE)
        entered = _NEW | tidied(view.form, _FIELDS)
        try:
            made = await made_to_show(control.repeats, view, lambda: _rotated(control, view.asker, entered))
        except TOLD_IN_FORMS as error:
            return await _shown(site, control, view, entered, error)
        return see(_PAGE) if made is None else await _shown(site, control, view, _NEW, made=made)

    @router.post(f"{_PAGE}/end-overlap")
    async def end_overlap(view: Looked) -> Response:
        await keys.end_overlap(view.asker)
        return see(_PAGE)

    @router.post(f"{_PAGE}/remove")
    async def remove(view: Looked) -> Response:
        await keys.remove(view.asker)
        return see(_PAGE)

    return router


async def _rotated(control: ControlPlane, asker: Principal, entered: dict[str, str]) -> NewSigningKey:
    findings = Findings()
    wanted = whole_document(RotationDocument, read_texts(entered, _FIELDS, findings), findings).overlap_ms
    return await control.signing_keys.rotate(asker, OVERLAP_DEFAULT if wanted is None else wanted * MILLISECOND)


async def _shown(
    site: WebSite, control: ControlPlane, view: View, entered: dict[str, str], error: CronicornError | None = None, *,
    made: NewSigningKey | None = None,
) -> Response:  # fmt: skip
    keys = await control.signing_keys.show(view.asker)
    return site.page(view, "signing_key.html", keys=keys, made=made, **form_shown(view, entered, _LABELS, error))
