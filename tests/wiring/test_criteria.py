"""Criteria over REST: refused where they are wrong, and told with each run."""

from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import create_endpoint, runs_of, service

FIELDS = {"ok": {"http": "ok"}, "status": {"http": "status"}}


def test_criteria_are_checked_when_written_and_shown_with_runs(tmp_path):
    with target() as shop, service(tmp_path) as up, up.client() as client:
        criteria = {"fields": FIELDS, "degraded": "status == 200"}
        endpoint_id = create_endpoint(client, url=shop.url, baselineIntervalMs=1_000, criteria=criteria)
        job_id = client.get(f"/api/endpoints/{endpoint_id}").json()["jobId"]
        wrong = {"criteria": {"failure": "nothing > 5"}}
        refused = client.patch(f"/api/jobs/{job_id}/endpoints/{endpoint_id}", json=wrong)
        eventually(lambda: runs_of(client, endpoint_id))
        listed = runs_of(client, endpoint_id)[0]
        run = client.get(f"/api/runs/{listed['runId']}").json()
        shown = client.get(f"/api/endpoints/{endpoint_id}").json()["criteria"]
        metrics = client.get("/metrics").text

    assert refused.status_code in {400, 422}
    assert "/criteria/failure" in refused.text
    assert shown == criteria
    assert listed["status"] == "success"
    assert listed["judged"] == run["judged"] == {"answerClass": "degraded", "condition": "status == 200"}
    assert 'cronicorn_answers_judged_total{class="degraded"}' in metrics
