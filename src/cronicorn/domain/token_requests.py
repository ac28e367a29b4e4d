"""Asking a token endpoint for a token, and what of its answer is one (RFC 6749, 4.4 and 5). Pure."""

import json
import math
import re
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote_plus, urlencode

from cronicorn.domain.auth import AUTHORIZATION, ClientAuth, ClientCredentials, basic
from cronicorn.domain.call import Call, Method, Outcome, OutcomeKind
from cronicorn.domain.outgoing import USER_AGENT

ANSWER_BYTES_MAX = 64 * 1_024
TOKEN_LENGTH_MAX = 16_384
TOKEN_LENGTH_MIN = 6
"""A shorter one could not be hidden in answers: it stands in them by chance."""
LIFETIME_USUAL = timedelta(minutes=5)
"""Of a token whose answer does not say when it ends."""
LIFETIME_MAX = timedelta(days=1)
"""For longer no token is kept, whatever its answer says."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
"""RFC 6749, A.12, without the space, which would end the token in a header."""
_WHOLE_NUMBER = re.compile(r"[0-9]{1,12}", re.ASCII)
_STATUS_GIVEN = range(200, 300)
_STATUS_MOVED = range(300, 400)
_ERRORS = frozenset({
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
    "invalid_scope", "invalid_target", "temporarily_unavailable", "server_error",
})  # fmt: skip
"""What a token endpoint may say is wrong (RFC 6749, 5.2, and RFC 8707): nothing else that it says is shown."""


@dataclass(frozen=True, slots=True)
class GivenToken:
    """A token that a token endpoint gave."""

    text: str = field(repr=False)
    lifetime: timedelta
    """From when it was asked for; nothing of a token for one call."""


def token_call(tenant_id: str, client: ClientCredentials, timeout: timedelta) -> Call:
    """The call that asks for a token for *client*, whose secrets are filled in. No redirect is followed."""
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
        "User-Agent": USER_AGENT,
    }
    form = [("grant_type", "client_credentials"), *client.parameters]
    if client.scope is not None:
        form.append(("scope", client.scope))
    if client.client_auth is ClientAuth.BODY:
        form += [("client_id", client.client_id), ("client_secret", client.client_secret)]
    else:
        headers[AUTHORIZATION] = basic(_encoded(client.client_id), _encoded(client.client_secret))
    return Call(
        tenant_id=tenant_id,
        url=client.token_url,
        method=Method.POST,
        headers=headers,
        body=urlencode(form, errors="surrogatepass").encode(),
        timeout=timeout,
        response_bytes_max=ANSWER_BYTES_MAX,
    )


def token_in(outcome: Outcome) -> GivenToken | str:
    """The token that a token endpoint gave; where it gave none, why, in a sentence that repeats nothing of the answer.

    A token without a type is taken for one of the type that is all but always meant.
    """
    answer = _object_in(outcome)
    if isinstance(answer, str):
        return answer
    token, kind = answer.get("access_token"), answer.get("token_type", "Bearer")
    if not isinstance(token, str):
        return "Its answer has no access_token."
    if not TOKEN_LENGTH_MIN <= len(token) <= TOKEN_LENGTH_MAX or _TOKEN.fullmatch(token) is None:
        return (
            f"Its token can't be sent: one has {TOKEN_LENGTH_MIN} to {TOKEN_LENGTH_MAX} visible ASCII characters and "
            "no spaces."
        )
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return "Its token_type is not Bearer, and no other can be sent."
    return GivenToken(token, _lifetime(answer.get("expires_in")))


def _object_in(outcome: Outcome) -> dict[str, object] | str:
    """What a token endpoint answered in its favour; else why there is nothing."""
    if outcome.kind is not OutcomeKind.RESPONDED or outcome.status_code is None:
        return outcome.error or f"The call ended as {outcome.kind.value}."
    if outcome.body_truncated:
        return f"Its answer is longer than {ANSWER_BYTES_MAX // 1_024} KiB."
    try:
        answer = json.loads(outcome.body) if outcome.body_is_json and outcome.body is not None else None
    except (ValueError, RecursionError):  # What JSON allows and Python does not, such as a number of 5,000 digits.
        answer = None
    if outcome.status_code not in _STATUS_GIVEN:
        return _refusal(outcome.status_code, answer)
    return answer if isinstance(answer, dict) else "Its answer is no JSON object."


def _refusal(status: int, answer: object) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, str) and error in _ERRORS:
        return f"It answered with {status}, {error}."
    if status in _STATUS_MOVED:
        return f"It answered with {status}, a redirect, and none is followed with a secret: name the URL it leads to."
    return f"It answered with {status}."


def _lifetime(said: object) -> timedelta:
    if isinstance(said, str) and _WHOLE_NUMBER.fullmatch(said):
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int | float) or (isinstance(said, float) and math.isnan(said)):
        return LIFETIME_USUAL
    return timedelta(seconds=min(max(said, 0), LIFETIME_MAX.total_seconds()))


def _encoded(text: str) -> str:
    """A client's id or secret as it stands in basic authentication (RFC 6749, 2.3.1)."""
    return quote_plus(text, errors="surrogatepass")
