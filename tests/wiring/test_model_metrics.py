"""What a process that asks a model shows at `/metrics`."""

from prometheus_client.parser import text_string_to_metric_families

from tests.servers.model import Asked, calls, fake_model
from tests.waiting import eventually
from tests.wiring.target import target
from tests.wiring.up_process import create_endpoint, service

NO_POLICY = {"fields": [], "rules": [], "tests": [], "unsupported": ["Nothing can be said."]}
HINT = ("propose_interval", {"interval_s": 120, "reason": "quiet"})
FINAL = ("submit_analysis", {"reasoning": "Nothing goes on.", "confidence": 0.5})
USAGE = {
    "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "prompt_tokens_details": {"cached_tokens": 30},
}  # fmt: skip


def answer(asked: Asked):
    made = [("write_policy", NO_POLICY)] if "write_policy" in asked.tools else [HINT, FINAL]
    return calls(*made, usage=USAGE)


def shown(text):
    return {
        (each.name, *sorted(each.labels.values())): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
        if each.name.startswith(("cronicorn_model", "cronicorn_analyses", "cronicorn_compiles"))
    }


def test_analyses_and_compiles_are_counted_by_outcome_tokens_and_time(tmp_path):
    with fake_model(answer) as model, target() as shop:
        settings = {"AI_MODEL": "openai:fake-1", "AI_BASE_URL": model.url}
        with service(tmp_path, **settings) as up, up.client() as client:
            endpoint_id = create_endpoint(
                client, url=shop.url, baselineIntervalMs=60_000, analysis=True, description="Write a poem."
            )
            compiled = client.post(f"/api/endpoints/{endpoint_id}/policy/drafts")
            asked = client.post(f"/api/endpoints/{endpoint_id}/analyze")
            counted = ("cronicorn_analyses_total", "applied")
            eventually(lambda: counted in shown(client.get("/metrics").text), within_s=60)
            found = shown(client.get("/metrics").text)

    assert (compiled.status_code, asked.status_code) == (200, 202)
    assert found[counted] == 1
    assert found["cronicorn_compiles_total", "draft"] == 1
    for purpose in ("analysis", "compile"):
        assert found["cronicorn_model_questions_total", *sorted((purpose, "answered"))] == 1
        tokens = [
            found["cronicorn_model_tokens_total", *sorted((purpose, kind))]
            for kind in ("input", "output", "cached", "estimated")
        ]
        assert tokens == [100, 20, 30, 0]
        assert found["cronicorn_model_seconds_count", purpose] == 1
        assert found["cronicorn_model_seconds_sum", purpose] > 0
