"""What signals remember can be stored and read again, exactly."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronicorn.domain.fields import Value
from cronicorn.domain.signals.cusum import Course
from cronicorn.domain.signals.memory import SignalMemory, memory_document, memory_of

numbers = st.floats(allow_nan=False, allow_infinity=False)
courses = st.builds(Course, st.text(max_size=5), st.integers(0, 20), numbers, numbers, numbers, numbers)
memories = st.builds(
    SignalMemory,
    etag=st.none() | st.text(),
    last_modified=st.none() | st.text(),
    bad=st.integers(0, 31),
    good=st.integers(0, 1),
    limited=st.integers(0, 5),
    courses=st.lists(courses, max_size=8).map(tuple),
)


@given(memories)
def test_a_memory_survives_storage_exactly(memory: SignalMemory) -> None:
    assert memory_of(json.loads(json.dumps(memory_document(memory)))) == memory


def test_an_empty_memory_takes_no_room() -> None:
    assert memory_document(SignalMemory()) == {}
    assert memory_of({}) == SignalMemory()


@pytest.mark.parametrize(
    "document",
    [
        {"etag": 5},
        {"bad": "many"},
        {"courses": ["latency"]},
        {"courses": [["latency", 1, "nan", "0.0", "0.0", "0.0"]]},
        {"courses": [["latency", True, "0.0", "0.0", "0.0", "0.0"]]},
        {"courses": [["latency", 1, "x", "0.0", "0.0", "0.0"]]},
    ],
)
def test_another_document_is_refused(document: dict[str, Value]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is for whoever looks at the row
        memory_of(document)
