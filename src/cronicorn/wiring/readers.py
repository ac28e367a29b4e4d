"""How the text of a setting is read. A reader raises ValueError with what it expected: the end of a sentence."""

import re
import shlex
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

from cronicorn.control.admittance import KEY_LENGTH_MAX
from cronicorn.domain.durations import parse_duration, show_duration
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.mechanism import shares_of
from cronicorn.domain.untrusted.redaction import KEY_BYTES_MAX, KEY_BYTES_MIN
from cronicorn.wiring.secret_url import SecretUrl, parse_secret_url

Networks = tuple[IPv4Network | IPv6Network, ...]
_TEXT_MAX = 512
_MODEL_KEY_MAX = 4_096
_TOOL_NAME = re.compile(r"[a-z][a-z_]{0,63}", re.ASCII)
_MODEL_NAME = re.compile(r"(?:openai|anthropic|google):[A-Za-z0-9][\w.:/@+-]{0,199}", re.ASCII)

_SHARE = re.compile(r"[01](?:\.[0-9]{1,9})?", re.ASCII)


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from *low* to *high*."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(high)) and low <= int(text) <= high):
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return read


def duration(low: timedelta, high: timedelta) -> Callable[[str], timedelta]:
    """A reader of durations from *low* to *high*."""

    def read(text: str) -> timedelta:
        length = parse_duration(text)
        if not low <= length <= high:
            raise ValueError(f"a duration from {show_duration(low)} to {show_duration(high)}")
        return length

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """A reader of one of *words*, in any case."""

    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"{', '.join(words[:-1])} or {words[-1]}")
        return text.lower()

    return read


def yes_or_no(text: str) -> bool:
    """A reader of `yes` and `no`, in any case."""
    return one_of("no", "yes")(text) == "yes"


def some_of(*words: str) -> Callable[[str], tuple[str, ...]]:
    """A reader of some of *words*, separated by commas, in any case; answered in alphabetical order."""

    def read(text: str) -> tuple[str, ...]:
        given = {word.strip().lower() for word in text.split(",")}
        if not given <= set(words):
            raise ValueError(f"some of {', '.join(words)}, separated by commas")
        return tuple(sorted(given))

    return read


def tool_names(text: str) -> tuple[str, ...]:
    """Names of tools for agents, separated by commas; which there are, only the extra `mcp` knows."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(_TOOL_NAME.fullmatch(name) for name in names):
        raise ValueError("names of tools such as endpoint_delete, separated by commas")
    return names


def master_keys(text: str) -> tuple[bytes, ...]:
    """Master keys, separated by commas or white space."""
    from cronicorn.adapters.vault.master_keys import MASTER_KEY_BYTES, master_keys

    try:
        return master_keys(text)
    except ValueError:
        raise ValueError(
            f"{MASTER_KEY_BYTES} random bytes in base64 or hex, as `cronicorn master-key new` prints them, and others "
            "like it after a comma"
        ) from None


def command(text: str) -> str:
    """A command and its arguments, quoted as for a shell."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not words or len(text) > _TEXT_MAX:
        raise ValueError(f"a command and its arguments, quoted as for a shell, in {_TEXT_MAX} characters at most")
    return text


def mechanisms(text: str) -> str:
    """Mechanisms and their shares, kept as text."""
    shares_of(text)
    return text.lower()


def redis_url(text: str) -> SecretUrl:
    """Where a Redis server is."""
    expected = "a URL such as redis://:PASSWORD@HOST:6379/0 (rediss:// with TLS, unix:// for a socket)"
    return _server(text, expected, "redis", "rediss", "unix")


def smtp_url(text: str) -> SecretUrl:
    """Where a mail server is."""
    expected = "a URL such as smtp://USER:PASSWORD@HOST:587 (smtps:// with TLS, smtp+plain:// without)"
    found = _server(text, expected, "smtp", "smtps", "smtp+plain")
    if not urlsplit(text).hostname:
        raise ValueError(expected)
    return found


def address(text: str) -> str:
    """The address of a mailbox, in ASCII."""
    name, at, domain = text.rpartition("@")
    if not at or not name or not domain or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("an address such as cronicorn@example.com")
    return text


def etcd_url(text: str) -> SecretUrl:
    """Where an etcd server is."""
    expected = "a URL such as http://HOST:2379 (https:// with TLS), without a user"
    if "@" in text:
        raise ValueError(expected)
    return _server(text, expected, "http", "https")


def _server(text: str, expected: str, *schemes: str) -> SecretUrl:
    try:
        return parse_secret_url(text, *schemes)
    except ValueError:
        raise ValueError(expected) from None


def host(text: str) -> str:
    """A name or an address to listen on."""
    if len(text) > _TEXT_MAX or not text.isascii() or any(character in text for character in " /@\t"):
        raise ValueError("a host name or an IP address")
    return text.removeprefix("[").removesuffix("]")


def public_url(text: str) -> str:
    """What browsers see, as they write it in an Origin: scheme, host and port."""
    parts = urlsplit(text.rstrip("/"))
    port = f":{parts.port}" if parts.port is not None else ""
    origin = f"{parts.scheme}://{parts.hostname or ''}{port}"
    if parts.scheme not in {"http", "https"} or not parts.hostname or origin != text.rstrip("/").lower():
        raise ValueError("scheme, host and port alone, such as https://cron.example.org")
    return origin


def issuer(text: str) -> str:
    """Who hands out access tokens, as RFC 8414 has it: a URL without query and fragment."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or set("?#@ ") & set(text):
        raise ValueError("a URL without user, query and fragment, such as https://login.example.org/realms/cron")
    return text


def api_key(text: str) -> str:
    """A secret that can travel in a header."""
    if len(text) > KEY_LENGTH_MAX or any(not "!" <= character <= "~" for character in text):
        raise ValueError(f"at most {KEY_LENGTH_MAX} visible ASCII characters, without spaces")
    return text


def model_name(text: str) -> str:
    """A language model of a provider."""
    if not _MODEL_NAME.fullmatch(text):
        raise ValueError(
            "openai:, anthropic: or google:, followed by the name that the model has there, without spaces"
        )
    return text


def model_url(text: str) -> SecretUrl:
    """Where a language model is."""
    return _server(text, "a URL such as http://HOST:11434/v1, or https:// with TLS", "http", "https")


def traces_url(text: str) -> SecretUrl:
    """Where traces are told."""
    expected = "a URL with its path, such as http://HOST:4318/v1/traces, or https:// with TLS"
    found = _server(text, expected, "http", "https")
    if not urlsplit(text).hostname or urlsplit(text).path in {"", "/"}:
        raise ValueError(expected)
    return found


def share(text: str) -> float:
    """A part of a whole."""
    if not _SHARE.fullmatch(text) or not 0 < float(text) <= 1:
        raise ValueError("a number above 0 and up to 1")
    return float(text)


def model_key(text: str) -> str:
    """The secret of an account at a provider."""
    if len(text) > _MODEL_KEY_MAX or any(not "!" <= character <= "~" for character in text):
        raise ValueError(f"at most {_MODEL_KEY_MAX} visible ASCII characters, without spaces")
    return text


def redaction_key(text: str) -> bytes:
    """A secret of which hashes are made."""
    if not KEY_BYTES_MIN <= len(text) <= KEY_BYTES_MAX or any(not "!" <= character <= "~" for character in text):
        raise ValueError(f"{KEY_BYTES_MIN} to {KEY_BYTES_MAX} visible ASCII characters, without spaces")
    return text.encode()


def zone(text: str) -> str:
    """A time zone, kept as its name."""
    from cronicorn.adapters.cron.zone import zone_rules

    try:
        zone_rules(text)
    except InvalidInputError as error:
        raise ValueError("the IANA name of a time zone, as in Europe/Berlin") from error
    return text


def short_text(text: str) -> str:
    """Any line of text."""
    if len(text) > _TEXT_MAX or not text.isprintable():
        raise ValueError(f"at most {_TEXT_MAX} printable characters")
    return text


def networks(text: str) -> Networks:
    """Ranges of addresses, separated by commas."""
    from cronicorn.adapters.http.addresses import EgressPolicy

    try:
        return EgressPolicy.parse(text).allow
    except InvalidInputError as error:
        raise ValueError("ranges of addresses in CIDR form, separated by commas") from error


def shown(value: object) -> str:
    """The text of which a reader makes *value*."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return show_duration(value)
        case float():
            return f"{value:.9f}".rstrip("0").rstrip(".")
        case tuple():
            return ",".join(str(part) for part in value)
        case _:
            return str(value)
