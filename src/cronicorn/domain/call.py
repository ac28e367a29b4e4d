"""What is sent to an endpoint, and what came back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from cronicorn.domain.auth import Auth
from cronicorn.domain.untrusted.redaction import NOTHING_SECRET, Redaction

TIMEOUT_DEFAULT = timedelta(seconds=30)
TIMEOUT_MIN = timedelta(seconds=1)
EXECUTION_DEFAULT = timedelta(seconds=60)
EXECUTION_MAX = timedelta(minutes=30)
RESPONSE_KB_DEFAULT = 100
REDIRECTS_MAX = 10


class Method(StrEnum):
    """An HTTP request method (RFC 9110, section 9)."""

    GET = "GET"
    HEAD = "HEAD"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The HTTP request an owner registered."""

    url: str
    method: Method = Method.GET
    headers: tuple[tuple[str, str], ...] = ()
    body_json: str | None = None
    """The body as JSON text; None sends none. `"null"`, `"0"`, `"false"` and `'""'` are bodies."""
    timeout: timedelta = TIMEOUT_DEFAULT
    """For the whole call, body included; never under `TIMEOUT_MIN`."""
    execution_max: timedelta = EXECUTION_DEFAULT
    """No attempt outlives this, whatever `timeout` says."""
    response_kb_max: int = RESPONSE_KB_DEFAULT
    """Of a longer answer only this much is kept and read."""
    redirects_max: int = 0
    """How many redirects are followed; each hop passes the address guard again."""
    auth: Auth | None = None
    """What makes the `Authorization` header, where the owner leaves that to Cronicorn."""


class Call(NamedTuple):
    """One attempt, ready to be sent: what a `Dispatcher` needs and nothing else."""

    tenant_id: str
    url: str
    method: Method
    headers: Mapping[str, str]
    body: bytes | None
    timeout: timedelta
    response_bytes_max: int
    redirects_max: int = 0
    redaction: Redaction = NOTHING_SECRET
    """What of the answer nobody may see."""
    secrets: frozenset[str] = frozenset()
    """The secrets that headers and body name, until these are filled in."""
    private: frozenset[str] = frozenset()
    """Headers, in lower case, that hold a secret: they don't go where a redirect leaves the site."""
    private_body: bool = False
    """Whether the body holds a secret: it does not go there either."""
    signed: bool = False
    """Whether the headers sign the body: it goes out as it is, or not at all."""
    auth: Auth | None = None
    """What the `Authorization` header is made of, until it is."""


class OutcomeKind(StrEnum):
    """How an attempt ended."""

    RESPONDED = "responded"
    """A complete answer came, whatever its status; its body may have been cut at the cap."""
    TIMED_OUT = "timed_out"
    REFUSED = "refused"
    """The address guard or a malformed URL kept the call from being sent."""
    SECRET_MISSING = "secret_missing"  # noqa: S105 - no password
    """The request names a secret that the tenant does not have, so nothing was sent."""
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - no password
    """What the tenant keeps secret could not be opened, so nothing was sent: a master key is missing."""
    NO_TOKEN = "no_token"  # noqa: S105 - no password
    """The token endpoint that the request's `auth` names gave no token, so nothing was sent to the target."""
    UNRESOLVED = "unresolved"
    """The name has no address, or its name servers did not answer."""
    UNREACHABLE = "unreachable"
    """No connection could be opened."""
    TLS_FAILED = "tls_failed"
    BROKEN = "broken"
    """The answer broke off or was not HTTP."""
    CANCELLED = "cancelled"
    """A person, a shutdown or the next instant (`cancel_other`) ended the call."""
    CRASHED = "crashed"
    """A bug of ours; it backs off like a failure."""

    @property
    def tells_nothing(self) -> bool:
        """Whether the attempt ended on our side, which says nothing about the endpoint."""
        return self is OutcomeKind.CANCELLED or self is OutcomeKind.CRASHED


class AnswerClass(StrEnum):
    """What an answer counts as, where its owner's conditions say so."""

    SUCCESS = "success"
    DEGRADED = "degraded"
    """A success that a person should know of."""
    FAILURE = "failure"


class Judged(NamedTuple):
    """What an answer counts as, and by which condition."""

    answer_class: AnswerClass
    condition: str


class Outcome(NamedTuple):
    """What a call returned. Anything a server may do is one of these, never an exception."""

    kind: OutcomeKind
    duration: timedelta
    status_code: int | None = None
    """Set when a status line arrived, even if the answer broke off later."""
    headers: tuple[tuple[str, str], ...] = ()
    """Answer headers in the order they came, names in lower case; bounded by the dispatcher."""
    body: str | None = None
    """The body as text, at most the request's cap; None when there was none."""
    body_is_json: bool = False
    """Whether `body` as a whole parses as JSON of reasonable depth."""
    body_truncated: bool = False
    error: str | None = None
    """One sentence for a person, without secrets; None when the answer is complete."""
    body_left_out: bool = False
    """There was a body, and its owner does not want it kept."""
    judged: Judged | None = None
    """What a condition of its owner made of it; None where its status, or how it ended, decides."""
    sent_again: bool = False
    """Whether the target refused the first token, and this is what it answered to a call with another."""

    def header(self, name: str) -> str | None:
        """The first value of the header *name* (lower case), or None."""
        for key, value in self.headers:
            if key == name:
                return value
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRange:
    """An inclusive range of HTTP status codes."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessCriteria:
    """Which answers count as success: by default 2xx and 304."""

    statuses: tuple[StatusRange, ...] = field(
        default=(StatusRange(low=200, high=299), StatusRange(low=304, high=304)),
    )

    def accepts(self, outcome: Outcome) -> bool:
        """Whether *outcome* is a success: a complete answer with an accepted status."""
        if outcome.kind is not OutcomeKind.RESPONDED or outcome.status_code is None:
            return False
        return self.allows(outcome.status_code)

    def allows(self, status: int) -> bool:
        """Whether an answer with *status* is one."""
        return any(allowed.low <= status <= allowed.high for allowed in self.statuses)


SUCCESS_DEFAULT = SuccessCriteria()
"""What an owner accepts who has said nothing."""
