"""What every message passes: tools are listed for whoever may use them, and what can't be meant is refused."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, INVALID_REQUEST, CallToolResult, TextContent
from mcp_types.methods import serialize_server_result
from pydantic import ValidationError

from cronicorn.control.misfits import misfits
from cronicorn.domain.errors import CronicornError
from cronicorn.domain.nearest import meant_or
from cronicorn.domain.principal import Principal
from cronicorn.mcp.asking import ToolDesk, in_words
from cronicorn.mcp.toolsets import NAMES, Offer

log = logging.getLogger(__name__)

NAME_SHOWN = 64
MISSING = "This field is required."
_OF_SDK = "Error executing tool {}: "


class Passage:
    """The middleware of a server that offers *offer*."""

    def __init__(self, desk: ToolDesk, offer: Offer, tools: Iterable[Tool], prompts: Iterable[Prompt]) -> None:
        self._desk = desk
        self._rows = {row.name: row for row in offer.rows}
        self._tools = {tool.name: tool for tool in tools}
        self._prompts = {prompt.name: prompt for prompt in prompts}

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.request_id is None:  # A notification, which asks for nothing, whatever it is called.
            return await call_next(ctx)
        match ctx.method:
            case "tools/list":
                return self._listed(await self._principal(ctx), await call_next(ctx))
            case "tools/call":
                return await self._called(ctx, call_next)
            case "prompts/get":
                self._check_prompt(ctx.params or {})
                return await call_next(ctx)
            case _:
                return await call_next(ctx)

    async def _principal(self, context: ServerRequestContext[Any, Any]) -> Principal:
        try:
            return await self._desk.identify(context.request)
        except CronicornError as error:
            raise MCPError(code=INVALID_REQUEST, message=in_words(error)) from error

    def _listed(self, principal: Principal, result: HandlerResult) -> HandlerResult:
        """The tools of *result* that *principal* may use."""
        assert isinstance(result, dict)
        tools = [tool for tool in result["tools"] if principal.may(self._rows[tool["name"]].needs)]
        return {**result, "tools": tools}

    async def _called(self, context: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        params = context.params or {}
        name, arguments = str(params.get("name")), params.get("arguments") or {}
        refusal = self._refusal(name, arguments)
        result = _refused(context, refusal) if refusal is not None else await call_next(context)
        failed = isinstance(result, dict) and bool(result.get("isError"))
        log.info("tool_called", extra={"tool": name[:NAME_SHOWN], "refused": failed})
        return _plainly(name, result) if failed and isinstance(result, dict) else result

    def _check_prompt(self, params: Mapping[str, Any]) -> None:
        """Raise MCPError where no prompt is meant, or not with these arguments."""
        name, given = str(params.get("name")), params.get("arguments") or {}
        prompt, refusal = self._prompts.get(name), None
        if prompt is None:
            refusal = f"not_found: there is no prompt {name[:NAME_SHOWN]!r}. There are {', '.join(self._prompts)}."
        elif isinstance(given, dict):
            known = {each.name: each.required for each in prompt.arguments or ()}
            missing = (each for each, required in known.items() if required and each not in given)
            refusal = _stray(name, given, known) or next(
                (f"invalid_input: /{each}: {MISSING}" for each in missing), None
            )
        if refusal is not None:
            raise MCPError(code=INVALID_PARAMS, message=refusal)

    def _refusal(self, name: str, arguments: object) -> str | None:
        """Why a call can't be meant; None when it can."""
        if name not in self._rows:
            return _not_offered(name, tuple(self._rows))
        tool, given = self._tools[name], arguments if isinstance(arguments, dict) else {}
        if (stray := _stray(name, given, tool.parameters["properties"])) is not None:
            return stray
        try:
            tool.fn_metadata.validate_arguments(given)
        except ValidationError as error:
            found = misfits(error.errors(include_url=False, include_input=False), None)
            return f"invalid_input: {' '.join(f'{each.pointer}: {each.message}' for each in found)}"
        except CronicornError as error:  # No id is like that.
            return in_words(error)
        return None


def _refused(context: ServerRequestContext[Any, Any], refusal: str) -> dict[str, Any]:
    """The result that tells of *refusal*, as the revision of the protocol has it that the client speaks."""
    result = CallToolResult(content=[TextContent(type="text", text=refusal)], is_error=True)
    told = result.model_dump(by_alias=True, mode="json", exclude_none=True)
    return serialize_server_result(context.method, context.protocol_version, told)


def _plainly(name: str, result: dict[str, Any]) -> dict[str, Any]:
    """*result*, an error, without what the SDK puts before it: it begins with its code, as every other does."""
    content = [{**each, "text": str(each.get("text")).removeprefix(_OF_SDK.format(name))} for each in result["content"]]
    return {**result, "content": content}


def _stray(name: str, given: Iterable[str], known: Mapping[str, object]) -> str | None:
    """Which of the arguments *given* to *name* is none of the *known* ones, and what may be meant; None for none."""
    for argument in given:
        if argument not in known:
            guess = meant_or(argument, known, f"It takes {', '.join(known) or 'none'}.")
            return f"invalid_input: {name} has no argument {argument[:NAME_SHOWN]!r}. {guess}"
    return None


def _not_offered(name: str, offered: tuple[str, ...]) -> str:
    if name in NAMES:
        return (
            f"forbidden: {name} is not offered here. Tools that change something are offered where the server is "
            "started with them: see `cronicorn mcp --help` and CRONICORN_MCP_WRITE."
        )
    guess = meant_or(name, offered, f"There are {', '.join(offered)}.")
    return f"not_found: there is no tool {name[:NAME_SHOWN]!r}. {guess}"
