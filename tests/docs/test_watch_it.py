"""The page about watching works as printed, with a receiver of traces; of what Prometheus reads names are looked at."""

import json

import httpx
import yaml

from tests.architecture.source import ROOT
from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import blocks, shell_blocks
from tests.docs.terminal import Terminal
from tests.docs.test_how_tos import page
from tests.wiring.alert_receivers import http_receiver
from tests.wiring.test_tracing import PATH, spans_of

NOW_AND_THEN = "--method POST --dormant"


@types_every_command_of("docs/how-to/watch-it.md")
def test_requests_and_slots_are_logged_and_traced_as_the_page_says(tmp_path):
    terminal = Terminal(tmp_path)
    logs, traces = shell_blocks(page("watch-it"))
    terminal.type("export CRONICORN_EGRESS_ALLOW=127.0.0.0/8")
    with http_receiver() as collector, http_receiver() as shop:
        terminal.places = {"http://127.0.0.1:4318/v1/traces": f"{collector.url}{PATH}", "0.1": "1"}
        terminal.type(
            f"cronicorn job create shop; cronicorn endpoint create shop/order --url {shop.url} {NOW_AND_THEN}"
        )

        with terminal.running(logs) as log:
            refused = httpx.post(f"{terminal.url}/api/sign-in", json={"login": "nobody", "password": "wrong"})
            terminal.type("cronicorn endpoint run shop/order --wait")
        with terminal.running(traces, log="traced.log"):
            terminal.type("cronicorn endpoint run shop/order --wait")
        attempt, slot = spans_of(collector)

    entries = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    [told] = [entry["request"] for entry in entries if entry["event"] == "sign_in_refused"]
    [run] = [f"{entry['endpoint']}:{entry['slot']}" for entry in entries if entry["event"] == "run_settled"]
    logged, traced = (each.headers for each in shop.posted)
    assert told == refused.headers["x-request-id"]
    assert run == logged["idempotency-key"]
    assert "traceparent" not in logged
    assert traced["traceparent"] == f"00-{slot.trace_id.hex()}-{attempt.span_id.hex()}-01"
    assert (slot.name, attempt.name, attempt.parent_span_id) == ("slot", "POST", slot.span_id)


def test_the_rules_are_read_under_the_name_that_the_page_gives_them():
    [scraping] = [yaml.safe_load(block.text) for block in blocks(page("watch-it")) if block.language == "yaml"]

    assert [(ROOT / "deploy/prometheus" / name).is_file() for name in scraping["rule_files"]] == [True]
    assert [each["job_name"] for each in scraping["scrape_configs"]] == ["cronicorn"]
