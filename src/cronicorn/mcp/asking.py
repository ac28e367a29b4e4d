"""Who asks, and how what goes wrong is told to an agent."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, ParamSpec, TypeVar

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import AfterValidator, Field
from starlette.requests import Request

from cronicorn.control.identity import possible_id
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.errors import CronicornError, InvalidInputError, NotFoundError, UnauthenticatedError
from cronicorn.domain.principal import Principal
from cronicorn.mcp.answers import shown

ERROR_MAX = 600
"""Characters of an error that comes alone."""
FINDINGS_TOLD = 10
IDS = " Names are no ids: endpoint_search finds those of endpoints."
P = ParamSpec("P")
T = TypeVar("T")

PossibleId = Annotated[str, AfterValidator(possible_id)]
EndpointId = Annotated[PossibleId, Field(description="As endpoint_search answers it.")]
AskedTool = Context[Any, Any]
"""What a tool is told of its call, besides its arguments."""
Identify = Callable[[Request | None], Awaitable[Principal]]
"""Who asks, by the HTTP request that a call came in; None over stdio. Raises UnauthenticatedError."""


async def admitted(request: Request | None) -> Principal:
    """Whom the gate before an HTTP door let in."""
    principal = getattr(request.state, "principal", None) if request is not None else None
    if not isinstance(principal, Principal):
        raise UnauthenticatedError("The request passed no gate.")
    return principal


@dataclass(frozen=True, slots=True)
class ToolDesk:
    """What tools work with."""

    control: ControlPlane
    identify: Identify

    async def principal(self, ask: AskedTool) -> Principal:
        """Who asks."""
        return await self.identify(ask.request_context.request)


def guarded(tool: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """*tool*, which tells of errors that its caller can act on; anything else is a bug, of which only the log tells."""

    @wraps(tool)
    async def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await tool(*args, **kwargs)
        except CronicornError as error:
            raise error_told(error) from error

    asked.__signature__ = inspect.signature(tool)  # type: ignore[attr-defined]
    return asked


def error_told(error: CronicornError) -> ToolError:
    """What a tool raises for *error*."""
    return ToolError(in_words(error))


def in_words(error: CronicornError) -> str:
    """*error*, with each thing that is wrong with an input; what it quotes is cleaned and short."""
    fields = error.fields if isinstance(error, InvalidInputError) else ()
    if len(fields) <= 1:
        hint = IDS if isinstance(error, NotFoundError) else ""
        return f"{error.code}: {shown(str(error), ERROR_MAX)}{hint}"
    lines = [shown(f"{each.pointer or '/'}: {each.message}") for each in fields[:FINDINGS_TOLD]]
    more = [f"… and {len(fields) - FINDINGS_TOLD} more"] if len(fields) > FINDINGS_TOLD else []
    return "\n".join([f"{error.code}:", *lines, *more])
