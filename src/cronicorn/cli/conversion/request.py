"""A request as a command line describes it, and the fields of an endpoint that make the same."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit, urlunsplit

from cronicorn.cli.conversion.placeholders import Placeholders
from cronicorn.cli.conversion.shell_line import NotConvertibleError
from cronicorn.domain.call import EXECUTION_DEFAULT, EXECUTION_MAX, REDIRECTS_MAX, TIMEOUT_DEFAULT, Method
from cronicorn.domain.endpoint import RETRIES_MAX
from cronicorn.domain.masking import secrets_of

Fields = dict[str, object]

_JSON = "application/json"
_LONG = re.compile(r"[\w-]{20,}")
_TOKEN_LEAST = 20
_LIMIT_S = int(TIMEOUT_DEFAULT.total_seconds())
_INSIDE = (".local", ".localhost", ".internal", ".intranet", ".lan", ".svc", ".home.arpa")
"""How names end that lead to private addresses nearly everywhere."""


@dataclass(slots=True)
class DescribedRequest:
    """What a command line says, piece by piece."""

    url: str | None = None
    method: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    data_in_url: bool = False
    user: tuple[str, str] | None = None
    redirects: int = 0
    seconds: float | None = None
    """How long all of it may take."""
    retries: int = 0
    retry_seconds: float | None = None
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Note a difference, once."""
        if text not in self.notes:
            self.notes.append(text)

    def called(self, url: str) -> None:
        """Take *url* as what is called. Raises NotConvertibleError where there is one already."""
        if self.url is not None:
            raise NotConvertibleError("It calls more than one URL, and an endpoint calls one.")
        self.url = url


def endpoint_fields(described: DescribedRequest, placeholders: Placeholders) -> Fields:
    """The fields of an endpoint that makes this request. Raises NotConvertibleError for what Cronicorn can't do."""
    if described.url is None:
        raise NotConvertibleError("It names no URL.")
    url = _url(described)
    about = named_after(url)
    fields: Fields = {"url": url}
    method = _method(described)
    if method is not Method.GET:
        fields["method"] = method.value
    body = _body(described)
    if headers := _headers(described, placeholders, about):
        fields["headersJson"] = headers
    if described.user is not None:
        name, password = described.user
        fields["auth"] = {"type": "basic", "username": name} | (
            {"password": placeholders.reference(password, about, "password")} if password else {}
        )
    if body is not None:
        fields["bodyJson"] = placeholders.body(body, about)
    fields |= _timing(described)
    if described.redirects:
        fields["redirectsMax"] = min(described.redirects, REDIRECTS_MAX)
    return fields


def named_after(url: str) -> str:
    """A name for what *url* leads to: the end of its path, else its host."""
    parts = urlsplit(url)
    words = [unquote(each) for each in parts.path.split("/") if each and not _LONG.fullmatch(each)]
    return "-".join(words[-2:])[:100] or (parts.hostname or "endpoint")


def _url(described: DescribedRequest) -> str:
    url = described.url or ""
    if "://" not in url:
        url = f"http://{url}"
        described.note("Its URL names no scheme; http is meant.")
    try:
        parts = urlsplit(url)
        host, password = parts.hostname, parts.password
    except ValueError:
        raise NotConvertibleError("Its URL can't be read.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise NotConvertibleError("Its URL is not one of http or https.")
    if parts.username is not None:
        described.user = described.user or (unquote(parts.username), unquote(password or ""))
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    if _is_inside(host):
        described.note(
            "Its host is private, or looks so: calls of it are refused until CRONICORN_EGRESS_ALLOW opens its address."
        )
    if described.data_in_url and described.data:
        parts = parts._replace(query="&".join(filter(None, (parts.query, *described.data))))
        described.data = []
    url = urlunsplit(parts._replace(fragment=""))
    if secrets_of(url, ()) or any(map(_is_token, parts.path.split("/"))):
        raise NotConvertibleError(
            "Its URL holds a credential, and URLs are shown here: have the target take it in a header."
        )
    return url


def _is_inside(host: str) -> bool:
    """Whether *host* is no address of the internet, or a name that looks as if it led to none."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.lower().rstrip(".").endswith(_INSIDE)


def _is_token(word: str) -> bool:
    """Whether a part of a path was made by chance: what Slack's addresses end with, say."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return len(word) >= _TOKEN_LEAST and word.isalnum() and all(any(map(kind, word)) for kind in kinds)


def _method(described: DescribedRequest) -> Method:
    asked = (described.method or ("POST" if described.data else "GET")).upper()
    if asked not in Method.__members__.values():
        raise NotConvertibleError("Its method is not one of " + ", ".join(Method) + ".")
    return Method(asked)


def _headers(described: DescribedRequest, placeholders: Placeholders, about: str) -> Mapping[str, str]:
    headers = {}
    for name, value in described.headers.items():
        headers[name], note = placeholders.header(name, value, about)
        if note is not None:
            described.note(note)
    return headers


def _body(described: DescribedRequest) -> object:
    """The body, which has to be JSON."""
    if not described.data:
        return None
    types = [value for name, value in described.headers.items() if name.lower() == "content-type"]
    try:
        body: object = json.loads("&".join(described.data))
    except (ValueError, RecursionError):
        raise NotConvertibleError("It sends a form or text; Cronicorn sends JSON.") from None
    if types and _JSON not in types[0].lower():
        raise NotConvertibleError("Its Content-Type is not application/json; Cronicorn sends JSON.")
    if not types:
        described.note("Its JSON was sent as a form; here it is sent as application/json.")
    if body is None:
        raise NotConvertibleError("Its body is null, which means none here.")
    return body


def _timing(described: DescribedRequest) -> Fields:
    fields: Fields = {}
    if described.seconds is not None:
        allowed = max(1, int(described.seconds * 1000))
        most = int(EXECUTION_MAX.total_seconds() * 1000)
        if allowed > most:
            described.note("It might take longer than the half hour that a call may take here.")
        fields["timeoutMs"] = min(allowed, most)
        if allowed > int(EXECUTION_DEFAULT.total_seconds() * 1000):
            fields["maxExecutionTimeMs"] = min(allowed, most)
    else:
        described.note(f"It had no limit in time; here a call ends after {_LIMIT_S} s (`timeoutMs`).")
    if described.retries:
        if described.retries > RETRIES_MAX:
            described.note(f"It tried again {described.retries} times; {RETRIES_MAX} is the most here.")
        retries: Fields = {"retryCount": min(described.retries, RETRIES_MAX)}
        if described.retry_seconds is not None:
            retries["minBackoffMs"] = max(1, int(described.retry_seconds * 1000))
        fields["retries"] = retries
    return fields
