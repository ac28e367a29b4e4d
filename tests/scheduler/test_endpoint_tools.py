"""What a model is shown of an endpoint's answers."""

import json

from cronicorn.domain.call import Request
from cronicorn.domain.fixtures import an_endpoint, an_outcome
from cronicorn.domain.untrusted.redaction import Redaction
from cronicorn.scheduler.endpoint_tools import shown


def answered(body: object):
    return an_outcome(body=json.dumps(body), body_is_json=True)


def test_an_endpoint_that_repeats_what_it_is_called_with_gives_nothing_away():
    request = Request(url="https://shop.example/?sig=swordfish", headers=(("Authorization", "Custom hunter-22"),))
    endpoint = an_endpoint(request=request)

    told = shown(endpoint, answered({"error": "Custom hunter-22 and swordfish are refused", "state": "bad"}))

    assert "hunter-22" not in told
    assert "bad" in told


def test_what_is_redacted_now_is_not_shown_of_answers_recorded_before():
    endpoint = an_endpoint(redaction=Redaction(body=("/user/email", "/orders/*/name")))

    told = shown(endpoint, answered({"user": {"email": "ann@x.example"}, "orders": [{"name": "Ann", "n": 5}]}))

    assert "ann" not in told.lower()
    assert "~redacted" in told
    assert '"n":5' in told


def test_an_answer_that_cannot_be_read_is_not_shown_once_anything_is_redacted():
    endpoint = an_endpoint(redaction=Redaction(body=("/user",)))

    assert "Ann" not in shown(endpoint, an_outcome(body="Ann", body_is_json=True))
    assert "No JSON" in shown(endpoint, an_outcome(body=None))
