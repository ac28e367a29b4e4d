"""`/readyz` of a real process in front of a real server that freezes."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.servers.postgres import restartable_server
from tests.waiting import eventually
from tests.wiring.up_process import service

PROMISED_S = 2.0
PROBES = 8


def _probe(url):
    began_at = time.monotonic()
    status = httpx.get(f"{url}/readyz", timeout=30, trust_env=False, verify=False).status_code
    return status, time.monotonic() - began_at


def test_a_frozen_server_is_told_within_the_promised_time_and_heard_of_again_when_it_goes_on(tmp_path):
    with (
        restartable_server() as server,
        service(tmp_path, command=("api",), DATABASE_URL=server.url()) as door,
        door.client() as client,
        ThreadPoolExecutor(PROBES) as probes,
    ):
        url = str(client.base_url)
        before = _probe(url)
        server.pause()
        try:
            frozen = [list(probes.map(_probe, [url] * PROBES)) for _ in range(4)]
        finally:
            server.resume()

        eventually(lambda: client.get("/readyz").status_code == 200, within_s=20)
        assert before[0] == 200
        assert {status for look in frozen for status, _ in look} == {503}
        assert max(took_s for look in frozen for _, took_s in look) < PROMISED_S
