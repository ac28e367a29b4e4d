"""Endpoints that were read lately."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from cronicorn.domain.endpoint import EndpointState, JobEndpoint
from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.lately_read import KEPT_CHARACTERS_MAX, LatelyRead
from cronicorn.domain.rows import endpoint_row, state_row


def test_what_did_not_change_is_not_read_again():
    lately_read = LatelyRead()
    first = lately_read.endpoint(*_texts(an_endpoint()))

    assert lately_read.endpoint(*_texts(an_endpoint())) is first


def test_a_new_state_of_the_same_endpoint_is_read():
    lately_read, later = LatelyRead(), an_endpoint(state=EndpointState(slot=2))
    before = lately_read.endpoint(*_texts(an_endpoint()))

    after = lately_read.endpoint(*_texts(later))

    assert (before, after) == (an_endpoint(), later)
    assert after.request is before.request


def test_a_text_that_can_not_be_read_is_refused_each_time_and_spoils_nothing():
    lately_read = LatelyRead()
    document, state = _texts(an_endpoint())

    for texts in [(document, "{"), (document, '{"slot":true}'), (document, state + "{}"), ("{}", state)] * 2:
        with pytest.raises(ValueError, match=r"."):
            lately_read.endpoint(*texts)
        assert lately_read.endpoint(document, state) == an_endpoint()


def test_only_so_many_are_kept_however_many_endpoints_there_are():
    texts = [_texts(an_endpoint(id=f"ep{number}")) for number in range(20)]
    lately_read = LatelyRead(kept_max=10)
    found = [lately_read.endpoint(*each) for each in texts]

    again = [lately_read.endpoint(*each) for each in [*texts[10:], *texts[:10]]]

    same = [one is other for one, other in zip(found[10:] + found[:10], again, strict=True)]
    assert same == [True] * 10 + [False] * 10


def test_a_long_endpoint_is_read_anew_each_time():
    lately_read, texts = LatelyRead(), _texts(an_endpoint(description="x" * KEPT_CHARACTERS_MAX))

    assert lately_read.endpoint(*texts) is not lately_read.endpoint(*texts)


def test_many_threads_read_the_same_endpoints():
    lately_read = LatelyRead(kept_max=4)
    endpoints = [
        an_endpoint(id=f"ep{number % 7}", state=EndpointState(slot=number % 5 + 1, slots_issued=9))
        for number in range(2_000)
    ]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda endpoint: lately_read.endpoint(*_texts(endpoint)), endpoints))

    assert found == [replace(endpoint) for endpoint in endpoints]


def _texts(endpoint: JobEndpoint) -> tuple[str, str]:
    return str(endpoint_row(endpoint)["document"]), str(state_row(endpoint.state)["state"])
