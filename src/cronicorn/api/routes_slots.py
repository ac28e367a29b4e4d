"""Routes of slots: what became of each instant of an endpoint."""

# ruff: noqa: FAST003 - the parameters of paths have their names in `parameters`

from typing import Annotated

from fastapi import APIRouter, Query

from cronicorn.api.cursors import Cursor, Paging
from cronicorn.api.parameters import Asker, Bound, Id
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_slots import SlotsAnswer, place_of, slots_answer
from cronicorn.control.slots import SLOTS_MAX, Slots
from cronicorn.domain.past_slots import SlotQuery

From = Annotated[Bound, Query(alias="from")]
To = Annotated[Bound, Query(alias="to")]


def slot_routes(slots: Slots) -> APIRouter:
    """What can be asked about slots; nothing here changes anything."""
    router = APIRouter(tags=["runs"], route_class=StrictRoute)

    @router.get("/endpoints/{id}/slots")
    async def list_slots(
        asker: Asker, endpoint_id: Id, *, since: From = None, until: To = None,
        limit: Annotated[int, Query(ge=1, le=SLOTS_MAX)] = 100, cursor: Cursor = None,
    ) -> SlotsAnswer:  # fmt: skip
        """Each instant once, newest first: its attempts, or why it did not run.

        What has not ended comes first, beside the `limit`.
        """
        paging = Paging(asker, "slots", endpoint_id, since, until)
        query = SlotQuery(limit=limit, since=since, until=until, after=place_of(cursor, paging))
        return slots_answer(await slots.list(asker, endpoint_id, query), paging)

    return router
