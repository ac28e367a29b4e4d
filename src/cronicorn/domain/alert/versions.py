"""Versions of what a tenant wants to be told, for `cronicorn.domain.unchanged`."""

from cronicorn.domain.alert.alerting import Alerting, AlertRoute
from cronicorn.domain.alert.alerting_document import alerting_document
from cronicorn.domain.fields import json_text
from cronicorn.domain.unchanged import digest_of


def version_of_alert_rules(alerting: Alerting) -> str:
    """What differs after every change of the rules of *alerting*, and of the exceptions from them."""
    rules = Alerting(rules=alerting.rules, exceptions=alerting.exceptions)
    return digest_of(json_text(alerting_document(rules)))


def version_of_alert_route(route: AlertRoute) -> str:
    """What differs after every change of *route*."""
    return digest_of(json_text(alerting_document(Alerting(routes=(route,)))))
