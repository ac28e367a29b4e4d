"""A URL is read strictly, and in one way only."""

from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.target import URL_LENGTH_MAX, parse_target


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTP://EXAMPLE.com:80/A?b#c", "http://example.com/A?b"),
        ("https://example.com.:443/", "https://example.com/"),
        ("https://example.com:8443?x=1", "https://example.com:8443/?x=1"),
        ("http://example.com:/", "http://example.com/"),
        ("http://example.com:0080/", "http://example.com/"),
        ("http://a_b.example/x", "http://a_b.example/x"),
        ("http://localhost:3000/", "http://localhost:3000/"),
        ('http://h/a"<>`{}^b', "http://h/a%22%3C%3E%60%7B%7D%5Eb"),
        ("http://h/ü?ü='1'", "http://h/%C3%BC?%C3%BC=%271%27"),
        ("http://h/a/../b/./%2e%zz", "http://h/a/../b/./%2e%zz"),
        ("http://h/?a[]=1&b=|", "http://h/?a[]=1&b=|"),
        ("http://h/?url=http://user:pass@x/", "http://h/?url=http://user:pass@x/"),
        ("http://[2001:DB8:0:0::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
    ],
)
def test_a_url_is_brought_into_normal_form(url: str, normal: str) -> None:
    assert parse_target(url).url == normal


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0X7F.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0x7f.0x0.0x0.0x1", "127.0.0.1"),
        ("0", "0.0.0.0"),
        ("0x", "0.0.0.0"),
        ("4294967295", "255.255.255.255"),
        ("0xa9fea9fe", "169.254.169.254"),
        ("169.16689662", "169.254.169.254"),
        ("[::1]", "::1"),
        ("[::]", "::"),
        ("[0:0:0:0:0:ffff:a00:1]", "::ffff:10.0.0.1"),
        ("[64:ff9b::10.0.0.1]", "64:ff9b::10.0.0.1"),
    ],
)
def test_each_spelling_of_an_address_is_the_address_it_means(host: str, address: str) -> None:
    target = parse_target(f"http://{host}/")

    assert target.site.address == ip_address(address)
    assert target.site.host == str(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com/", "/x", "ftp://example.com/", "file:///etc/passwd", "gopher://h/", "http:/h",
        "http\u017f://h/",
        "http:h", "http://", "http:///x", "http://?x", "javascript:alert(1)", " http://h/", "http://h/ ",
        "http://h/a b",
        "http://h/\n", "http://h/\t", "http://h/\0", "http://h\\@x/", "http:\\\\h", "http://h/\x7f",
        "http://h/\u00a0",
        "http://h/\ud800", "http://user@h/", "http://user:pass@h/", "http://@h/", "http://127.0.0.1@h/",
        "http://h:0/", "http://h:65536/", "http://h:99999999999/", "http://h:-1/", "http://h:8o/", "http://h:1:2/",
        "http://h:٣/", "http://[::1/", "http://::1/", "http://[::1]x/", "http://[::1%25eth0]/", "http://[fe80::1%lo]/",
        "http://[1.2.3.4]/",
        "http://[]/", "http://[::g]/", "http://256.0.0.1/", "http://1.2.3.4.5/", "http://1.2.3.256/",
        "http://4294967296/", "http://0x100000000/", "http://08.0.0.1/",
        "http://example.1/",
        "http://0x7g.1/", "http://1..2/", "http://.1/", "http://a..b/", "http://.a/", "http://-a/", "http://a-/",
        "http://" + "a" * 64 + "/", "http://" + "a." * 127 + "a/", "http://a%2eb/",
        "http://%31%32%37.0.0.1/", "http://a,b/",
        "http://a!b/", "http://a|b/", "http://h/" + "x" * URL_LENGTH_MAX,
    ],
)  # fmt: skip
def test_what_is_not_a_plain_http_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_target(url)


@pytest.mark.parametrize("url", ["http://u:s3cret@h/", "http://h/?key=s3cret ", "http://h:s3cret/?s3cret", "s3cret"])
def test_a_refusal_does_not_repeat_the_url(url: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_target(url)

    assert "s3cret" not in str(caught.value)


@given(st.text(max_size=40) | st.from_regex(r"https?://[^/]{0,20}(/.{0,10})?", fullmatch=True))
@example("http://\u212a/")
def test_any_text_is_read_or_refused_and_reading_twice_changes_nothing(text: str) -> None:
    try:
        target = parse_target(text)
    except InvalidInputError:
        return

    again = parse_target(target.url)

    assert again == target
    assert target.path.isascii()


@given(st.ip_addresses(v=4), st.sampled_from(["d", "x", "#x", "#o", "parts"]))
def test_numbers_in_any_radix_mean_the_same_address(address, radix: str) -> None:
    number = int(address)
    octal = f"0{number:o}"
    spelling = {"d": f"{number}", "x": f"0x{number:X}", "#x": f"{number:#x}", "#o": octal}.get(
        radix, f"{number >> 24}.{number & 0xFFFFFF}"
    )

    assert parse_target(f"http://{spelling}/").site.address == address
