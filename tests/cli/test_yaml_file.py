import pytest

from cronicorn.cli.yaml_file import YamlFile, read_object, read_yaml_file
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


@pytest.mark.parametrize("lines", ["a{n}: &a{n} [{aliases}]\n", "a{n}: &a{n} {{<<: [{aliases}]}}\n"])
def test_aliases_of_what_holds_aliases_are_refused_before_anybody_goes_through_them(lines):
    grown = "".join(lines.format(n=n, aliases=", ".join([f"*a{n - 1}"] * 9)) for n in range(1, 30))

    with pytest.raises(InvalidInputError, match=r"x\.yaml:7: holds more than 1,000,000 values, through its aliases\."):
        YamlFile("x.yaml", f"a0: &a0 {{x: 1}}\n{grown}")


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: &a {<<: [*a, *a]}\n", "a: &a {b: {c: *a}}\n"])
def test_a_value_that_holds_itself_is_refused(text):
    with pytest.raises(InvalidInputError, match=r"x\.yaml:1: holds itself, by an alias inside of it\."):
        YamlFile("x.yaml", text)


def test_aliases_and_merges_are_read_as_often_as_they_are_named():
    text = "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nc: [*a, *b, {<<: [*a, *b], x: 3}]\n"

    assert YamlFile("x.yaml", text).value == {
        "a": {"x": 1}, "b": {"x": 1, "y": 2}, "c": [{"x": 1}, {"x": 1, "y": 2}, {"x": 3, "y": 2}],
    }  # fmt: skip


def test_an_empty_file_is_nothing():
    assert YamlFile("x.yaml", "").value is None


def test_an_object_is_what_json_can_hold(tmp_path):
    file = tmp_path / "endpoint.yaml"
    file.write_text("url: x\nonceAt: 2999-01-01T00:00:00Z\non: 1\n")

    assert read_object(str(file), "`url`") == {"url": "x", "onceAt": "2999-01-01T00:00:00Z", "on": 1}


@pytest.mark.parametrize(
    ("text", "told"),
    [("- 1\n", "endpoint.yaml:1: (file): Must be an object: begin with `url`."),
     ("url: x\nsize: .nan\n", "endpoint.yaml:2: /size: JSON has no such value as nan.")],
)  # fmt: skip
def test_what_json_can_not_hold_is_told_with_its_line(text, told, tmp_path):
    file = tmp_path / "endpoint.yaml"
    file.write_text(text)

    with pytest.raises(InvalidInputError) as caught:
        read_object(str(file), "`url`")
    assert str(caught.value).endswith(told)
