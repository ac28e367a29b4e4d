"""The types of problems, each with what it means and what helps: for their pages, and for the description."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from inspect import getdoc
from types import MappingProxyType

from cronicorn.api.problems import CODES, PROBLEMS_PATH
from cronicorn.control.statuses import STATUSES
from cronicorn.domain.errors import CronicornError


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemType:
    """One type of problem."""

    code: str
    status: HTTPStatus
    meaning: str
    remedy: str

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"{PROBLEMS_PATH}/{self.code}"


_REMEDIES: Mapping[str, str] = MappingProxyType({
    "not_found": "Check the path and the ids in it. What belongs to another tenant is not found either.",
    "unauthenticated": "Send an API key as `x-api-key: KEY` or `Authorization: Bearer KEY`. A key that was revoked or "
    "has expired opens nothing; make another one.",
    "forbidden": "Ask an owner of the tenant for a role or a key with the permission that `detail` names.",
    "conflict": "Read what is there now: `detail` says what is in the way.",
    "precondition_failed": "Somebody else has changed it. Read it again, decide anew, and send the ETag that you got.",
    "precondition_required": "Read it first, and send the ETag of that answer as If-Match.",
    "invalid_input": "Each of `errors` names a field by a JSON Pointer, and says what is wrong with it.",
    "quota_exceeded": "Wait for Retry-After, if there is one, or have the limit raised. `GET /api/quota` tells what is "
    "left.",
    "rate_exceeded": "Ask less often: RateLimit says how many requests are left, and Retry-After when to come back.",
    "unavailable": "The same request may work in a few seconds; Retry-After says when to try.",
    "idempotency_key_reused": "A key belongs to one request. Send another key with another request.",
    "request_in_progress": "Wait for Retry-After, and send the same request again: the answer will be there.",
    "outcome_unknown": "Look whether what was asked for has been done. If not, send it with a new key.",
    "method_not_allowed": "The Allow header says which methods there are.",
    "request_timeout": "Send the body faster, or a shorter one.",
    "content_too_large": "Send less at once.",
    "unsupported_media_type": "Send JSON, with `Content-Type: application/json`.",
    "internal": "This is a bug. The log tells more under the id in `requestId`.",
})  # fmt: skip


def problem_types() -> Iterable[ProblemType]:
    """All of them, by status."""
    meanings = {kind.code: (status, _first(kind)) for kind, status in STATUSES.items()}
    told = {code: (status, f"{status.phrase}.") for status, code in CODES.items() if code not in meanings}
    found = [
        ProblemType(code=code, status=status, meaning=meaning, remedy=_REMEDIES[code])
        for code, (status, meaning) in (meanings | told).items()
    ]
    return sorted(found, key=lambda each: (each.status, each.code))


def example_of(kind: ProblemType) -> dict[str, object]:
    """A problem document of this type."""
    return {
        "type": kind.path, "title": kind.status.phrase, "status": kind.status.value, "detail": kind.meaning,
        "instance": "/api/jobs", "message": kind.meaning, "requestId": "req_1",
    }  # fmt: skip


def _first(kind: type[CronicornError]) -> str:
    return " ".join((getdoc(kind) or "").split("\n\n", maxsplit=1)[0].split())
