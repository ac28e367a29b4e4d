"""The switch between light and dark, kept in a cookie of its own."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.web.addresses import own_path
from cronicorn.web.porter import THEME, THEME_COOKIE
from cronicorn.web.site import see
from cronicorn.web.view import Looked, Theme

_KEPT = timedelta(days=365)


def theme_pages() -> APIRouter:
    """The switch. It is for anybody, also before signing in."""
    router = APIRouter()

    @router.post(THEME)
    async def switch(view: Looked) -> Response:
        answer = see(own_path(view.entered("back")))
        wanted = view.entered("theme")
        if wanted in set(Theme):
            answer.set_cookie(
                THEME_COOKIE, wanted, max_age=int(_KEPT.total_seconds()), path="/", httponly=True, samesite="strict"
            )
        return answer

    return router
