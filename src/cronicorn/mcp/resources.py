"""Resources: what an agent may read without calling a tool. All are read-only."""

import json

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import Annotations

from cronicorn.control.document import EndpointDocument
from cronicorn.control.identity import possible_id
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.errors import CronicornError, NotFoundError
from cronicorn.domain.policy.json_schema import policy_schema
from cronicorn.domain.principal import Principal
from cronicorn.mcp.answers import instant
from cronicorn.mcp.asking import AskedTool, ToolDesk, in_words
from cronicorn.mcp.endpoint_lines import policy_lines, policy_told
from cronicorn.mcp.explaining import POLICY

POLICY_SCHEMA = "cronicorn://docs/policy-schema"
ENDPOINT_SCHEMA = "cronicorn://docs/endpoint-schema"
EXPLANATION = "cronicorn://endpoints/{endpoint_id}/explanation"
FOR_MODELS = Annotations(audience=["assistant"], priority=0.5)
_JSON = "application/json"


def add_resources(server: MCPServer, desk: ToolDesk) -> None:
    """Give *server* its resources."""

    @server.resource(POLICY_SCHEMA, name="policy-schema", mime_type="application/schema+json", annotations=FOR_MODELS)
    def policy_schema_text() -> str:
        """The JSON Schema of a policy's document."""
        return json.dumps(policy_schema(), separators=(",", ":"))

    @server.resource(
        ENDPOINT_SCHEMA, name="endpoint-schema", mime_type="application/schema+json", annotations=FOR_MODELS
    )
    def endpoint_schema_text() -> str:
        """The JSON Schema of an endpoint's fields."""
        return json.dumps(EndpointDocument.model_json_schema(), separators=(",", ":"))

    @server.resource(POLICY, name="policy", mime_type=_JSON, annotations=FOR_MODELS)
    async def policy_in_force(endpoint_id: str, ask: AskedTool) -> str:
        """The policy of an endpoint, as its document and in words."""
        try:
            return await _policy(desk.control, await desk.principal(ask), endpoint_id)
        except CronicornError as error:
            raise _refusal(error) from error

    @server.resource(EXPLANATION, name="explanation", mime_type=_JSON, annotations=FOR_MODELS)
    async def explanation(endpoint_id: str, ask: AskedTool) -> str:
        """When an endpoint runs next, and each candidate and step that led there."""
        try:
            return await _explanation(desk.control, await desk.principal(ask), endpoint_id)
        except CronicornError as error:
            raise _refusal(error) from error


async def _policy(control: ControlPlane, principal: Principal, endpoint_id: str) -> str:
    endpoint = (await control.endpoints.get(principal, possible_id(endpoint_id))).endpoint
    told = {"policy": policy_told(endpoint), "in_words": policy_lines(endpoint.policy, endpoint)}
    return json.dumps(told, ensure_ascii=False)


async def _explanation(control: ControlPlane, principal: Principal, endpoint_id: str) -> str:
    found = await control.schedules.explain(principal, possible_id(endpoint_id))
    in_force = found.stored or found.current
    steps = [
        {"step": step.step, "verdict": step.verdict, "at": instant(step.at), "why": step.why} for step in in_force.steps
    ]
    plan = in_force.plan
    return json.dumps({"next_run_at": instant(plan.next_run_at), "source": plan.source.value, "steps": steps})


def _refusal(error: CronicornError) -> ResourceError:
    kind = ResourceNotFoundError if isinstance(error, NotFoundError) else ResourceError
    return kind(in_words(error))
