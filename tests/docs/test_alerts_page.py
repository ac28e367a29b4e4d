"""The pages about alerts say what is so."""

import json

from cronicorn.control.alert_documents import AllRulesDocument
from cronicorn.control.findings import Findings
from cronicorn.control.misfits import read_document
from cronicorn.domain.alert.alerting import IncidentKind
from cronicorn.domain.alert.incident import AlertEvent, Incident
from cronicorn.domain.alert.wording import body_of
from cronicorn.domain.fixtures import at
from tests.docs.journeys import types_every_command_of
from tests.docs.markdown import DOCS, REFERENCE, blocks, first_cells, shell_blocks
from tests.docs.terminal import Terminal

NINE = at("2026-01-31T09:30:00")


def test_every_kind_is_listed():
    section = (REFERENCE / "alerts.md").read_text(encoding="utf-8").partition("## Messages")[0]
    listed = " ".join(first_cells(section)).replace("`", "").split()

    assert listed == [kind.value for kind in IncidentKind]


def test_the_body_is_the_one_that_is_sent():
    (printed,) = [json.loads(block.text) for block in blocks(REFERENCE / "alerts.md") if block.language == "json"]
    incident = Incident(
        id="incident_5f0c", tenant_id="t1", kind=IncidentKind.FAILING, subject="ep_1a2b", job_id="job_3c4d",
        summary="3 slots in a row failed.", opened_at=NINE,
    )  # fmt: skip

    assert body_of(incident, AlertEvent.OPENED, "stock", NINE) == printed


def test_the_rules_that_are_printed_can_be_set():
    (printed,) = [json.loads(block.text) for block in blocks(DOCS / "how-to" / "alerts.md") if block.language == "json"]
    findings = Findings()

    document = read_document(AllRulesDocument, printed, findings)

    assert not findings.errors
    assert document is not None
    assert document.pause_after == 20


@types_every_command_of("docs/how-to/alerts.md")
def test_the_commands_work_as_printed(tmp_path):
    sent, held, _, windows = Terminal(tmp_path).type_all(shell_blocks(DOCS / "how-to" / "alerts.md"))

    assert "test" in sent
    assert "waiting" in sent
    assert "everything" in held
    assert "Europe/Berlin" in windows
