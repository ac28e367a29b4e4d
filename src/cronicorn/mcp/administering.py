"""Tools that make, change and delete endpoints."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from mcp_types import CallToolResult
from pydantic import Field

from cronicorn.control.document import EndpointDocument, EndpointPatch
from cronicorn.control.endpoints import EndpointView
from cronicorn.control.findings import Findings, refused
from cronicorn.control.misfits import whole_document
from cronicorn.domain.endpoint import CompileMode
from cronicorn.mcp.answers import BoundedAnswer, result_of, shown
from cronicorn.mcp.asking import AskedTool, EndpointId, PossibleId, ToolDesk
from cronicorn.mcp.endpoint_lines import next_run_at, schedule_line, warning_lines

D = TypeVar("D", bound=EndpointPatch)


class EndpointSaved(BoundedAnswer):
    """An endpoint that was made or changed."""

    id: str
    job_id: str
    name: str
    schedule: str
    next_run_at: str | None = None
    version: int
    warnings: Sequence[str] = ()


class EndpointDeleted(BoundedAnswer):
    """An endpoint that is no more."""

    id: str
    name: str


class Administering:
    """Makes, changes and deletes endpoints."""

    def __init__(self, desk: ToolDesk) -> None:
        self._desk = desk

    async def endpoint_save(
        self,
        ask: AskedTool,
        *,
        document: Annotated[
            dict[str, Any],
            Field(description="Its fields as in the REST API; cronicorn://docs/endpoint-schema describes them."),
        ],
        endpoint_id: Annotated[
            EndpointId | None, Field(description="The one to change: what is not given stays.")
        ] = None,
        job_id: Annotated[
            PossibleId | None, Field(description="The job of a new one, as endpoint_get answers it.")
        ] = None,
    ) -> Annotated[CallToolResult, EndpointSaved]:
        """Change an endpoint, or make one in a job. Give `endpoint_id` or `job_id`. Policies are proposed instead."""
        if (endpoint_id is None) == (job_id is None):
            raise refused("", "Give `endpoint_id` to change an endpoint, or `job_id` to make one: one of the two.")
        principal, endpoints = await self._desk.principal(ask), self._desk.control.endpoints
        findings = Findings("/document")
        if endpoint_id is not None:
            patch = _without_rules(whole_document(EndpointPatch, document, findings))
            return result_of(_saved(await endpoints.edit(principal, endpoint_id, patch)))
        new = _without_rules(whole_document(EndpointDocument, document, findings))
        assert job_id is not None
        return result_of(_saved(await endpoints.create(principal, job_id, new)))

    async def endpoint_delete(
        self,
        ask: AskedTool,
        *,
        endpoint_id: EndpointId,
        name: Annotated[
            str, Field(max_length=255, description="Its name, once more: so that no slip deletes another.")
        ],
    ) -> Annotated[CallToolResult, EndpointDeleted]:
        """Delete an endpoint with all its runs, for good."""
        principal, endpoints = await self._desk.principal(ask), self._desk.control.endpoints
        endpoint = (await endpoints.get(principal, endpoint_id)).endpoint
        if name != endpoint.name:
            raise refused("/name", f"Endpoint {endpoint_id} is not called so; nothing was deleted.")
        await endpoints.delete(principal, endpoint_id)
        return result_of(EndpointDeleted(id=endpoint_id, name=shown(endpoint.name)))


def _without_rules(document: D) -> D:
    """*document*. Raises InvalidInputError where it would put rules in force, now or later, without a person."""
    findings = Findings("/document")
    if "policy" in document.model_fields_set:
        findings.refuse("/policy", "A policy is put in force by a person: propose it with policy_propose.")
    if document.compile is CompileMode.AUTO:
        findings.refuse("/compile", "Only a person can have drafts put in force unseen: leave it out.")
    findings.raise_errors()
    return document


def _saved(view: EndpointView) -> EndpointSaved:
    endpoint = view.endpoint
    return EndpointSaved(
        id=endpoint.id, job_id=endpoint.job_id, name=shown(endpoint.name),
        schedule=schedule_line(endpoint), version=endpoint.version,
        next_run_at=next_run_at(endpoint.state),
        warnings=warning_lines(view.warnings),
    )  # fmt: skip
