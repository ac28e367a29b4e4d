"""As much of curl as the documentation uses, for machines that have none.

That is `-sS --retry-connrefused --retry TIMES --fail-with-body -X METHOD -H HEADER -d DATA URL`.
"""

import argparse
import sys
import urllib.error
import urllib.request


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-S", "--show-error", action="store_true")
    parser.add_argument("--fail-with-body", action="store_true", required=True)
    parser.add_argument("--retry-connrefused", action="store_true")
    parser.add_argument("--retry", type=int, default=0)
    parser.add_argument("-X", "--request")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data")
    given = parser.parse_args()
    headers = dict(header.split(": ", 1) for header in given.header)
    data = None if given.data is None else given.data.encode()
    request = urllib.request.Request(given.url, data, headers, method=given.request)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            sys.stdout.write(answer.read().decode())
    except urllib.error.HTTPError as refusal:
        sys.stdout.write(refusal.read().decode())
        return 22  # as curl does with --fail-with-body
    return 0


if __name__ == "__main__":
    sys.exit(main())
