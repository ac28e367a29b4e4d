import pytest

from cronicorn.cli.yaml_file import YamlFile, read_yaml_file
from cronicorn.domain.errors import FieldError, InvalidInputError

TEXT = """\
# a shop
jobs:
  - name: shop
    endpoints:
      - name: stock
        headersJson:
          a/b: x
      - {name: prices, url: y}
"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("", 2),
        ("/jobs", 3),
        ("/jobs/0/name", 3),
        ("/jobs/0/endpoints/0", 5),
        ("/jobs/0/endpoints/0/url", 5),
        ("/jobs/0/endpoints/0/headersJson/a~1b", 7),
        ("/jobs/0/endpoints/1/url", 8),
        ("/jobs/7/name", 3),
    ],
)
def test_every_part_knows_its_line_and_what_is_missing_that_of_its_place(pointer, line):
    assert YamlFile("shop.yaml", TEXT).line_of(pointer) == line


def test_a_finding_is_told_with_file_line_and_field():
    found = FieldError(pointer="/jobs/0/name", message="Too long.")

    assert YamlFile("shop.yaml", TEXT).located(found) == "shop.yaml:3: /jobs/0/name: Too long."


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("jobs:\n  - name: shop\n    name: again\n", 3),
        ("jobs:\n  - name: [\n", 3),
        ("jobs:\n  - name: !!python/object:os.system {}\n", 2),
        ("jobs:\n\t- name: x\n", 2),
        ("{? {a: 1} : 2}", 1),
    ],
)
def test_what_is_no_yaml_is_refused_with_its_line(text, line):
    with pytest.raises(InvalidInputError, match=rf"^x\.yaml:{line}: "):
        YamlFile("x.yaml", text)


@pytest.mark.parametrize("cron", ["@hourly", "*/5 * * * *"])
def test_an_unquoted_cron_expression_is_told_to_be_quoted(cron):
    with pytest.raises(InvalidInputError, match=r"^x\.yaml:2: .*quote it"):
        YamlFile("x.yaml", f"a: 1\nbaselineCron: {cron}\n")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 50_000, b"a" * 5_000_000, b"\x00", b"a: 2026-99-99"])
def test_a_file_that_is_no_yaml_at_all_is_refused(tmp_path, content):
    file = tmp_path / "wrong.yaml"
    file.write_bytes(content)

    with pytest.raises(InvalidInputError, match=r"wrong\.yaml"):
        read_yaml_file(str(file))


def test_a_value_that_holds_itself_is_read_as_such():
    value = YamlFile("x.yaml", "a: &a [*a]\n").value

    assert isinstance(value, dict)
    assert value["a"][0] is value["a"]


def test_an_empty_file_is_nothing():
    assert YamlFile("x.yaml", "").value is None
