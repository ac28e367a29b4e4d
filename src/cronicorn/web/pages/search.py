"""Search: jobs and endpoints by words, wherever they are."""

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.control.plane import ControlPlane
from cronicorn.web.site import WebSite
from cronicorn.web.view import Looked

TEXT_LENGTH_MAX = 200
"""What is entered beyond is not looked for."""


def search_pages(site: WebSite, control: ControlPlane) -> APIRouter:
    """What the field at the top of all pages leads to."""
    router = APIRouter()

    @router.get("/search")
    async def show(view: Looked, q: str = "") -> Response:
        sought = q.strip()[:TEXT_LENGTH_MAX]
        return site.page(view, "search.html", sought=sought, found=await control.search.find(view.asker, sought))

    return router
