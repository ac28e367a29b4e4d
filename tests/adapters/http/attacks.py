"""URLs that must never lead to a closed address, and URLs that must be read and let through.

`{port}` stands for the port on which a server waits on 127.0.0.2 and ::1, so that a miss is seen as a connection.
"""

import socket
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address

CLOSED_V4 = (
    "127.0.0.2", "127.255.255.254", "10.0.0.1", "172.16.5.4", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "169.254.170.2", "100.64.0.1", "100.100.100.200", "168.63.129.16", "0.0.0.0", "255.255.255.255", "224.0.0.251",
    "198.18.0.1",
)  # fmt: skip
CLOSED_V6 = (
    "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd12:3456:789a::1", "fd00:ec2::254", "fd20:ce::254", "ff02::1",
    "ff0e::101", "2001:db8::1", "100::1", "3fff::1", "5f00::1", "4000::1", "2001:10::1", "2001:2::1",
)  # fmt: skip

_WIDE = str.maketrans("0123456789.", "０１２３４５６７８９．")
_MATHEMATICAL = str.maketrans("0123456789", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
_CIRCLED = str.maketrans("123456789", "①②③④⑤⑥⑦⑧⑨")


def _parts(address: IPv4Address) -> list[int]:
    return list(address.packed)


def _six(number: int) -> str:
    return f"[{IPv6Address(number)}]"


SPELLINGS: dict[str, Callable[[IPv4Address], str]] = {
    "dotted": str,
    "trailing dot": lambda each: f"{each}.",
    "decimal": lambda each: str(int(each)),
    "hexadecimal": lambda each: f"{int(each):#x}",
    "hexadecimal in capitals": lambda each: f"0X{int(each):X}",
    "hexadecimal with zeros": lambda each: f"0x{int(each):016x}",
    "octal": lambda each: f"0{int(each):o}",
    "octal with zeros": lambda each: f"00000{int(each):o}",
    "dotted hexadecimal": lambda each: ".".join(f"{part:#x}" for part in _parts(each)),
    "dotted octal": lambda each: ".".join(f"0{part:o}" for part in _parts(each)),
    "dotted octal with zeros": lambda each: ".".join(f"{part:06o}" for part in _parts(each)),
    "mixed radices": lambda each: "{:#x}.0{:o}.{}.{:#x}".format(*_parts(each)),
    "two parts": lambda each: f"{int(each) >> 24}.{int(each) & 0xFF_FFFF}",
    "two parts, hexadecimal": lambda each: f"{int(each) >> 24:#x}.{int(each) & 0xFF_FFFF:#x}",
    "three parts": lambda each: f"{_parts(each)[0]}.{_parts(each)[1]}.{int(each) & 0xFFFF}",
    "three parts, mixed": lambda each: f"0{_parts(each)[0]:o}.{_parts(each)[1]:#x}.{int(each) & 0xFFFF}",
    "wide digits and stops": lambda each: str(each).translate(_WIDE),
    "ideographic stops": lambda each: str(each).replace(".", "。"),
    "half-width stops": lambda each: str(each).replace(".", "｡"),
    "mathematical digits": lambda each: str(each).translate(_MATHEMATICAL),
    "circled digits": lambda each: str(each).translate(_CIRCLED),
    "mapped": lambda each: f"[::ffff:{each}]",
    "mapped, hexadecimal": lambda each: _six(0xFFFF << 32 | int(each)),
    "mapped, written out": lambda each: (
        f"[0000:0000:0000:0000:0000:FFFF:{int(each) >> 16:04X}:{int(each) & 0xFFFF:04X}]"
    ),
    "compatible": lambda each: f"[::{each}]",
    "translated": lambda each: f"[::ffff:0:{each}]",
    "NAT64": lambda each: f"[64:ff9b::{each}]",
    "NAT64 of a network": lambda each: f"[64:ff9b:1::{each}]",
    "NAT64 of a network, /48": lambda each: _six(
        0x64_FF9B_0001 << 80 | int(each) >> 16 << 64 | (int(each) & 0xFFFF) << 40
    ),
    "NAT64 of a network, /64": lambda each: _six(0x64_FF9B_0001 << 80 | int(each) << 24),
    "6to4": lambda each: _six(0x2002 << 112 | int(each) << 80 | 1),
    "Teredo": lambda each: _six(0x2001_0000_4136_E378_8000_63BF << 32 | int(each) ^ 0xFFFF_FFFF),
    "ISATAP": lambda each: f"[2001:4860:4860::5efe:{each}]",
    "ISATAP, unique": lambda each: f"[2001:4860:4860:0:200:5efe:{each}]",
}


def spelled() -> Iterator[str]:
    """Closed addresses in every spelling."""
    for text in CLOSED_V4:
        for spelling in SPELLINGS.values():
            yield f"http://{spelling(IPv4Address(text))}:{{port}}/"
    for text in CLOSED_V6:
        yield f"http://[{text}]:{{port}}/"
        yield f"http://[{IPv6Address(text).exploded.upper()}]:{{port}}/"


CRAFTED = (
    # Whose name stands before the @, and which host a careless reader takes.
    "http://example.com@127.0.0.2:{port}/", "http://example.com:80@127.0.0.2:{port}/",
    "http://127.0.0.1@127.0.0.2:{port}/", "http://127.0.0.2:{port}@example.com/", "http://@127.0.0.2:{port}/",
    "http://user:pass@[::1]:{port}/", "http://a@b@127.0.0.2:{port}/", "http://example.com%40127.0.0.2:{port}/",
    "http://127.0.0.1&@127.0.0.2:{port}/", "http://127.0.0.1%2f@127.0.0.2:{port}/",
    "http://example.com％40@127.0.0.2:{port}/",
    # Where the host ends.
    "http://127.0.0.2:{port}\\@127.0.0.1/", "http://127.0.0.1\\@127.0.0.2:{port}/", "http:\\\\127.0.0.2:{port}\\",
    "http:/\\127.0.0.2:{port}/", "http:///127.0.0.2:{port}/", "http:127.0.0.2:{port}/", "http:/127.0.0.2:{port}/",
    "//127.0.0.2:{port}/", "127.0.0.2:{port}", "http://127.0.0.2:{port}#@example.com/",
    "http://127.0.0.2:{port}?@example.com/", "http://127.0.0.2:{port};example.com/", "http://127.0.0.2,example.com/",
    "http://127.0.0.2:{port}%23.example.com/", "http://127.0.0.2%2fexample.com:{port}/",
    "http://127.0.0.2:{port}%00.example.com/", "http://127.0.0.2:{port}%20/", "http://127.0.0.2%3a{port}/",
    "http://127.0.0.2|example.com/", "http://127.0.0.2'/", "http://127.0.0.2`/", "http://127.0.0.2(/", "http://(127.0.0.2)/",
    "http://127.0.0.2!:{port}/", "http://$127.0.0.2:{port}/", "http://127.0.0.2*/", "http://*/",
    # White space and control characters.
    " http://127.0.0.2:{port}/", "\thttp://127.0.0.2:{port}/", "ht\ntp://127.0.0.2:{port}/",
    "http://127.0.0.2\t:{port}/", "http://127.\n0.0.2:{port}/", "http://127.0.0.2:{port}\r\n/",
    "http://127.0.0.2 .example.com/", "http://127.0.0.2:{port}/\r\nHost: 127.0.0.2", "http://127.0.0.2\x00:{port}/",
    "http://127.0.0.2\x0b:{port}/", "http://127.0.0.2\u2028:{port}/", "http://127.0.0.2\u00a0:{port}/",
    "http://127.0.0.2\ufeff:{port}/", "http://127.0.0.2\u200b:{port}/", "http://\u202e2.0.0.721:{port}/",
    "http://1\u00ad27.0.0.2:{port}/", "http://127.0.0.2\u180e:{port}/", "http://127.0.0.2\ufe0f:{port}/",
    # Numbers that only some readers take for an address.
    "http://127.0.0.2.:{port}/", "http://127.0.0.2..:{port}/", "http://127..2:{port}/", "http://127.0.0.258:{port}/",
    "http://383.0.0.2:{port}/", "http://127.0.0.0x2:{port}/", "http://127.0.0.02:{port}/", "http://127.0.0.08:{port}/",
    "http://4294967296/", "http://6425673730:{port}/", "http://0x17f000002:{port}/", "http://-2130706434:{port}/",
    "http://127.0.0.2.0:{port}/", "http://127.0.0.２:{port}/", "http://0b1111111.0.0.2:{port}/",
    "http://127_0_0_2.1/", "http://127.0.0.٢:{port}/", "http://०:{port}/", "http://²130706434/",
    "http://127.0.0.2e0/", "http://0:{port}/", "http://0x:{port}/", "http://00:{port}/", "http://0.0:{port}/",
    "http://%31%32%37%2e0%2e0%2e2:{port}/", "http://%31%32%37.0.0.2:{port}/", "http://127%2E0.0.2:{port}/",
    "http://①②⑦.⓪.⓪.②:{port}/", "http://⑴⑵⑺.0.0.2:{port}/", "http://１２７．２:{port}/", "http://⒈27.0.0.2/",
    # IPv6 in odd forms.
    "http://[::1%25lo]:{port}/", "http://[::1%lo]:{port}/", "http://[fe80::1%25eth0]:{port}/", "http://[fe80::1%2]/",
    "http://[::]:{port}/", "http://[0:0:0:0:0:0:0:1]:{port}/", "http://[::0.0.0.1]:{port}/", "http://::1:{port}/",
    "http://[::1:{port}/", "http://::1]:{port}/", "http://[[::1]]:{port}/", "http://[::1].:{port}/",
    "http://[::1]example.com/", "http://example.com[::1]/", "http://[127.0.0.2]:{port}/", "http://[0x7f.2]/",
    "http://[::ffff:7f00:0002]:{port}/", "http://[::ffff:0x7f.2]:{port}/", "http://[::ffff:127.2]:{port}/",
    "http://[::ffff:127.0.0.02]:{port}/", "http://[v1.::1]/", "http://[::１]:{port}/", "http://［::1］:{port}/",
    "http://[2002:7f00:0002:0:0:5efe:7f00:2]:{port}/", "http://[::ffff:ffff:127.0.0.2]/", "http://[::ffff:0:0:2]/",
    # Schemes that speak to something else.
    "file:///etc/passwd", "file://127.0.0.2/etc/passwd", "ftp://127.0.0.2:{port}/", "gopher://127.0.0.2:{port}/_GET",
    "dict://127.0.0.2:{port}/info", "ldap://127.0.0.2:{port}/", "tftp://127.0.0.2:{port}/", "jar:http://127.0.0.2/!/",
    "netdoc:///etc/passwd", "ws://127.0.0.2:{port}/", "smb://127.0.0.2/", "telnet://127.0.0.2:{port}/",
    "imap://127.0.0.2:{port}/", "unix:///var/run/docker.sock", "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "view-source:http://127.0.0.2:{port}/", "url:http://127.0.0.2:{port}/", "data:text/html,x", "about:blank",
    "javascript:alert(1)", "hTTp\u017f://127.0.0.2:{port}/", "http\u200b://127.0.0.2:{port}/",
    "http//127.0.0.2:{port}/", "http;//127.0.0.2:{port}/", "", "/", "?", "#", "http://", "https://",
    "http://:{port}/", "http://./", "http://../",
    # Ports.
    "http://127.0.0.2:0/", "http://127.0.0.2:65536/", "http://127.0.0.2:-1/", "http://127.0.0.2:+{port}/",
    "http://127.0.0.2:{port}:80/", "http://127.0.0.2:80:{port}/", "http://127.0.0.2:０/", "http://127.0.0.2:0x50/",
    "http://127.0.0.2:{port}x/", "http://127.0.0.2: {port}/", "http://127.0.0.2:000{port}/", "http://127.0.0.2:/",
    # libcurl's own language.
    "http://127.0.0.{2,3}:{port}/", "http://127.0.0.[2-3]:{port}/", "http://{127.0.0.2}:{port}/",
)  # fmt: skip
"""What is written to be read in two ways. None of it leads to an open address, however it is read."""

LOCAL_NAMES = (
    "localhost", "LOCALHOST", "localhost.", "a.localhost", "LocalHost.", "ｌｏｃａｌｈｏｓｔ", "ⓛocalhost", "locaⅼhost",
    "localhost。", "ip6-localhost", "ip6-loopback", socket.gethostname().lower(),
)  # fmt: skip
"""What the hosts file, or the rules for such names, may know."""

LEGITIMATE = (
    "http://example.com/", "https://example.com/", "HTTPS://EXAMPLE.COM/", "https://example.com.", "http://a.b.c.d.e.f/",
    "https://example.com:8443/a/b;c=d?e=f&g[]=h#i", "http://example.com:80", "https://example.com?x", "http://x.y#z",
    "https://sub-domain.example.co.uk/~user/", "https://_dmarc.example.com/", "https://a_b.example.com/",
    "https://xn--bcher-kva.example/", "https://bücher.example/", "https://BÜCHER.example/ü", "https://例え.テスト/",
    "https://faß.example/", "https://münchen。example/", "https://1.example/", "https://123.example.com/",
    "https://127.0.0.1.example.com/", "https://10-0-0-1.example.com/", "https://localhost.example.com/",
    "https://0x7f.example/", "https://example.com/127.0.0.1", "https://example.com/?url=http://127.0.0.1/",
    "https://example.com/?next=http://user:pass@10.0.0.1/", "https://example.com/@127.0.0.1/", "https://8.8.8.8/",
    "https://example.com/%2e%2e/%00", "https://example.com/a//b/../c", "https://example.com/#@127.0.0.1",
    "https://1.1.1.1/dns-query", "http://134744072/", "http://0x08080808/", "http://8.8.2056/", "http://010.8.8.8/",
    "http://8.8.8.8./", "http://９.９.９.９/", "http://93.184.216.34:8080/", "http://172.15.255.255/",
    "http://172.32.0.1/", "http://192.167.1.1/", "http://192.169.0.1/", "http://9.255.255.255/", "http://11.0.0.1/",
    "http://100.63.255.255/", "http://100.128.0.1/", "http://169.253.1.1/", "http://169.255.1.1/", "http://126.1.1.1/",
    "http://128.0.0.1/", "http://198.17.0.1/", "http://198.20.0.1/", "http://223.255.255.254/", "http://203.0.114.1/",
    "https://[2606:4700:4700::1111]/", "https://[2001:4860:4860::8888]:443/", "https://[2a00:1450:4001:80b::200e]/x",
    "https://[2001:4860:4860::64]/", "https://[2003::1]/", "https://[2400:cb00:2048:1::c629:d7a2]/",
    "https://[2001:200::1]/", "https://[2620:0:2d0:200::7]/", "https://[2A00::1]:8443/", "https://[2001:4860::5efe]/",
)  # fmt: skip
"""What people write in earnest, some of it close to what is closed. No name of it means an address."""
