"""What an answer counts as: by its owner's conditions first, then by its status."""

import json
from datetime import timedelta

import pytest

from cronicorn.domain.call import AnswerClass, OutcomeKind
from cronicorn.domain.criteria.reading import criteria_document, criteria_from, criteria_of, criteria_text
from cronicorn.domain.fields import document_in
from cronicorn.domain.fixtures import an_endpoint, an_outcome
from cronicorn.domain.history_document import outcome_of, outcome_text
from cronicorn.domain.policy.document_part import PolicyError
from cronicorn.domain.run import RunStatus, judged, run_status

DOCUMENT = {
    "fields": {
        "state": {"path": "$.state", "type": "string"},
        "queue": {"path": "$.queue", "type": "number"},
        "status": {"http": "status"},
        "ms": {"http": "latency_ms"},
    },
    "failure": 'state == "down"',
    "success": "status == 404 || status < 300",
    "degraded": "queue > 100 || ms > 900",
}
CRITERIA = criteria_of(DOCUMENT)


def counted(status=200, body=None, *, ms=5, criteria=CRITERIA, **changes):
    text = None if body is None else json.dumps(body)
    outcome = an_outcome(status, body=text, duration=timedelta(milliseconds=ms))._replace(
        body_is_json=body is not None, **changes
    )
    endpoint = an_endpoint(criteria=criteria)
    outcome = judged(endpoint, outcome)
    return run_status(endpoint, outcome), outcome.judged


@pytest.mark.parametrize(
    ("answer", "status", "answer_class"),
    [
        (counted(200, {"state": "down"}), RunStatus.FAILED, AnswerClass.FAILURE),
        (counted(200, {"state": "up", "queue": 5}), RunStatus.SUCCESS, AnswerClass.SUCCESS),
        (counted(404, {"queue": 5}), RunStatus.SUCCESS, AnswerClass.SUCCESS),
        (counted(404, {"state": "down"}), RunStatus.FAILED, AnswerClass.FAILURE),
        (counted(200, {"queue": 101}), RunStatus.SUCCESS, AnswerClass.DEGRADED),
        (counted(200, ms=901), RunStatus.SUCCESS, AnswerClass.DEGRADED),
        (counted(500, {"queue": 101}), RunStatus.FAILED, AnswerClass.FAILURE),
        (counted(304), RunStatus.FAILED, AnswerClass.FAILURE),
    ],
)
def test_conditions_decide_before_the_status_does(answer, status, answer_class):
    assert (answer[0], answer[1].answer_class) == (status, answer_class)


def test_a_condition_that_the_answer_leaves_unknown_says_nothing():
    only = criteria_of({"fields": DOCUMENT["fields"], "failure": 'state == "down"', "success": "queue < 5"})

    assert counted(200, criteria=only) == (RunStatus.SUCCESS, None)
    assert counted(500, criteria=only) == (RunStatus.FAILED, None)
    assert counted(200, {"queue": 7}, criteria=only)[1] == (AnswerClass.FAILURE, "!(queue < 5)")


@pytest.mark.parametrize("kind", [kind for kind in OutcomeKind if kind is not OutcomeKind.RESPONDED])
def test_what_is_no_complete_answer_is_never_a_success(kind):
    status, said = counted(200, {"state": "up"}, kind=kind)

    assert status is not RunStatus.SUCCESS
    assert said is None


def test_what_others_made_of_an_answer_does_not_stay():
    _, said = counted(200, {"queue": 101})

    again = judged(an_endpoint(), an_outcome(500)._replace(judged=said))

    assert again.judged is None


def test_an_endpoint_without_criteria_keeps_its_statuses():
    assert counted(200, criteria=None) == (RunStatus.SUCCESS, None)
    assert counted(500, criteria=None) == (RunStatus.FAILED, None)


def test_criteria_and_what_they_said_come_back_from_a_store():
    _, said = counted(200, {"queue": 101})
    outcome = an_outcome(200, body=None)._replace(judged=said)

    assert criteria_from(criteria_text(CRITERIA)) == CRITERIA
    assert criteria_of(criteria_document(CRITERIA)) == CRITERIA
    assert outcome_of(document_in(outcome_text(outcome)), None) == outcome


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"failure": None, "success": None, "degraded": None}, ""),
        ({"failure": "state > 5"}, "/failure"),
        ({"success": "nothing > 5"}, "/success"),
        ({"degraded": ""}, "/degraded"),
        ({"degraded": 5}, "/degraded"),
        ({"failed": "queue > 5"}, "/failed"),
        ({"fields": {"f": {"http": "failures"}}}, "/fields/f"),
        ({"fields": {"f": {"from": "sibling:x", "path": "$.a", "type": "number"}}}, "/fields/f"),
        ({"fields": {"f": {"path": "$.a", "type": "number", "agg": "avg", "window": 5}}}, "/fields/f"),
        ({"fields": {"f": {"path": "no path", "type": "number"}}}, "/fields/f/path"),
        ({"fields": []}, "/fields"),
    ],
)
def test_what_can_not_be_meant_is_refused_where_it_stands(changes, pointer):
    with pytest.raises(PolicyError) as caught:
        criteria_of({key: value for key, value in (DOCUMENT | changes).items() if value is not None})

    assert pointer in [problem.pointer for problem in caught.value.problems]
