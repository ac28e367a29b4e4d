"""Read a URL as the dispatcher will call it: as the domain reads it, with names in the letters of the DNS."""

from dataclasses import replace
from functools import lru_cache

import idna

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.target import Target, parse_host, parse_target

_REMEMBERED = 4_096


def target_of(url: str) -> Target:
    """Take *url* apart and turn an international name into punycode (UTS #46, IDNA 2008). Raises InvalidInputError.

    The name is read again afterwards: `１２７.０.０.１` in wide digits means 127.0.0.1.
    """
    target = parse_target(url)
    if target.site.host.isascii():
        return target
    host, address = parse_host(_punycode(target.site.host))
    return replace(target, site=replace(target.site, host=host, address=address))


@lru_cache(_REMEMBERED)
def _punycode(name: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except UnicodeError:
        raise InvalidInputError("The host of the URL is not a valid international name.") from None
