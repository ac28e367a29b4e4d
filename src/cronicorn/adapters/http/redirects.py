"""Where a redirect leads, and what may go there (RFC 9110, section 15.4, and the WHATWG Fetch standard)."""

from urllib.parse import urljoin

from cronicorn.adapters.http.url import target_of
from cronicorn.domain.call import Call, Method, Outcome, OutcomeKind
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.masking import looks_secret

_STATUSES = {301, 302, 303, 307, 308}
_SEE_OTHER = 303
_BECOMES_GET = {301, 302}
_ABOUT_BODY = {"content-encoding", "content-language", "content-location", "content-type", "digest", "content-digest"}
_NOT_SECRET = {"idempotency-key"}
_ADVICE = "Let the endpoint call the URL that the redirect leads to."


def location_of(outcome: Outcome) -> str | None:
    """Where *outcome* sends its caller; None when it is not a redirect."""
    if outcome.kind is not OutcomeKind.RESPONDED or outcome.status_code not in _STATUSES:
        return None
    return outcome.header("location")


def redirected(call: Call, status: int | None, location: str) -> Call:
    """The call that follows *call*. Raises InvalidInputError when *location* can't be called.

    Headers that are credentials stay at home when scheme, host or port change. A signed call, or a body with a secret,
    does not go there at all: a signature would be of use to whoever gets it, and without one nobody vouches for the
    call.
    """
    origin = target_of(call.url)
    target = target_of(_joined(origin.url, location))
    to_get = (status == _SEE_OTHER and call.method is not Method.HEAD) or (
        status in _BECOMES_GET and call.method is Method.POST
    )
    leaves = target.site != origin.site
    if call.signed and (leaves or to_get):
        raise InvalidInputError(f"The call is signed, and goes to its own site alone and as it is. {_ADVICE}")
    if call.private_body and leaves and not to_get:
        raise InvalidInputError(f"The body of the call holds a secret, and goes to its own site alone. {_ADVICE}")
    headers = {
        name: value
        for name, value in call.headers.items()
        if not (to_get and name.lower() in _ABOUT_BODY) and not (leaves and _stays_home(name, value, call))
    }
    return call._replace(
        url=target.url,
        method=Method.GET if to_get else call.method,
        headers=headers,
        body=None if to_get else call.body,
    )


def _stays_home(name: str, value: str, call: Call) -> bool:
    """Whether a header holds a secret of *call*, or is a credential by its name or by its value as it goes out."""
    lower = name.lower()
    return lower in call.private or (lower not in _NOT_SECRET and looks_secret(name, value.strip()))


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location.replace(" ", "%20"))
    except ValueError:
        raise InvalidInputError("The Location header is not a URL.") from None
