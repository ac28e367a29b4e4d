"""The door for agents: over HTTP beside the API, or over the standard streams of a process of its own."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from cronicorn.api.agent_door import AgentDoor, AgentSite, is_loopback
from cronicorn.api.gate import RequestFrame
from cronicorn.control.identity import random_id
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.keychain.ports import Vault
from cronicorn.domain.permission import NEEDED, Permission
from cronicorn.domain.principal import ActorKind, Principal
from cronicorn.wiring.engine import Engine
from cronicorn.wiring.extras import require
from cronicorn.wiring.local import existing_control
from cronicorn.wiring.settings import Settings
from cronicorn.wiring.vault import open_vault

if TYPE_CHECKING:
    from mcp.server.mcpserver import RequestStateCodec
    from starlette.requests import Request

    from cronicorn.mcp.asking import Identify
    from cronicorn.mcp.toolsets import Offer

LOCAL_ACTOR = "an agent of this machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsOverHttp:
    """What answers agents over HTTP, while `running` is entered."""

    app: ASGIApp
    running: Callable[[], AbstractAsyncContextManager[None]]
    """To be entered once."""


async def agents_over_http(parts: Engine) -> AgentsOverHttp | None:
    """The door that the settings of *parts* open; None where they open none.

    Raises UnavailableError without the extra, InvalidInputError for a tool that there is not.
    """
    settings = parts.settings
    if not settings.mcp:
        return None
    require("mcp", "mcp", "CRONICORN_MCP=yes")
    from mcp.server.transport_security import TransportSecuritySettings

    from cronicorn.mcp.asking import admitted
    from cronicorn.mcp.server import create_server
    from cronicorn.mcp.toolsets import SCOPES

    states = _states(await open_vault(settings))
    server = create_server(parts.control, admitted, offer_of(settings), states)
    checked = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # By the door, for all that is below it.
    application = server.streamable_http_app(stateless_http=True, json_response=True, transport_security=checked)
    site = AgentSite(
        origin=settings.public_url, loopback=is_loopback(settings.host), scopes=SCOPES,
        authorization_server=settings.mcp_authorization_server,
    )  # fmt: skip
    door = AgentDoor(application, parts.control.admittance, site)
    return AgentsOverHttp(app=RequestFrame(door, new_id=random_id), running=server.session_manager.run)


async def serve_agent(settings: Settings, tenant: str) -> None:
    """Answer one agent over stdin and stdout until it goes away.

    It acts for the person at the machine, who has a store there, or for the key that *settings* name. Raises
    UnavailableError without the extra, NotFoundError without a store or a tenant, UnauthenticatedError for a bad key.
    """
    require("mcp", "mcp", "`cronicorn mcp`")
    from cronicorn.mcp.server import create_server

    offer = offer_of(settings)
    async with existing_control(settings) as local:
        if settings.mcp_key is None:
            identify = _always(_agent(local.principal(tenant), offer))
        else:
            identify = _by_key(local.control, settings.mcp_key)
            await identify(None)
        server = create_server(local.control, identify, offer, _states(await open_vault(settings)))
        try:
            await server.run_stdio_async()
        except* BrokenPipeError:
            pass  # It went away while it was being answered.


def offer_of(settings: Settings) -> "Offer":
    """What *settings* offer. Raises InvalidInputError for a tool that there is not."""
    from cronicorn.mcp.toolsets import Offer, Toolset

    return Offer(
        toolsets=tuple(Toolset(name) for name in settings.mcp_toolsets), write=settings.mcp_write,
        read_only=settings.mcp_read_only, excluded=settings.mcp_exclude,
    )  # fmt: skip


def _states(vault: Vault) -> "RequestStateCodec":
    """What protects what clients hand back: *vault*, so that any process takes it, where there is a master key."""
    from cronicorn.mcp.states import SealedStates, states_of_this_process

    return SealedStates(vault) if vault.ready else states_of_this_process()


def _agent(person: Principal, offer: "Offer") -> Principal:
    """An agent that acts for the *person* at the machine: it may do what it is offered, and look."""
    needed = {NEEDED[row.needs] for row in offer.rows} | {Permission.JOBS_READ}
    permissions = frozenset(each for each in needed if each is not None)
    return replace(person, actor=LOCAL_ACTOR, kind=ActorKind.AGENT, permissions=permissions)


def _always(principal: Principal) -> "Identify":
    async def identify(_: "Request | None") -> Principal:
        return principal

    return identify


def _by_key(control: ControlPlane, key: str) -> "Identify":
    """Whoever stands behind *key*, asked anew for each call: one that is revoked opens nothing any more."""

    async def identify(_: "Request | None") -> Principal:
        return (await control.admittance.by_key(key, random_id("req"))).principal

    return identify
