"""As much of curl as the documentation uses, for machines that have none: `-s -f -X METHOD -H HEADER -d DATA URL`."""

import argparse
import sys
import urllib.error
import urllib.request


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-f", "--fail", action="store_true")
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
    except urllib.error.HTTPError:
        return 22  # as curl does with -f
    return 0


if __name__ == "__main__":
    sys.exit(main())
