import pytest

from cronicorn.domain.json_body import ABSENT, Json
from cronicorn.domain.policy.path import PATH_CHARACTERS_MAX, PathError, path_of

BODY: Json = {
    "status": "up",
    "checks": [{"state": 1}, {"state": 2}],
    "a/b": {"~": True},
    "ключ": 5,
    "it's": [[]],
    "": 0,
}


@pytest.mark.parametrize(
    ("text", "found", "pointer"),
    [
        ("$", BODY, ""),
        ("$.status", "up", "/status"),
        ("$.checks[1].state", 2, "/checks/1/state"),
        ("$.checks[-1].state", 2, "/checks/-1/state"),
        ("$['checks'][0]['state']", 1, "/checks/0/state"),
        ('$["a/b"]["~"]', True, "/a~1b/~0"),
        ("$.ключ", 5, "/ключ"),
        (r"$['it\'s'][0]", [], "/it's/0"),
        ("$['']", 0, "/"),
        ("$ .checks [ 0 ] .state", 1, "/checks/0/state"),
        (r'$["\u0073tatus"]', "up", "/status"),
    ],
)
def test_a_singular_query_finds_its_one_value(text, found, pointer):
    path = path_of(text)

    assert path.found_in(BODY) == found
    assert path.pointer == pointer


@pytest.mark.parametrize(
    "text", ["$.nothing", "$.status.more", "$.checks[2]", "$.checks[-3]", "$.checks.state", "$[0]"]
)
def test_what_is_not_there_is_absent(text):
    assert path_of(text).found_in(BODY) is ABSENT


def test_a_null_is_there():
    assert path_of("$.a").found_in({"a": None}) is None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 0),
        ("status", 0),
        ("$.", 1),
        ("$..status", 1),
        ("$.*", 1),
        ("$.checks[*]", 8),
        ("$.checks[0:1]", 8),
        ("$.checks[?@.state]", 8),
        ("$.checks[01]", 8),
        ("$.checks[-0]", 8),
        ("$.status ", 9),
        ("$.1a", 1),
        (r"$['\x']", 1),
        (r'$["\ud800"]', 1),
        ("$.a" * (PATH_CHARACTERS_MAX // 2), PATH_CHARACTERS_MAX),
    ],
)
def test_anything_else_is_refused_where_it_goes_wrong(text, at):
    with pytest.raises(PathError) as refused:
        path_of(text)

    assert refused.value.at == at
    assert refused.value.problem.endswith(".")
