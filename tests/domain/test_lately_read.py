"""Endpoints that were read lately."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from cronicorn.domain.endpoint import EndpointState, JobEndpoint
from cronicorn.domain.fixtures import an_endpoint
from cronicorn.domain.lately_read import LONGEST_KEPT, LatelyRead
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


def test_what_was_written_is_not_read():
    lately_read, written = LatelyRead(), an_endpoint(state=EndpointState(slot=2))
    before = lately_read.endpoint(*_texts(an_endpoint()))
    document, state = _texts(written)

    lately_read.keep(document, state, before.standing(written.state))

    assert lately_read.endpoint(document, state).state is written.state


def test_what_another_process_wrote_is_read():
    lately_read, ours, theirs = LatelyRead(), an_endpoint(), an_endpoint(state=EndpointState(slot=3))
    lately_read.keep(*_texts(ours), ours)

    found = lately_read.endpoint(*_texts(theirs))

    assert (found, found.request) == (theirs, ours.request)
    assert found.request is ours.request
    assert found.state is not theirs.state


def test_only_so_much_is_kept_however_many_endpoints_there_are():
    texts = [_texts(an_endpoint(id=f"ep{number}")) for number in range(100)]
    lately_read = LatelyRead(characters_max=10 * sum(map(len, texts[50])))

    assert 5 <= _kept_of(lately_read, texts, walks=3) <= 10


def test_who_comes_in_turn_is_found_again_though_not_all_are_kept():
    texts = [_texts(an_endpoint(id=f"ep{number:03}")) for number in range(200)]
    lately_read = LatelyRead(characters_max=100 * sum(map(len, texts[0])))

    held = [_kept_of(lately_read, texts, walks=1) for _ in range(12)]

    assert min(held[1:]) >= 90


def test_who_comes_no_more_is_forgotten():
    gone, texts = ([_texts(an_endpoint(id=f"{name}{number:02}")) for number in range(50)] for name in "ab")
    lately_read = LatelyRead(characters_max=50 * sum(map(len, gone[0])))
    _kept_of(lately_read, gone, walks=2)

    assert _kept_of(lately_read, texts, walks=300) >= 45


@pytest.mark.parametrize("wrong_by", [-10, 10, 40, 1_000])
def test_how_much_is_kept_is_put_right_where_it_was_counted_wrong(wrong_by: int):
    texts = [_texts(an_endpoint(id=f"ep{number:03}")) for number in range(100)]
    size = sum(map(len, texts[0]))
    lately_read = LatelyRead(characters_max=50 * size)
    _kept_of(lately_read, texts, walks=2)

    lately_read._characters += wrong_by * size
    _kept_of(lately_read, texts, walks=300)

    assert 45 <= _kept_of(lately_read, texts, walks=1) <= 50
    assert lately_read._characters == 50 * size


def test_a_long_endpoint_is_read_anew_each_time():
    lately_read, texts = LatelyRead(), _texts(an_endpoint(description="x" * LONGEST_KEPT))

    assert lately_read.endpoint(*texts) is not lately_read.endpoint(*texts)


def test_many_threads_read_the_same_endpoints():
    lately_read = LatelyRead(characters_max=1_000)
    endpoints = [
        an_endpoint(id=f"ep{number % 7}", state=EndpointState(slot=number % 5 + 1, slots_issued=9))
        for number in range(2_000)
    ]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda endpoint: lately_read.endpoint(*_texts(endpoint)), endpoints))

    assert found == [replace(endpoint) for endpoint in endpoints]


def _kept_of(lately_read: LatelyRead, texts: list[tuple[str, str]], walks: int) -> int:
    """How many of *texts* are found, and not read, in the last of so many walks over all."""
    before = found = [lately_read.endpoint(*each) for each in texts]
    for _ in range(walks):
        before, found = found, [lately_read.endpoint(*each) for each in texts]
    return sum(one is other for one, other in zip(before, found, strict=True))


def _texts(endpoint: JobEndpoint) -> tuple[str, str]:
    return str(endpoint_row(endpoint)["document"]), str(state_row(endpoint.state)["state"])
