"""What came in: header lines, text and JSON made of bytes that a server chose."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterable
from functools import lru_cache

import orjson

HEADERS_KEPT = 100
HEADER_BYTES_KEPT = 32 * 1_024
JSON_DEPTH_MAX = 100

_LINES_REMEMBERED = 2_048
_LINE_REMEMBERED_BYTES_MAX = 128
_TYPES_REMEMBERED = 128
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_NUL = "\0"
_BYTE_ORDER_MARK = "\ufeff"
_MARKS = {BOM_UTF8: "utf-8", BOM_UTF16_LE: "utf-16-le", BOM_UTF16_BE: "utf-16-be"}
_MARKED = tuple(_MARKS)
_BLANKS = " \t"
_FOLDED = (b" ", b"\t")
_UTF8_BYTES_MAX = 4
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_JSON_START = re.compile(r"[ \t\r\n]*[\[{\"\-0-9tfn]")

# Python's names for the encodings of the web (WHATWG Encoding Standard). Others, such as `idna` or `utf-7`, are traps.
_CODECS = {
    "ascii": "cp1252", "us-ascii": "cp1252", "iso-8859-1": "cp1252", "latin1": "cp1252", "windows-1252": "cp1252",
    "utf-16": "utf-16-le", "utf-16le": "utf-16-le", "utf-16be": "utf-16-be", "gb2312": "gbk", "gbk": "gbk",
    "gb18030": "gb18030", "big5": "big5", "euc-jp": "euc_jp", "shift_jis": "shift_jis", "euc-kr": "euc_kr",
    "koi8-r": "koi8_r", "koi8-u": "koi8_u",
    **{f"iso-8859-{part}": f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"windows-{page}": f"cp{page}" for page in (874, 1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)},
}  # fmt: skip


def headers_of(lines: Iterable[bytes]) -> tuple[tuple[str, str], ...]:
    """The headers in *lines*, names in lower case, folded lines joined; the first `HEADERS_KEPT` of them."""
    headers: list[tuple[str, str]] = []
    room = HEADER_BYTES_KEPT
    for line in lines:
        room -= len(line)
        if room < 0 or len(headers) == HEADERS_KEPT:
            break
        if line.startswith(_FOLDED) and headers:
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {_header_text(line)}")
            continue
        field = _field_lately_read(line) if len(line) <= _LINE_REMEMBERED_BYTES_MAX else _field_of(line)
        if field is not None:
            headers.append(field)
    return tuple(headers)


def text_of(body: bytes | bytearray, content_type: str | None, *, whole: bool) -> str:
    """*body* as text that any store can hold: what can't be read, and NUL, becomes U+FFFD.

    Of a body that is not *whole*, half a letter at the end is left out.
    """
    codec = _marked(body) if body.startswith(_MARKED) else _codec_of(content_type)
    text = body.decode(codec, "replace") if whole else getincrementaldecoder(codec)("replace").decode(body)
    return text.removeprefix(_BYTE_ORDER_MARK).replace(_NUL, _REPLACEMENT)


def cut(text: str, bytes_max: int) -> str:
    """The beginning of *text* that fits into *bytes_max* as UTF-8."""
    if len(text) * _UTF8_BYTES_MAX <= bytes_max:
        return text
    return text.encode()[:bytes_max].decode("utf-8", "ignore")


def is_json(text: str) -> bool:
    """Whether *text* as a whole is JSON (RFC 8259) nested at most `JSON_DEPTH_MAX` deep, however declared."""
    if not _JSON_START.match(text):
        return False
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return text.count("[") + text.count("{") <= JSON_DEPTH_MAX or not _is_deeper(value, JSON_DEPTH_MAX)


def _is_deeper(value: object, depth_max: int) -> bool:
    level = [value]
    for _ in range(depth_max):
        level = [child for node in level for child in _children(node) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _marked(body: bytes | bytearray) -> str:
    return next(codec for mark, codec in _MARKS.items() if body.startswith(mark))


@lru_cache(_TYPES_REMEMBERED)
def _codec_of(content_type: str | None) -> str:
    charset = _CHARSET.search(content_type) if content_type else None
    return _CODECS.get(charset[1].lower(), "utf-8") if charset else "utf-8"


def _field_of(line: bytes) -> tuple[str, str] | None:
    name, colon, value = _header_text(line).partition(":")
    name = name.rstrip(_BLANKS)
    return (name.lower(), value.lstrip(_BLANKS)) if colon and name else None


_field_lately_read = lru_cache(_LINES_REMEMBERED)(_field_of)  # A server says most of its lines with every answer.


def _header_text(raw: bytes) -> str:
    stripped = raw.strip(b" \t\r\n")
    try:
        text = stripped.decode("utf-8")
    except UnicodeDecodeError:
        text = stripped.decode("latin-1")
    return text.replace(_NUL, _REPLACEMENT)
