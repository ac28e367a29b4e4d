"""Sealing the URLs of alert routes."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from cronicorn.control.sealing import Sealer
from cronicorn.domain.alert.alerting import Alerting, AlertRoute
from cronicorn.domain.alert.ports import AlertingBook
from cronicorn.domain.alert.targets import is_open, place_of_route, shown_target, url_of, with_url


class RouteSealing:
    """Seals where routes lead, new ones and those of earlier versions."""

    def __init__(self, book: AlertingBook, sealer: Sealer) -> None:
        self._book = book
        self._sealer = sealer

    async def seal(self, tenant_id: str, route_id: str, url: str, *, may_make_key: bool = True) -> str:
        """*url* as it may be stored with the route. Raises UnavailableError when there is no key to seal with."""
        return await self._sealer.seal(url.encode(), place_of_route(tenant_id, route_id), may_make_key=may_make_key)

    def leads_to(self, tenant_id: str, route: AlertRoute, url: str) -> bool:
        """Whether *route* leads to *url*, or that is what is shown of where it does. Raises MasterKeyError."""
        return url in {shown_target(route), url_of(route, tenant_id, self._sealer.vault)}

    async def seal_all(self, *, may_make_key: bool) -> int:
        """Seal what earlier versions stored as it is; answer how many URLs that were. Raises UnavailableError.

        May be done again, and by several at once: a route that was changed meanwhile is left alone.
        """
        count = 0
        for tenant_id, alerting in (await self._book.all()).items():
            still_open = [route for route in alerting.routes if is_open(route)]
            found = {
                route: await self.seal(tenant_id, route.id, route.target, may_make_key=may_make_key)
                for route in still_open
            }
            if found:
                await self._book.change(tenant_id, partial(_sealed, found))
            count += len(found)
        return count


def _sealed(found: Mapping[AlertRoute, str], alerting: Alerting) -> Alerting:
    routes = (with_url(route, route.target, found[route]) if route in found else route for route in alerting.routes)
    return replace(alerting, routes=tuple(routes))
