"""Where routes lead. A URL that takes messages is a credential: stored sealed, shown without its path. Pure."""

from dataclasses import replace

from cronicorn.domain.alert.alerting import AlertChannel, Alerting, AlertRoute
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.keychain.ports import Vault
from cronicorn.domain.target import parse_target

LEFT_OUT = "…"
"""Stands for what is not shown of a URL. No URL that is given holds it: it would be written in percents."""


def place_of_route(tenant_id: str, route_id: str) -> str:
    """What the URL of a route is bound to when it is sealed."""
    return f"{tenant_id}/alert-route/{route_id}"


def shown_url(url: str) -> str:
    """What may be shown of *url*, or of what was shown of it: who it speaks to."""
    try:
        target = parse_target(url)
    except InvalidInputError:
        return LEFT_OUT
    return f"{target.site.scheme}://{target.site.authority}/{'' if target.path == '/' else LEFT_OUT}"


def shown_target(route: AlertRoute) -> str:
    """What may be shown of where *route* leads."""
    return route.target if route.channel is AlertChannel.EMAIL else shown_url(route.target)


def is_open(route: AlertRoute) -> bool:
    """Whether *route* holds a URL as it is, as earlier versions stored it."""
    return route.channel is not AlertChannel.EMAIL and route.sealed is None


def with_url(route: AlertRoute, url: str, sealed: str) -> AlertRoute:
    """*route* that leads to *url*, of which it keeps what may be shown, and the whole *sealed*."""
    return replace(route, target=shown_url(url), sealed=sealed)


def url_of(route: AlertRoute, tenant_id: str, vault: Vault) -> str:
    """The URL that *route* leads to. Raises MasterKeyError."""
    if route.sealed is None:
        return route.target
    return vault.open(route.sealed, place_of_route(tenant_id, route.id)).decode()


def rewrapped_routes(alerting: Alerting, tenant_id: str, vault: Vault) -> Alerting:
    """*alerting* with its URLs under the master key that seals now. Raises MasterKeyError."""
    return replace(
        alerting,
        routes=tuple(
            replace(route, sealed=route.sealed and vault.rewrap(route.sealed, place_of_route(tenant_id, route.id)))
            for route in alerting.routes
        ),
    )
