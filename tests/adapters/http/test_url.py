"""International names become punycode, and addresses in disguise become addresses."""

from ipaddress import ip_address

import pytest

from cronicorn.adapters.http.url import target_of
from cronicorn.domain.errors import InvalidInputError


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://BÜCHER.example/", "http://xn--bcher-kva.example/"),
        ("http://例え。テスト/", "http://xn--r8jz45g.xn--zckzah/"),
        ("http://faß.example/", "http://xn--fa-hia.example/"),
        ("http://example.com/", "http://example.com/"),
    ],
)
def test_an_international_name_becomes_punycode(url: str, normal: str) -> None:
    assert target_of(url).url == normal


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("１２７.０.０.１", "127.0.0.1"),
        ("127。0。0。1", "127.0.0.1"),
        ("１６９．２５４．１６９．２５４", "169.254.169.254"),
    ],
)
def test_an_address_in_unicode_digits_is_an_address(host: str, address: str) -> None:
    assert target_of(f"http://{host}/").site.address == ip_address(address)


@pytest.mark.parametrize(
    "host", ["☃.example", "a\u200db.example", "\u202eexample.com", "ａ／ｂ", "ü" * 64, "０ｘ７ｇ.１", "①②⑦.1"]
)
def test_a_name_that_is_not_valid_is_refused(host: str) -> None:
    with pytest.raises(InvalidInputError):
        target_of(f"http://{host}/")
