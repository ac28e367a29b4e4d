"""Style sheet, script and picture: read once, named by their content, kept by browsers for good."""

import re
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

STATIC = "/static"
_KINDS = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file."""

    content: bytes
    kind: str
    digest: str


class Assets:
    """The files in `web/static`."""

    def __init__(self) -> None:
        self._assets = {
            file.name: _asset(file.name, file.read_bytes())
            for file in files("cronicorn.web").joinpath("static").iterdir()
        }

    def url(self, name: str) -> str:
        """Where the file *name* is, as it is now. Raises KeyError."""
        return f"{STATIC}/{name}?v={self._assets[name].digest}"

    def size(self, name: str) -> int:
        """Bytes of the file *name*. Raises KeyError."""
        return len(self._assets[name].content)

    def answer(self, name: str, request: Request) -> Response | None:
        """The file *name*, or None. Only under the name of its content it may be kept."""
        asset = self._assets.get(name)
        if asset is None:
            return None
        kept = _FOR_GOOD if request.query_params.get("v") == asset.digest else "no-cache"
        headers = {"Cache-Control": kept, "ETag": f'"{asset.digest}"'}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(asset.content, media_type=asset.kind, headers=headers)


def _asset(name: str, content: bytes) -> Asset:
    ending = name.rpartition(".")[2]
    sent = _without_blanks(content.decode(), ending).encode()
    return Asset(content=sent, kind=_KINDS[ending], digest=sha256(sent).hexdigest()[:16])


def _without_blanks(text: str, ending: str) -> str:
    """*text* without what only people need: indentation, lines of comment, and in a style sheet blanks at signs."""
    lines = [stripped for line in text.splitlines() if (stripped := line.strip()) and not stripped.startswith("//")]
    lean = "\n".join(lines) + "\n"
    return re.sub(r" *([{}]) *|([;,:]) +", r"\1\2", lean) if ending == "css" else lean
