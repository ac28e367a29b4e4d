"""What a command line of curl calls, as curl(1) says."""

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from cronicorn.cli.conversion.command_options import given, options
from cronicorn.cli.conversion.request import DescribedRequest
from cronicorn.cli.conversion.shell_line import NotConvertibleError
from cronicorn.cli.conversion.telling import told, whole

_REDIRECTS = 50
"""So many curl follows, where it follows any."""
_SEVERAL = re.compile(r"(?<!\{)\{[^{}]*\}|\[\w+-\w+(?::\d+)?\]")
"""What curl makes several URLs of, and is no reference to a secret."""
_CURL = options("""
url | url=
method | X= request=
header | H= header=
data | d= data= data-ascii= data-binary=
raw | data-raw=
encoded | data-urlencode=
json | json=
user | u= user=
header User-Agent | A= user-agent=
header Referer | e= referer=
cookie | b= cookie=
bearer | oauth2-bearer=
seconds | m= max-time=
retries | retry=
pause | retry-delay=
follow | L location location-trusted
redirects | max-redirs=
fail | f fail fail-with-body
head | I head
get | G get
unglobbed | g globoff
nothing | o= output= O remote-name s silent S show-error v verbose i include N no-buffer q disable basic
nothing | no-progress-meter progress-bar # http1.0 http1.1 http2 tcp-nodelay no-keepalive compressed create-dirs
nothing | w= write-out= D= dump-header= stderr= connect-timeout= retry-max-time= retry-connrefused retry-all-errors
nothing | 4 ipv4 6 ipv6 1 tlsv1 tlsv1.2 tlsv1.3 ssl-reqd j c= cookie-jar= y= Y= speed-time= speed-limit= fail-early
refuse It does not check certificates, and Cronicorn always does. | k insecure
refuse It goes through a proxy. | x= proxy= socks5= socks5-hostname= preproxy= U= proxy-user=
refuse It sends a file or a form. | T= upload-file= F= form= form-string=
refuse It has a certificate of its own, or trusts another authority. | E= cert= key= cacert= capath= pass=
refuse It looks names up in a way of its own. | resolve= connect-to= unix-socket= interface= dns-servers=
refuse It reads a file of options or passwords. | K= config= n netrc netrc-file= netrc-optional
refuse It signs in by a method other than Basic. | digest ntlm negotiate anyauth aws-sigv4=
refuse It makes more than one call. | next Z parallel
""")


def described_by_curl(rest: Sequence[str], stdin: str | None) -> DescribedRequest:
    """What `curl` calls with the words *rest*. Raises NotConvertibleError."""
    reading = _Reading(stdin)
    for meaning, value in given(rest, _CURL, joined=False):
        taken = reading.takers.get(meaning)
        if taken is None:
            told(reading.found, meaning, value)
        else:
            taken(value)
    return reading.done()


class _Reading:
    """What was read until now."""

    def __init__(self, stdin: str | None) -> None:
        self.found = DescribedRequest()
        self._stdin = stdin
        self._follows, self._most, self._fails, self._is_json = False, _REDIRECTS, False, False
        self._globs = True
        self.takers: Mapping[str, Callable[[str], None]] = {
            "follow": self._follow, "redirects": self._redirect, "fail": self._fail, "get": self._get,
            "data": self._data, "json": self._json, "raw": self.found.data.append, "encoded": self._encode,
            "user": self._user, "bearer": self._bearer, "cookie": self._cookie, "unglobbed": self._unglobbed,
        }  # fmt: skip

    def done(self) -> DescribedRequest:
        """The request, once all is read."""
        found = self.found
        if self._globs and _SEVERAL.search(found.url or "") is not None:
            raise NotConvertibleError("Its URL means several, as in [1-9] and {a,b}, and an endpoint calls one.")
        if self._is_json:
            found.headers.setdefault("Content-Type", "application/json")
            found.headers.setdefault("Accept", "application/json")
        found.redirects = self._most if self._follows else 0
        if not self._fails:
            found.note("Without --fail any status was fine; here one outside 200–299 and 304 is a failure.")
        if found.retries and found.retry_seconds is None:
            found.retry_seconds = 1
        return found

    def _follow(self, _: str) -> None:
        self._follows = True

    def _redirect(self, value: str) -> None:
        number = whole(value)
        self._most = number if number >= 0 else _REDIRECTS

    def _fail(self, _: str) -> None:
        self._fails = True

    def _unglobbed(self, _: str) -> None:
        self._globs = False

    def _get(self, _: str) -> None:
        self.found.data_in_url = True

    def _data(self, value: str) -> None:
        if value.startswith("@"):
            if value != "@-" or self._stdin is None:
                raise NotConvertibleError("It sends a file.")
            value = self._stdin
        self.found.data.append(value)

    def _json(self, value: str) -> None:
        self._is_json = True
        self._data(value)

    def _encode(self, value: str) -> None:
        name, equals, content = value.partition("=")
        if "@" in name:
            raise NotConvertibleError("It sends a file.")
        encoded = quote(content if equals else name, safe="")
        self.found.data.append(f"{name}={encoded}" if equals and name else encoded)

    def _user(self, value: str) -> None:
        name, _, password = value.partition(":")
        self.found.user = (name, password)

    def _bearer(self, value: str) -> None:
        self.found.headers["Authorization"] = f"Bearer {value}"

    def _cookie(self, value: str) -> None:
        if "=" not in value:
            raise NotConvertibleError("It reads cookies from a file.")
        self.found.headers["Cookie"] = value
