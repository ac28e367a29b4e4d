"""Routes of the calendar: what all endpoints of a tenant will call."""

from typing import Annotated

from fastapi import APIRouter, Query

from cronicorn.api.parameters import Asker, Bound
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_calendar import CalendarAnswer, calendar_answer
from cronicorn.control.findings import refused
from cronicorn.control.forecasts import Forecasts
from cronicorn.domain.instant import DAY

PARTS_MAX = 336
"""Half hours of a week."""

From = Annotated[Bound, Query(alias="from")]
To = Annotated[Bound, Query(alias="to")]


def calendar_routes(forecasts: Forecasts) -> APIRouter:
    """What can be asked about the days to come; nothing here changes anything."""
    router = APIRouter(tags=["schedules"], route_class=StrictRoute)

    @router.get("/calendar")
    async def show_calendar(
        asker: Asker, *, since: From = None, until: To = None, parts: Annotated[int, Query(ge=1, le=PARTS_MAX)] = 24
    ) -> CalendarAnswer:
        """What endpoints call if every run succeeds at once and nobody steers, the earliest first.

        A day from now on, unless `from` and `to` say otherwise: seven days at most, of the year to come.
        """
        begin = since if since is not None else forecasts.now.replace(microsecond=0)
        end = until if until is not None else begin + DAY
        if end <= begin:
            raise refused("", "The query parameter to: Must come after from.")
        return calendar_answer(await forecasts.show(asker, begin, end, parts))

    return router
