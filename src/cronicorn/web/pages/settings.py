"""The page that leads to all that is set up once: who may come in, what is kept secret, who is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from cronicorn.domain.permission import Operation
from cronicorn.web.site import WebSite
from cronicorn.web.view import Looked


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingLink:
    """A page that is led to, and what it is for."""

    path: str
    label: str
    told: str
    needs: Operation
    """Whoever may not do this is not led there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingGroup:
    """Pages that belong together."""

    title: str
    links: Sequence[SettingLink]


SETTINGS = (
    SettingGroup(
        title="People and programs",
        links=(
            SettingLink(
                path="/account", label="Your account", needs=Operation.ACCOUNT_SHOW,
                told="What you may do, your password, and the end of all your sessions.",
            ),
            SettingLink(
                path="/members", label="Members", needs=Operation.MEMBER_LIST,
                told="Who may sign in, with which role, and how they come in.",
            ),
            SettingLink(
                path="/keys", label="API keys", needs=Operation.KEY_LIST,
                told="By which programs come in, what each may do, and when it was used.",
            ),
        ),
    ),
    SettingGroup(
        title="What calls show",
        links=(
            SettingLink(
                path="/secrets", label="Secrets", needs=Operation.SECRET_LIST,
                told="Tokens and passwords that calls show, by their names.",
            ),
            SettingLink(
                path="/signing-key", label="Signing key", needs=Operation.SIGNING_KEY_SHOW,
                told="By which those who are called know that a call comes from here.",
            ),
        ),
    ),
    SettingGroup(
        title="Tenants",
        links=(
            SettingLink(
                path="/tenant", label="This tenant", needs=Operation.PROVISION_SHOW,
                told="What it may call, how long its history is kept, and its tokens.",
            ),
            SettingLink(
                path="/tenants", label="All tenants", needs=Operation.TENANT_LIST,
                told="Which there are, and what holds for each.",
            ),
        ),
    ),
    SettingGroup(
        title="Alerts",
        links=(
            SettingLink(
                path="/alerts", label="Alerts", needs=Operation.ALERTING_SHOW,
                told="Where messages about incidents go, what is one, and maintenance windows.",
            ),
        ),
    ),
    SettingGroup(
        title="What runs",
        links=(
            SettingLink(
                path="/usage", label="Usage", needs=Operation.QUOTA_SHOW,
                told="Tokens and runs against what may be spent, over days and by job.",
            ),
            SettingLink(
                path="/workers", label="Workers", needs=Operation.WORKER_LIST,
                told="Which are alive, in which version, and what they hold.",
            ),
            SettingLink(
                path="/audit", label="Audit", needs=Operation.AUDIT_LIST,
                told="Who changed what, from what to what.",
            ),
        ),
    ),
)  # fmt: skip
"""In this order; a group of which somebody may see nothing is left out."""


def settings_pages(site: WebSite) -> APIRouter:
    """The list of them."""
    router = APIRouter()

    @router.get("/settings")
    async def show(view: Looked) -> Response:
        seen = ((group.title, [each for each in group.links if view.may(each.needs)]) for group in SETTINGS)
        return site.page(view, "settings.html", groups=[(title, links) for title, links in seen if links])

    return router
