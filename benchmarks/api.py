"""How many requests a second `cronicorn api` answers over real sockets: a list of 50 endpoints, and creating one.

The bound is the same server software, with an application that answers the same bytes and knows nothing.
"""

import json
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from benchmarks.constant_server import constant_server
from benchmarks.report import Report, Row
from benchmarks.requesting import Requests, rate
from benchmarks.rounds import both_stores
from tests.wiring.up_process import KEY, service

_LISTED = 50
_CONNECTIONS = 16
_REPEATS = 3
_BOUND = "bound: uvicorn, the same bytes"


def run(*, as_json: bool, quick: bool) -> None:
    """Measure and show."""
    seconds, repeats, listed = (0.1, 1, 2) if quick else (5.0, _REPEATS, _LISTED)
    measured: dict[tuple[str, str], list[float]] = {}

    def measure(what: str, name: str, requests: Requests) -> None:
        found = uvloop.run(rate(requests, connections=_CONNECTIONS, seconds=seconds))
        measured.setdefault((what, name), []).append(found)

    with both_stores(quick=quick) as places:
        for _ in range(repeats):
            for name, place in places.items():
                with place() as database, _api(database, listed) as (asked, answers):
                    for what, requests in asked.items():
                        with constant_server(answers[what], requests.status) as url:
                            measure(what, _BOUND, replace(requests, url=url))
                        measure(what, name, requests)
    rows = [_row(what, name, measured) for what, name in sorted(measured)]
    about = f"requests a second on {_CONNECTIONS} connections, {seconds:g} s each; medians of {repeats}"
    Report(name="api", about=about, rows=rows).show(as_json=as_json)


def _row(what: str, name: str, measured: dict[tuple[str, str], list[float]]) -> Row:
    found = statistics.median(measured[what, name])
    return {
        "request": what,
        "what": name,
        "requests/s": found,
        "of the bound": found / statistics.median(measured[what, _BOUND]),
    }


@contextmanager
def _api(database: str, listed: int) -> Iterator[tuple[dict[str, Requests], dict[str, bytes]]]:
    """A running API with a job of so many endpoints: what is asked of it, and an answer to each."""
    with TemporaryDirectory() as folder, service(Path(folder), "api", ("api",), DATABASE_URL=database) as running:
        with running.client() as client:
            url = str(client.base_url).rstrip("/")
            jobs = [client.post("/api/jobs", json={"name": name}).json()["id"] for name in ("listed", "grows")]
            made = [
                client.post(f"/api/jobs/{jobs[0]}/endpoints", content=_endpoint(number)) for number in range(listed)
            ]
            assert {created.status_code for created in made} == {201}
            list_path, create_path = (f"/api/jobs/{job}/endpoints" for job in jobs)
            answers = {
                f"list {listed} endpoints": client.get(list_path).content,
                "create an endpoint": made[0].content,
            }
        asked = (
            Requests(url=url, key=KEY, head=f"GET {list_path}"),
            Requests(url=url, key=KEY, head=f"POST {create_path}", body=_endpoint, status=201),
        )
        yield dict(zip(answers, asked, strict=True)), answers


def _endpoint(number: int) -> bytes:
    document = {"name": f"endpoint {number}", "url": "http://127.0.0.1:1/", "baselineIntervalMs": 86_400_000}
    return json.dumps(document).encode()
