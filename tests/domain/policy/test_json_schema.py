"""The schema and the reader agree: what the one refuses for its shape, the other refuses too."""

import copy

import jsonschema
import pytest

from cronicorn.domain.policy.document_part import PolicyError
from cronicorn.domain.policy.json_schema import policy_schema
from cronicorn.domain.policy.reading import policy_of
from tests.domain.policy.test_reading import EVERYTHING

VALIDATOR = jsonschema.Draft202012Validator(policy_schema())
ODD = [None, True, False, 0, -1, 1.5, 10**9, "", "x", "$.a", "30s", [], [1], {}, {"a": 1}]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(policy_schema())


def test_what_can_be_written_fits_the_schema():
    VALIDATOR.validate(EVERYTHING)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"rulez": []},
        {"fields": []},
        {"rules": [{}]},
        {"rules": [{"id": "a", "when": "x", "action": {}}]},
    ],
)
def test_what_has_another_shape_does_not_fit(change):
    assert not VALIDATOR.is_valid({**EVERYTHING, **change})


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_whatever_is_changed_the_reader_accepts_only_what_fits_the_schema(odd):
    for number in range(len(list(_places(EVERYTHING)))):
        document = copy.deepcopy(EVERYTHING)
        place, key = list(_places(document))[number]
        place[key] = odd

        assert odd is None or not _is_read(document) or VALIDATOR.is_valid(document), key


def _is_read(document):
    try:
        policy_of(document)
    except PolicyError:
        return False
    return True


def _places(document):
    """Everything that a document holds, as the container and its key."""
    waiting = [document]
    while waiting:
        inside = waiting.pop()
        for key, value in inside.items() if isinstance(inside, dict) else enumerate(inside):
            yield inside, key
            if isinstance(value, dict | list):
                waiting.append(value)
