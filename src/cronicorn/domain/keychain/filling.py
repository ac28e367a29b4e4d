"""Secrets into a call, and out of its answer. Pure."""

import base64
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

from cronicorn.domain.auth import filled_auth
from cronicorn.domain.call import Call, Outcome
from cronicorn.domain.masking import MASK
from cronicorn.domain.secret_references import filled, named_in

_CUT_LEAST = 4
"""So much of the beginning of a secret at the end of an answer that was cut is taken for one."""
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_HTML_QUOTES = str.maketrans({'"': "&quot;", "'": "&#x27;"})
_HTML_SAFE_JSON = {ord(each): f"\\u{ord(each):04x}" for each in "<>&\u2028\u2029"}


def filled_call(call: Call, secrets: Mapping[str, str]) -> Call:
    """*call* with *secrets* in the place of their references. Raises KeyError with the name of one that is missing.

    What holds them stays at home when a redirect leads elsewhere.
    """
    private = frozenset(name.lower() for name, value in call.headers.items() if named_in(value))
    body, body_is_private = call.body, False
    if body is not None and b"{{" in body:
        text = body.decode()
        body_is_private = bool(named_in(text))
        body = filled(text, secrets, _inside_json).encode("utf-8", "surrogatepass")
    headers = {name: filled(value, secrets) for name, value in call.headers.items()}
    return call._replace(
        headers=headers, body=body, secrets=frozenset(), private=call.private | private, private_body=body_is_private,
        auth=None if call.auth is None else filled_auth(call.auth, secrets),
    )  # fmt: skip


def hidden(outcome: Outcome, secrets: Iterable[str]) -> Outcome:
    """*outcome* with a mask wherever the target repeated one of *secrets*, however it wrote it."""
    forms = sorted({form for secret in secrets for form in _forms(secret) if form}, key=len, reverse=True)
    body = outcome.body and _without(outcome.body, forms)
    if body is not None and outcome.body_truncated:
        body = _without_beginning(body, forms)
    return outcome._replace(
        headers=tuple((name, _without(value, forms)) for name, value in outcome.headers),
        body=body,
        body_is_json=outcome.body_is_json and (body == outcome.body or _is_json(body)),
        error=outcome.error and _without(outcome.error, forms),
    )


def _inside_json(secret: str) -> str:
    """*secret* as it stands inside a JSON text."""
    return json.dumps(secret, ensure_ascii=False)[1:-1]


def _forms(secret: str) -> Iterable[str]:
    """How a server may repeat *secret*."""
    yield secret
    yield secret.strip()
    for text in (json.dumps(secret)[1:-1], _inside_json(secret)):
        yield text
        yield text.replace("/", "\\/")  # As PHP writes JSON.
        yield text.translate(_HTML_SAFE_JSON)  # As Go does.
    yield secret.translate(_HTML)
    yield secret.translate(_HTML | _HTML_QUOTES)
    yield quote(secret)
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield secret.encode("utf-8", "surrogatepass").decode("latin-1")  # As headers are often read.
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(secret.encode("utf-8", "surrogatepass")).decode()
        yield encoded
        yield encoded.rstrip("=")


def _without(text: str, forms: Iterable[str]) -> str:
    for form in forms:
        text = text.replace(form, MASK)
    return text


def _without_beginning(text: str, forms: Iterable[str]) -> str:
    """*text*, which was cut, without what may be the beginning of one of *forms* at its end."""
    for form in forms:
        for length in range(len(form) - 1, _CUT_LEAST - 1, -1):
            if text.endswith(form[:length]):
                return text[:-length] + MASK
    return text


def _is_json(text: str | None) -> bool:
    try:
        json.loads(text or "")
    except (ValueError, RecursionError):
        return False
    return True
