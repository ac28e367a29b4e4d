"""What looks like a credential, in headers, addresses and texts, is masked wherever it is shown. Pure."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote_plus, urlsplit

from cronicorn.domain.secret_references import is_reference

MASK = "********"
"""What is shown in the place of a credential: nothing of it, not even its length."""

_SECRET_WORDS = ("csrf", "otp", "pass", "pin", "pwd", "sig", "xsrf")
"""Secret only as a word of a name, so that `spin`, `passed` and `signal` stay."""
_SECRET_NAME = re.compile(
    r"(?i:auth|cookie|credential|key|pass(?:word|wd|phrase)|private|secret|session|signature|token)"
    rf"|(?<![A-Za-z])(?i:{'|'.join(_SECRET_WORDS)})(?![A-Za-z])"  # user_pin, PIN
    rf"|(?<![A-Za-z])(?:{'|'.join(_SECRET_WORDS)})(?=[A-Z])"  # pinCode
    rf"|(?<=[a-z0-9])(?:{'|'.join(each.capitalize() for each in _SECRET_WORDS)})(?![a-z])"  # userPin
    rf"|(?<=[a-z0-9])(?:{'|'.join(each.upper() for each in _SECRET_WORDS)})(?![A-Za-z])"  # userPIN
)
_SECRET_VALUE = re.compile(
    r"(?:basic|bearer|digest|negotiate|token)\s|eyJ[\w-]+\.[\w-]+\.|[a-z]{2}_live_", re.IGNORECASE
)

_SECRET_IN_TEXT = re.compile(
    r"\bbearer\s+[\w.~+/=-]{8,}|\bbasic\s+(?=\S*[\d=])[\w+/=-]{8,}"
    r"|\beyJ[\w-]{4,400}\.[\w-]+(?:\.[\w-]*)?"  # a JSON Web Token
    r"|\b(?:sk|pk|rk)[-_][\w-]{8,}|\bgh[opsur]_\w{8,}|\bgithub_pat_\w{8,}|\bxox[a-z]-[\w-]{8,}|\bglpat-[\w-]{8,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|\bAIza[\w-]{30,}|\bnpm_\w{20,}|\bSG\.[\w-]{16,}\.[\w-]{16,}|\bhf_\w{20,}"
    r"|-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----(?:[^-]|-(?!----))*+(?:-----END [A-Z0-9 ]{0,60}-----)?"
    r"|(?<=://)[^\s/?#@:]*:[^\s/?#@]+(?=@)",  # a user and a password in an address
    re.IGNORECASE,
)
_NAMING = re.compile(r"""(?<![\w.-])([\w.-]++)\\?["']?\s{0,3}[=:]{1,2}>?\s{0,3}\\?["']?""")
"""A name within a text, as far as its value, where it has one: `token=`, `"password": "`."""
_VALUE = re.compile(r"""[^\s"'&;,<>(){}\[\]]++""")
_QUOTED_VALUE = re.compile(r"""[^"'\r\n]++""")
_LINE = re.compile(r"[^\r\n]++")
_VALUE_IS_LINE = re.compile(r"authorization|cookie|passphrase", re.IGNORECASE)
_NAME = re.compile(r"[\w.-]{1,64}")
_NAME_MEMBERS = frozenset({"name", "key", "field", "header"})
_VALUE_MEMBERS = frozenset({"value", "values", "val"})
_LOOKED_AT_MAX = 10_000
"""Of a longer value only so many characters are looked at: no value that long is told whole."""
_KNOWN_LEAST = 6
"""Shorter values stand in texts by chance."""

Headers = tuple[tuple[str, str], ...]


def looks_secret(name: str, value: str) -> bool:
    """Whether the value of the header, or at the path, *name* is, by its name or its form, a credential.

    One that only says which secret is meant is none.
    """
    if is_reference(value):
        return False
    value = value[:_LOOKED_AT_MAX]
    return (
        _SECRET_NAME.search(name) is not None
        or _SECRET_VALUE.match(value.strip()) is not None
        or without_credentials(value) != value
    )


def secret_members(members: Mapping[str, object]) -> frozenset[str]:
    """Which of the *members* of an object are secret because another one names them: `{"name": "pin", "value": 1}`."""
    names = (value for name, value in members.items() if name.lower() in _NAME_MEMBERS)
    if not any(isinstance(name, str) and _NAME.fullmatch(name) and _SECRET_NAME.search(name) for name in names):
        return frozenset()
    return frozenset(name for name in members if name.lower() in _VALUE_MEMBERS)


def masked(headers: Iterable[tuple[str, str]]) -> Headers:
    """*headers* as they may be shown."""
    return tuple((name, MASK if looks_secret(name, value) else value) for name, value in headers)


def secrets_of(url: str, headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """What *url* and *headers* give away of their owner's credentials, the longest first: nobody else may see it."""
    address = urlsplit(url)
    found = {address.password or "", *_alone(value for name, value in headers if looks_secret(name, value))}
    for name, _, raw in (each.partition("=") for each in address.query.split("&")):
        if looks_secret(unquote_plus(name), value := unquote_plus(raw)):
            found |= {raw, value}
    return tuple(sorted((each for each in found if len(each) >= _KNOWN_LEAST), key=lambda each: (-len(each), each)))


def _alone(values: Iterable[str]) -> Iterable[str]:
    """*values*, and each of their words, so that `Bearer x` is known as `x`, too."""
    for value in values:
        yield value.strip()
        yield value.strip().rpartition(" ")[2]


def without_credentials(text: str, known: Iterable[str] = ()) -> str:
    """*text* with a mask in the place of *known* credentials, and of what has the form of one."""
    for each in known:
        text = text.replace(each, MASK)
    return _without_named(_SECRET_IN_TEXT.sub(MASK, text))


def _without_named(text: str) -> str:
    """*text* with a mask in the place of each value whose name, before `=` or `:`, is that of a credential."""
    shown, done = [], 0
    for naming in _NAMING.finditer(text):
        name, begin = naming[1], naming.end()
        if begin < done or not _SECRET_NAME.search(name):
            continue
        quoted = _QUOTED_VALUE if naming[0][-1] in "\"'" else _VALUE
        value = (_LINE if _VALUE_IS_LINE.search(name) and quoted is _VALUE else quoted).match(text, begin)
        if value is not None:
            shown += [text[done:begin], MASK]
            done = value.end()
    return "".join((*shown, text[done:]))


def unmasked(headers: Iterable[tuple[str, str]], stored: Iterable[tuple[str, str]]) -> Headers:
    """*headers* with the stored value in the place of every mask: what was shown may be sent back.

    A mask for which nothing is stored stays a mask; a door refuses it.
    """
    known = {name.lower(): value for name, value in stored}
    return tuple((name, known.get(name.lower(), value) if value == MASK else value) for name, value in headers)
