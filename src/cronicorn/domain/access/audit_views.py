"""What the audit log tells of things: all that people change, and no secret. Pure."""

from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from cronicorn.domain.access.audit_entry import AuditEntry, audited
from cronicorn.domain.access.member import Member, SignInLink
from cronicorn.domain.document import endpoint_document, hint_document
from cronicorn.domain.endpoint import Job, JobEndpoint
from cronicorn.domain.fields import Document, Value, lean, pairs, pairs_of, us
from cronicorn.domain.masking import MASK
from cronicorn.domain.principal import Principal
from cronicorn.domain.provision.provision import Provision, provision_document
from cronicorn.domain.quota.terms import Terms
from cronicorn.domain.tenant import ApiKey, Tenant

_PLAIN_HEADERS = {"accept", "accept-encoding", "accept-language", "content-type", "user-agent"}
"""Headers whose values are told: nobody keeps a secret in them."""
_UNTOLD = {"tenant_id", "updated_at_us", "version"}


def job_entry(by: Principal | None, at: datetime, before: Job | None, after: Job) -> AuditEntry | None:
    """The entry for what *by* made of a job."""
    return audited(by, at, ("job", after.id), _job_told(before) if before is not None else None, _job_told(after))


def endpoint_entry(
    by: Principal | None, at: datetime, before: JobEndpoint | None, after: JobEndpoint | None
) -> AuditEntry | None:
    """The entry for what *by* made of an endpoint. Header values, the body and parts of the URL are masked."""
    either = after or before
    assert either is not None
    if by is None:  # As `audited` has it, before two documents are made for nothing.
        return None
    told = [endpoint_told(endpoint) if endpoint is not None else None for endpoint in (before, after)]
    return audited(by, at, ("endpoint", either.id), *told, mask=masked)


def key_entry(by: Principal | None, at: datetime, before: ApiKey | None, after: ApiKey) -> AuditEntry | None:
    """The entry for what *by* made of an API key: neither the key nor its hash is told."""
    return audited(by, at, ("key", after.id), _key_told(before) if before is not None else None, _key_told(after))


def member_entry(by: Principal | None, at: datetime, before: Member | None, after: Member | None) -> AuditEntry | None:
    """The entry for what *by* made of a member: when a password was set is told, and nothing else of it."""
    either = after or before
    assert either is not None
    told = [_member_told(member) if member is not None else None for member in (before, after)]
    return audited(by, at, ("member", either.id), *told, mask=_without_password)


def session_entry(by: Principal | None, at: datetime, member_id: str) -> AuditEntry | None:
    """The entry for a member who signs in or out, or is signed out."""
    return audited(by, at, ("member", member_id), None, {"at_us": us(at)})


def link_entry(by: Principal | None, at: datetime, link: SignInLink) -> AuditEntry | None:
    """The entry for a new link that signs a member in: nothing of the link is told."""
    return audited(by, at, ("member", link.member_id), None, {"ends_at_us": us(link.ends_at)})


def tenant_entry(by: Principal | None, at: datetime, tenant: Tenant) -> AuditEntry | None:
    """The entry for a new tenant."""
    return audited(by, at, ("tenant", tenant.id), None, {"name": tenant.name})


def terms_entry(by: Principal | None, at: datetime, tenant_id: str, before: Terms, after: Terms) -> AuditEntry | None:
    """The entry for what was agreed with a tenant."""
    return audited(by, at, ("tenant", tenant_id), _terms_told(before), _terms_told(after))


def provision_entry(
    by: Principal | None, at: datetime, tenant_id: str, before: Provision, after: Provision
) -> AuditEntry | None:
    """The entry for what was set for a tenant."""
    return audited(by, at, ("tenant", tenant_id), provision_document(before), provision_document(after))


def cancel_entry(by: Principal | None, at: datetime, run: str) -> AuditEntry | None:
    """The entry for a run whose worker was asked to stop."""
    return audited(by, at, ("run", run), None, {"cancelled": True})


def endpoint_told(endpoint: JobEndpoint) -> Document:
    """All of *endpoint* that people change, secrets included."""
    told = {name: value for name, value in endpoint_document(endpoint).items() if name not in _UNTOLD}
    state = endpoint.state
    hints: list[Value] = [hint_document(hint) for hint in state.hints]
    return lean({
        **told,
        "hints": hints or None,
        "failure_count": state.failure_count or None,
        "manual_slot": state.manual.slot if state.manual is not None else None,
    })  # fmt: skip


def masked(told: Document) -> Document:
    """What is told of an endpoint, without the secrets of its request."""
    request = told.get("request")
    if not isinstance(request, dict):
        return told
    headers = pairs_of(found) if isinstance(found := request.get("headers"), list) else ()
    shown = [(name, value if name.lower() in _PLAIN_HEADERS else MASK) for name, value in headers]
    return told | {
        "request": request | lean({
            "url": _url_told(str(request["url"])),
            "headers": pairs(shown) if shown else None,
            "body_json": MASK if "body_json" in request else None,
            "auth": _auth_told(auth) if isinstance(auth := request.get("auth"), dict) else None,
        })
    }  # fmt: skip


def _job_told(job: Job) -> Document:
    return lean({"name": job.name, "description": job.description, "status": job.status.value})


def _key_told(key: ApiKey) -> Document:
    return lean({
        "name": key.name,
        "prefix": key.prefix,
        "role": key.role.value,
        "scopes": [*sorted(key.scopes)] if key.scopes is not None else None,
        "agent": key.agent or None,
        "runs_installation": key.runs_installation or None,
        "requests_per_minute": key.rate,
        "expires_at_us": us(key.expires_at),
        "revoked_at_us": us(key.revoked_at),
    })  # fmt: skip


def _member_told(member: Member) -> Document:
    return lean({
        "login": member.login,
        "role": member.role.value,
        "runs_installation": member.runs_installation or None,
        "password": member.password,
        "password_at_us": us(member.password_at),
    })  # fmt: skip


def _terms_told(terms: Terms) -> Document:
    return lean({
        "tier": terms.tier,
        "limit": terms.limit,
        "period": terms.period.value if terms.period is not None else None,
        "zone": terms.zone,
    })  # fmt: skip


def _without_password(told: Document) -> Document:
    return told | {"password": MASK} if "password" in told else told


def _auth_told(auth: Document) -> Document:
    """Its credentials are references; what a token endpoint is given besides is nobody's business."""
    parameters = pairs_of(found) if isinstance(found := auth.get("parameters"), list) else ()
    return auth | lean({
        "token_url": _url_told(str(auth["token_url"])) if "token_url" in auth else None,
        "parameters": pairs([(name, MASK) for name, _ in parameters]) if parameters else None,
    })  # fmt: skip


def _url_told(url: str) -> str:
    # Without a user, a password, and the values of the query.
    try:
        parts = urlsplit(url)
        query = "&".join(f"{name}={MASK}" for pair in parts.query.split("&") if (name := pair.partition("=")[0]))
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, query, ""))
    except ValueError:
        return MASK
