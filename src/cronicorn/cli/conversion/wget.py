"""What a command line of wget calls, as wget(1) says."""

from collections.abc import Sequence

from cronicorn.cli.conversion.command_options import given, options
from cronicorn.cli.conversion.request import DescribedRequest
from cronicorn.cli.conversion.telling import told, whole

_REDIRECTS = 20
"""So many wget follows."""
_OF_TWO_LETTERS = {"-nv": "--no-verbose", "-nc": "--quiet", "-nd": "--quiet", "-nH": "--quiet"}
"""Options that look like two, and the words that mean as little here."""
_WGET = options("""
method | method=
header | header=
raw | post-data= body-data=
refuse It sends a file. | post-file= body-file=
name | user= http-user=
password | password= http-password=
header User-Agent | U= user-agent=
header Referer | referer=
seconds | T= timeout= read-timeout=
tries | t= tries=
pause | waitretry= w= wait=
redirects | max-redirect=
head | spider
nothing | q quiet nv v verbose no-verbose S server-response O= output-document= o= output-file= a= append-output= P=
nothing | directory-prefix= delete-after no-cache no-cookies 4 inet4-only 6 inet6-only connect-timeout= dns-timeout=
nothing | content-on-error retry-connrefused auth-no-challenge no-proxy no-hsts show-progress no-dns-cache
refuse It does not check certificates, and Cronicorn always does. | no-check-certificate
refuse It calls more than one URL. | r recursive m mirror i= input-file= p page-requisites
refuse It has a certificate of its own, or trusts another authority. | certificate= private-key= ca-certificate=
refuse It goes on in the background or with half a file. | b background c continue N timestamping
""")


def described_by_wget(rest: Sequence[str], _: str | None) -> DescribedRequest:
    """What `wget` calls with the words *rest*. Raises NotConvertibleError."""
    found = DescribedRequest(redirects=_REDIRECTS)
    user = {"name": "", "password": ""}
    for meaning, value in given([_OF_TWO_LETTERS.get(word, word) for word in rest], _WGET, joined=True):
        match meaning:
            case "raw":
                found.data.append(value)
            case "name" | "password":
                user[meaning] = value
            case "redirects":
                found.redirects = max(0, whole(value))
            case "tries":
                found.retries = max(0, whole(value) - 1)
            case _:
                told(found, meaning, value)
    if any(user.values()):
        found.user = (user["name"], user["password"])
    return found
