"""Bodies of answers: as trees, as text, and compared with the run before; bounded, whatever was answered."""

import json
from collections.abc import Iterator

import pytest

from cronicorn.domain.fixtures import an_outcome
from cronicorn.web.body_difference import LINES_MAX, SHOWN_MAX, difference_of
from cronicorn.web.body_tree import TREE_MAX, BodyNode, tree_of
from cronicorn.web.words import LAID_OUT_MAX, LINES_TAKE_MAX, indented, laid_out
from tests.web.site import a_site
from tests.web.test_pages import HOSTILE, Outline


def tree(value: object) -> BodyNode | None:
    return tree_of(an_outcome(body=json.dumps(value), body_is_json=True))


def every(node: BodyNode) -> Iterator[BodyNode]:
    yield node
    for child in node.children:
        yield from every(child)


def test_a_tree_tells_names_values_and_how_much_there_is() -> None:
    found = tree({"stock": 3, "parts": [{"name": "bolt"}, None], "none": {}})

    assert found is not None
    assert [(each.name, each.text) for each in every(found)] == [
        ("", "3 members"), ("stock", "3"), ("parts", "2 items"), ("0", "1 member"), ("name", '"bolt"'), ("1", "null"),
        ("none", "0 members"),
    ]  # fmt: skip


@pytest.mark.parametrize("value", [{}, [], 7, "text", None])
def test_what_holds_nothing_has_no_tree(value: object) -> None:
    assert tree(value) is None


def test_a_body_that_is_no_json_or_has_half_a_character_has_no_tree() -> None:
    bodies = ["plain", '{"a": "\\ud800"}', "[" * 50_000]

    assert [tree_of(an_outcome(body=body, body_is_json=True)) for body in bodies] == [None] * 3


@pytest.mark.parametrize(
    "value",
    [list(range(50_000)), {"<" * 900: ["&" * 900] * 900}, [[["x"] * 90] * 90] * 90, [{"é" * 200: "ü" * 200}] * 500],
    ids=["long", "hostile", "wide", "foreign"],
)
def test_a_tree_takes_little_whatever_was_answered_and_counts_the_rest(value: list[object]) -> None:
    found = tree(value)

    assert found is not None
    nodes = list(every(found))
    assert sum(120 + len((each.name + each.text).encode()) for each in nodes) < TREE_MAX + 4_000
    assert any(each.left_out for each in nodes)


@pytest.mark.parametrize("depth", [1, 40, 300, 900])
def test_laid_out_a_body_takes_little_however_deep_it_is(depth: int) -> None:
    """Each value is indented as deep as it lies: 20 kB of brackets would be laid out in 18 MB."""
    tower = "[" * depth + "]" * depth
    body = f"[{','.join([tower] * (LAID_OUT_MAX // (2 * depth + 1) - 1))}]"

    assert len(body) <= LAID_OUT_MAX
    assert len(laid_out(an_outcome(body=body, body_is_json=True))) <= LINES_TAKE_MAX
    assert len(indented(body)) <= LINES_TAKE_MAX


def test_laid_out_a_body_has_a_line_for_each_value() -> None:
    body = '{"a":[1,2],"b":"x"}'

    assert laid_out(an_outcome(body=body, body_is_json=True)) == '{\n  "a": [\n    1,\n    2\n  ],\n  "b": "x"\n}'
    assert indented(body) == laid_out(an_outcome(body=body, body_is_json=True))


def test_a_difference_tells_what_is_gone_what_is_new_and_what_is_beside_it() -> None:
    before, after = "\n".join("abcdefgh"), "\n".join("abcXefgh")

    lines = difference_of(before, after)

    assert lines is not None
    assert "".join(line.mark + line.text for line in lines) == "@… b c-d+X e f"
    assert difference_of(before, before) == []


def test_a_difference_is_bounded() -> None:
    many = difference_of("\n".join(map(str, range(300))), "\n".join(map(str, range(300, 600))))

    assert many is not None
    assert len(many) == SHOWN_MAX + 1
    assert "lines more" in many[-1].text
    assert difference_of("x\n" * (LINES_MAX + 1), "") is None
    assert difference_of("", "x" * 100_000) is None


async def test_a_run_shows_its_answer_as_a_tree_and_what_is_different_from_the_one_before() -> None:
    async with a_site() as site:
        endpoint = await site.world.endpoint(site.owner)
        for body in ('{"stock": 3, "colour": "red"}', '{"stock": 2, "colour": "red"}', HOSTILE):
            site.world.clock.move(minutes=1)
            await site.world.run_due(an_outcome(body=body, body_is_json=body.startswith("{")))
        first, second, third = [await site.text(f"/runs/{endpoint.id}:{slot}:1") for slot in (1, 2, 3)]

    assert "No run before it has kept a body." in first
    assert '<code>stock</code> <code class="value">2</code>' in second
    assert '<span class="line-gone">-   &#34;stock&#34;: 3,</span>' in second
    assert '<span class="line-new">+   &#34;stock&#34;: 2,</span>' in second
    assert f'<a href="/runs/{endpoint.id}:1:1">' in second
    assert "Why it ran then" in second
    for page in (second, third):
        assert len(Outline(page).all("script")) == 1
        assert Outline(page).open == []
