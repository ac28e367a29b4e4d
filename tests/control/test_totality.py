"""Whatever document is sent, the answer is an endpoint that can be planned and shown, or findings: never a fault."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cronicorn.adapters.cron.cronsim_cron import CronsimCron
from cronicorn.control.document import EndpointDocument, EndpointPatch
from cronicorn.control.drafting import blank
from cronicorn.control.endpoints import accepted
from cronicorn.control.findings import Findings
from cronicorn.control.misfits import read_document
from cronicorn.control.rendering import shown
from cronicorn.domain.editing import edited, started
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.execution.limits import UNLIMITED
from cronicorn.domain.fixtures import MIDNIGHT
from cronicorn.domain.preview import preview
from cronicorn.domain.settlement import Stored

CRON = CronsimCron()
SOUND = {"name": "stock", "url": "https://shop.example/stock", "baselineIntervalMs": 60_000}
FIELDS = [field.alias or name for name, field in EndpointPatch.model_fields.items()]
NUMBERS = st.one_of(st.integers(-5, 5), st.sampled_from([999, 1_000, 60_000, 315_360_000_000, 2**63, 10**40]))
TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from([
        "*/5 * * * *", "0 0 29 2 *", "@hourly", "Europe/Berlin", "UTC", "2026-05-01T00:00:00Z", "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00Z", "skip", "buffer_one", "allow_all", "all", "POST", "200-299", "both", "shift",
    ]),
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.floats(allow_nan=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
POLICIES = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(NUMBERS, TEXTS)
        for name in ("mode", "windowMs", "maxRuns", "retryCount", "minBackoffMs", "maxBackoffMs", "maxDoublings")
    },
)
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "baselineCron": st.sampled_from(["*/5 * * * *", "0 0 29 2 *", "@hourly", "0 9 * * 1-5", None]),
    "baselineIntervalMs": st.sampled_from([1_000, 60_000, 315_360_000_000, None]),
    "onceAt": st.sampled_from(["2026-05-01T00:00:00Z", "9999-12-31T23:59:59Z", None]),
    "dormant": st.one_of(st.booleans(), st.none()),
    "anchorAt": st.sampled_from(["0001-01-01T00:00:00Z", "2026-05-01T00:00:00Z", "9999-12-31T23:59:59Z", None]),
    "timezone": st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia", None]),
    "windowMs": st.sampled_from([0, 500, 60_000, None]),
    "minIntervalMs": st.sampled_from([1, 90_000, None]),
    "maxIntervalMs": st.sampled_from([1, 90_000, 315_360_000_000, None]),
    "headersJson": st.dictionaries(st.sampled_from(["X-Api-Key", "Accept", "Cookie"]), st.sampled_from(["a", "b c"])),
    "bodyJson": VALUES,
    "successStatuses": st.lists(st.sampled_from(["200", "404", "200-299"]), min_size=1),
    "catchUp": st.fixed_dictionaries({}, optional={"mode": st.sampled_from(["all", "none"]), "maxRuns": NUMBERS}),
    "retries": st.fixed_dictionaries({}, optional={"retryCount": st.integers(0, 5), "maxDoublings": st.just(64)}),
    "timeoutMs": st.sampled_from([1, 90_000, None]),
}
DOCUMENTS = st.one_of(
    st.dictionaries(st.sampled_from([*FIELDS, "unknown"]), st.one_of(VALUES, POLICIES), max_size=4),
    st.fixed_dictionaries({}, optional=LIKELY),
)


def read(model: type[EndpointPatch], document: dict[str, Any], before: JobEndpoint) -> JobEndpoint | None:
    """What comes of *document*; None when it is refused, and then every finding is a sentence."""
    findings = Findings()
    patch = read_document(model, document, findings)
    if patch is None:
        assert findings.errors
        return None
    try:
        return accepted(before, patch, MIDNIGHT, CRON, UNLIMITED, found=Findings())[0]
    except InvalidInputError as error:
        told = [fault.message for fault in error.fields]
    assert told
    assert all(message.endswith((".", "?", ")")) for message in told), told
    return None


@settings(max_examples=1_000, deadline=timedelta(minutes=1))
@given(DOCUMENTS, DOCUMENTS)
def test_any_document_makes_an_endpoint_or_findings(document: dict[str, Any], patch: dict[str, Any]) -> None:
    created = read(EndpointDocument, SOUND | document, blank("t1", "job1", "ep1", MIDNIGHT))
    if created is None:
        return

    created = started(created, MIDNIGHT, CRON)
    assert len(preview(created, MIDNIGHT, CRON, 3)) <= 3
    changed = read(EndpointPatch, patch, created)
    if changed is not None:
        change = edited(created, changed, Stored(now=MIDNIGHT), CRON)
        assert json.dumps(shown(change.endpoint), default=str)


@settings(max_examples=500, deadline=timedelta(minutes=1))
@given(DOCUMENTS)
def test_what_is_shown_can_be_sent_back_without_a_change(document: dict[str, Any]) -> None:
    created = read(EndpointDocument, SOUND | document, blank("t1", "job1", "ep1", MIDNIGHT))
    if created is None:
        return

    assert read(EndpointPatch, shown(created), created) == created
