"""Two processes and a real target: together they keep to a flow, and whoever asks is told why a slot waits."""

from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import service

CALLS, RATE, PERIOD_S, LATE_S = 9, 3, 2, 1
"""On a busy machine a call may reach its target so much after it was let go."""


def test_two_workers_keep_to_the_rate_of_a_key_together(tmp_path):
    with target() as shop, service(tmp_path) as up, service(tmp_path, "other", ("scheduler",)), up.client() as client:
        job = client.post("/api/jobs", json={"name": "shop"}).json()["id"]
        flow = {"key": "shop", "rate": RATE, "periodMs": PERIOD_S * 1_000, "parallelism": 2}
        endpoint = {"url": shop.url, "dormant": True, "flow": flow}
        made = [
            client.post(f"/api/jobs/{job}/endpoints", json={"name": f"e{n}", **endpoint}).json() for n in range(CALLS)
        ]
        for each in made:
            client.post(f"/api/endpoints/{each['id']}/run")
        explained = [client.get(f"/api/endpoints/{each['id']}/explain").json()["held"] for each in made]
        eventually(lambda: len(shop.called_at) == CALLS, within_s=30)
        shown = client.get(f"/api/endpoints/{made[0]['id']}").json()["flow"]

    instants = sorted(shop.called_at)
    assert shown == flow
    assert len(set(shop.keys)) == CALLS
    assert all(late - early >= PERIOD_S - LATE_S for early, late in zip(instants, instants[RATE:], strict=False))
    assert {held["reason"] for held in explained if held is not None} <= {
        f"no more than {RATE} calls begin in {PERIOD_S} s",
        "no more than 2 calls are in progress at once",
    }
    assert any(explained)
