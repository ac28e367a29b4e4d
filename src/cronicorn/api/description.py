"""What the application says of itself in OpenAPI 3.1, completed: problem types and examples."""

import re
from collections import defaultdict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from cronicorn.api.problem_types import example_of, problem_types
from cronicorn.api.rehearsing import NAME, REACHES_OUT

EXAMPLES: Mapping[str, Any] = {
    "JobDocument": {"name": "shop", "description": "What keeps the shop running."},
    "JobPatch": {"name": "shop, closed on Sundays"},
    "EndpointDocument": {
        "name": "stock", "url": "https://shop.example/stock", "method": "GET", "baselineIntervalMs": 300_000,
        "minIntervalMs": 30_000, "maxIntervalMs": 900_000, "timeoutMs": 10_000,
    },
    "EndpointPatch": {"baselineCron": "*/10 * * * *", "baselineIntervalMs": None, "timezone": "Europe/Berlin"},
    "IntervalHintDocument": {"intervalMs": 30_000, "ttlMinutes": 60, "reason": "A sale is on."},
    "OneShotHintDocument": {"nextRunInMs": 5_000, "ttlMinutes": 5, "reason": "Look again soon."},
    "DeferHintDocument": {"forMs": 600_000, "reason": "They deploy."},
    "PauseDocument": {"pausedUntil": "2099-01-31T08:00:00.000Z", "reason": "Maintenance."},
    "PreviewDocument": {"endpoint": {"baselineCron": "0 9 * * 1-5", "timezone": "Europe/Berlin"}, "count": 3},
    "PolicyDocument": {"policy": {"version": 1, "rules": []}},
    "SimulationDocument": {
        "scenario": {
            "version": 1, "length": "10m", "endpoints": [{"name": "stock", "every": "60s"}],
            "expect": [{"name": "it is called each minute", "endpoint": "stock", "count": {"at_least": 9}}],
        },
    },
    "EgressDocument": {"allow": ["10.1.2.0/24", "db.internal"]},
    "RetentionDocument": {"runsMs": 604_800_000, "failuresMs": 7_776_000_000},
    "TermsDocument": {"limit": 100_000, "period": "month", "zone": "Europe/Berlin"},
    "BacktestDocument": {"policy": {"version": 1, "rules": []}, "overHours": 24},
}  # fmt: skip
"""A body of each shape that is worth showing."""
COMMON = (
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE,
)  # fmt: skip
"""What any route with a key may answer."""
WITH_BODY = (
    HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)  # fmt: skip
"""What a route that takes a body may answer as well."""
_SCHEMA = {"$ref": "#/components/schemas/ProblemAnswer"}


def problem_responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """*statuses* as OpenAPI describes responses, each with an example of each type of problem that has it."""
    kinds = defaultdict(list)
    for kind in problem_types():
        kinds[kind.status].append(kind)
    return {
        status.value: {
            "description": status.phrase,
            "content": {
                "application/problem+json": {
                    "schema": _SCHEMA,
                    "examples": {
                        kind.code: {"summary": kind.meaning, "value": example_of(kind)} for kind in kinds[status]
                    },
                }
            },
        }
        for status in statuses
    }


def complete(description: dict[str, Any]) -> dict[str, Any]:
    """*description* with examples, and with what else routes may refuse. Changes and answers it."""
    schemas = description["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):  # What FastAPI would answer.
        schemas.pop(unused, None)
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            route["responses"].pop("422", None)  # The same; we answer 400.
            if path.startswith("/api") and method == "post":
                route.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
                route["responses"] |= _told(problem_responses(HTTPStatus.UNPROCESSABLE_ENTITY))
            if path.startswith("/api") and method != "get" and REACHES_OUT.fullmatch(_ANY_ID.sub("x", path)) is None:
                _describe_rehearsal(route)
            takes_match = any(each["name"] == "If-Match" for each in route.get("parameters", ()))
            more = (HTTPStatus.PRECONDITION_FAILED, HTTPStatus.PRECONDITION_REQUIRED) if takes_match else ()
            refusals = problem_responses(*(WITH_BODY if path.startswith("/api") else ()), *more)
            route["responses"] = _told(refusals) | route["responses"]
    return description


def _describe_rehearsal(route: dict[str, Any]) -> None:
    route.setdefault("parameters", []).append(_VALIDATE_ONLY)
    done = next((route["responses"][status] for status in ("201", "202") if status in route["responses"]), None)
    if done is not None:
        route["responses"].setdefault("200", {**done, "description": "As it would be, with `validate_only`"})


def _told(responses: Mapping[int | str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(status): told for status, told in responses.items()}


_IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "Carry this request out once, however often it comes within 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "order-4711",
}  # fmt: skip
_VALIDATE_ONLY: Mapping[str, Any] = {
    "name": NAME, "in": "query", "required": False,
    "description": "Check everything and answer what would come; nothing stays of it.",
    "schema": {"type": "boolean"},
}  # fmt: skip
_ANY_ID = re.compile(r"\{\w+\}")
