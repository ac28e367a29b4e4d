"""Routes of dashboards and activity."""

from typing import Annotated

from fastapi import APIRouter, Query

from cronicorn.api.cursors import Cursor, Paging, Place
from cronicorn.api.parameters import Asker, Bound, Offset
from cronicorn.api.strict_json import StrictRoute
from cronicorn.api.wire_dashboard import ActivityAnswer, DashboardAnswer, activity_answer, dashboard_answer
from cronicorn.control.activity import (
    ACTIVITY_MAX,
    Activity,
    ActivityPage,
    ActivityQuery,
    EventPlace,
    EventType,
    place_of,
)
from cronicorn.control.dashboards import SERIES_MAX, DashboardQuery, Dashboards
from cronicorn.domain.fields import us
from cronicorn.domain.instant import instant_of

OfJob = Annotated[str | None, Query(alias="jobId", max_length=255)]
Since = Annotated[Bound, Query(alias="startDate")]
Until = Annotated[Bound, Query(alias="endDate")]


def dashboard_routes(dashboards: Dashboards, activity: Activity) -> APIRouter:
    """What can be asked about how everything fares."""
    router = APIRouter(prefix="/dashboard", tags=["dashboard"], route_class=StrictRoute)

    @router.get("/stats")
    async def show_dashboard(
        asker: Asker, *, job_id: OfJob = None, source: Annotated[str | None, Query(max_length=255)] = None,
        since: Since = None, until: Until = None,
        series: Annotated[int, Query(alias="endpointLimit", ge=1, le=SERIES_MAX)] = 20,
    ) -> DashboardAnswer:  # fmt: skip
        """Numbers of the last seven days, or of those asked for, in whole hours. No run is read for them.

        Of very many endpoints the busiest are found by some of the hours.
        """
        query = DashboardQuery(since=since, until=until, job_id=job_id, source=source, series=series)
        return dashboard_answer(await dashboards.show(asker, query))

    @router.get("/activity")
    async def list_activity(
        asker: Asker, *, since: Since = None, until: Until = None,
        kind: Annotated[EventType, Query(alias="eventType")] = EventType.ALL,
        limit: Annotated[int, Query(ge=1, le=ACTIVITY_MAX)] = 50, offset: Offset = 0, job_id: OfJob = None,
        cursor: Cursor = None,
    ) -> ActivityAnswer:  # fmt: skip
        """Runs and analyses that are still kept, newest first, in whole hours."""
        paging = Paging(asker, "activity", since, until, job_id, kind)
        after = _place_in(paging.place(cursor, int, str, int, offset=offset)) if cursor is not None else None
        query = ActivityQuery(
            since=since, until=until, job_id=job_id, kind=kind, limit=limit, offset=offset, after=after
        )
        page = await activity.list(asker, query)
        return activity_answer(page, paging.cursor(_last_place(page)) if page.more else None)

    return router


def _last_place(page: ActivityPage) -> Place:
    place = place_of(page.events[-1])
    return (us(place.at), place.id, int(place.is_run))


def _place_in(place: Place) -> EventPlace:
    at_us, identity, is_run = place
    return EventPlace(at=instant_of(int(at_us)), id=str(identity), is_run=bool(is_run))
