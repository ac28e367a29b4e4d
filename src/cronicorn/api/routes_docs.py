"""Routes of the pages for people: what the API offers, and what each type of problem means. They need no key."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from cronicorn.api.description import problem_responses
from cronicorn.api.pages import PAGE_FIELDS, problem_page, reference_page
from cronicorn.api.problem_types import problem_types
from cronicorn.api.problems import PROBLEMS_PATH
from cronicorn.domain.errors import NotFoundError


def docs_routes(described: Callable[[], Mapping[str, Any]]) -> APIRouter:
    """Pages made of what *described* answers."""
    router = APIRouter(tags=["docs"])
    types = {kind.code: kind for kind in problem_types()}

    @router.get("/docs", response_class=HTMLResponse)
    async def read_docs() -> HTMLResponse:
        """The reference of this API. The page loads nothing from anywhere."""
        return HTMLResponse(reference_page(described()), headers=PAGE_FIELDS)

    @router.get(
        f"{PROBLEMS_PATH}/{{code}}", response_class=HTMLResponse, responses=problem_responses(HTTPStatus.NOT_FOUND)
    )
    async def read_problem(code: str) -> HTMLResponse:
        """What a type of problem means, and what helps."""
        if code not in types:
            raise NotFoundError("There is no such type of problem.")
        return HTMLResponse(problem_page(types[code]), headers=PAGE_FIELDS)

    return router
