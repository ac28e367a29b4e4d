"""What holds of every route: entity tags, ids of requests, pages and problems that resolve."""

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from cronicorn.api.description import EXAMPLES
from cronicorn.api.problem_types import problem_types
from tests.api.door import Door, a_door, an_app, assert_problem
from tests.api.test_isolation import BODIES, ROUTES, path_of, stored
from tests.control.world import a_world

DESCRIPTION: dict[str, Any] = an_app(a_world()).openapi()
POLICY = {"version": 1, "rules": []}


async def edited(door: Door, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await door.client.patch(path, json=body, headers=headers)


async def things(door: Door) -> dict[str, str]:
    """The path of a job, and the two of an endpoint."""
    endpoint = await door.endpoint()
    job = f"/api/jobs/{endpoint['jobId']}"
    return {"job": job, "endpoint": f"{job}/endpoints/{endpoint['id']}"}


@pytest.mark.parametrize("kind", ["job", "endpoint"])
async def test_a_change_of_another_version_is_refused_and_changes_nothing(kind: str) -> None:
    async with a_door() as door:
        path = (await things(door))[kind]
        first = (await door.client.get(path)).headers["etag"]
        door.world.clock.move(seconds=1)
        other = await edited(door, path, {"name": "theirs"}, **{"If-Match": first})
        door.world.clock.move(seconds=1)
        late = await edited(door, path, {"name": "mine"}, **{"If-Match": first})
        name = (await door.read(path))["name"]
        again = await edited(door, path, {"name": "mine"}, **{"If-Match": f'"x", {other.headers["etag"]}'})
        anyway = await edited(door, path, {"name": "any"}, **{"If-Match": "*"})

    assert (other.status_code, again.status_code, anyway.status_code) == (200, 200, 200)
    assert assert_problem(late, 412)["type"] == "/problems/precondition_failed"
    assert name == "theirs"
    assert first != other.headers["etag"] != again.headers["etag"]


MATCHING = [
    f"{method.upper()} {path}"
    for path, methods in DESCRIPTION["paths"].items()
    for method, route in methods.items()
    if path.startswith(("/api/jobs", "/api/endpoints"))
    and any(each["name"] == "If-Match" for each in route.get("parameters", ()))
]
ADDING = {
    "POST /api/jobs/{jobId}/endpoints", "POST /api/endpoints/{id}/test", "POST /api/endpoints/{id}/analyze",
    "POST /api/endpoints/{id}/backtest", "POST /api/endpoints/{id}/policy/drafts",
    "POST /api/endpoints/{id}/policy/proposals",
    "POST /api/endpoints/{id}/policy/drafts/{draftId}/activate",
    "POST /api/endpoints/{id}/policy/drafts/{draftId}/reject",
}  # fmt: skip
"""Nothing that has a version is changed, or a draft is named, which never changes."""


def test_every_change_of_a_job_or_an_endpoint_can_be_meant_for_one_version() -> None:
    changes = re.compile(r"(PUT|PATCH|POST|DELETE) /api/(jobs|endpoints)/")

    assert {route for route in ROUTES if changes.match(route)} - ADDING == set(MATCHING)


@pytest.mark.parametrize("route", MATCHING)
async def test_nothing_is_done_to_another_version(route: str) -> None:
    async with a_door() as door:
        method, path = route.split(maxsplit=1)[0], await path_of(door, route)
        thing = re.match(r"/api/jobs/[^/]+/endpoints/[^/]+|/api/(jobs|endpoints)/[^/]+", path)
        assert thing is not None
        tag = (await door.client.get(thing[0])).headers["etag"]
        before = stored(door)

        late = await door.client.request(method, path, json=BODIES.get(route), headers={"If-Match": '"0"'})
        after = stored(door)
        done = await door.client.request(method, path, json=BODIES.get(route), headers={"If-Match": tag})

    assert assert_problem(late, 412)["type"] == "/problems/precondition_failed"
    assert after == before
    assert done.is_success, done.text


async def test_a_run_is_no_other_version() -> None:
    async with a_door() as door:
        path = (await things(door))["endpoint"]
        before = (await door.client.get(path)).headers["etag"]
        door.world.clock.move(minutes=1)
        await door.world.run_due()

        after = (await door.client.get(path)).headers["etag"]

    assert after == before


@pytest.mark.parametrize("given", ["3", '"3', '"3";', "", '"a" "b"'])
async def test_a_field_that_names_no_tags_is_refused(given: str) -> None:
    async with a_door() as door:
        path = (await things(door))["job"]

        answer = await edited(door, path, {"name": "mine"}, **{"If-Match": given})

    assert "If-Match" in assert_problem(answer, 400)["detail"]


async def test_a_weak_tag_never_matches() -> None:
    async with a_door() as door:
        path = (await things(door))["endpoint"]
        tag = (await door.client.get(path)).headers["etag"]

        answer = await edited(door, path, {"name": "mine"}, **{"If-Match": f"W/{tag}"})

    assert_problem(answer, 412)


async def test_a_policy_is_put_and_deleted_only_by_whoever_says_which_version_is_meant() -> None:
    async with a_door() as door:
        endpoint = await door.endpoint()
        path = f"/api/endpoints/{endpoint['id']}/policy"
        none = await door.client.get(path)
        unsaid = await door.client.put(path, json={"policy": POLICY})
        put = await door.client.put(path, json={"policy": POLICY}, headers={"If-Match": none.headers["etag"]})
        late = await door.client.delete(path, headers={"If-Match": none.headers["etag"]})
        wrong = await door.client.put(path, json={"policy": {"version": 2}}, headers={"If-Match": "*"})
        there = await door.read(path)
        gone = await door.client.delete(path, headers={"If-Match": put.headers["etag"]})

    assert none.json()["policy"] is gone.json()["policy"] is None
    assert assert_problem(unsaid, 428)["type"] == "/problems/precondition_required"
    assert_problem(late, 412)
    assert assert_problem(wrong, 400)["errors"][0]["pointer"].startswith("/policy")
    assert put.json()["policy"] == there["policy"]
    assert there["version"] == endpoint["version"] + 1


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a-request-of-mine.1", True), ("x" * 65, False), ("short", False), ("two words", False), ("<script>x", False)],
)
async def test_a_request_keeps_the_id_that_it_brings(given: str, *, kept: bool) -> None:
    async with a_door() as door:
        answer = await door.client.get("/api/jobs/nothing", headers={"x-request-id": given})

    told = answer.headers["x-request-id"]
    assert (told == given) == kept
    assert assert_problem(answer, 404)["requestId"] == told


class Links(HTMLParser):
    """The anchors of a page, and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.hrefs: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.ids |= {told["id"]} if "id" in told else set()
        if tag == "a":
            self.hrefs.append(told["href"])
        elif tag in {"script", "link", "img", "iframe"}:
            self.loads.append(tag)


async def test_the_page_of_the_reference_tells_all_and_loads_nothing() -> None:
    async with a_door() as door:
        del door.client.headers["x-api-key"]
        page = await door.client.get("/docs")
        links = Links(page.text)
        answers = [await door.client.get(href) for href in set(links.hrefs) if href.startswith("/")]

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert links.loads == []
    assert [href for href in links.hrefs if href.startswith("#") and href[1:] not in links.ids] == []
    assert all(answer.status_code == 200 for answer in answers)
    for path, methods in DESCRIPTION["paths"].items():
        assert all(f"{method.upper()} {path}" in page.text for method in methods)
        assert all(f"#{route['operationId']}" in links.hrefs for route in methods.values())


@pytest.mark.parametrize("code", [kind.code for kind in problem_types()])
async def test_every_type_of_problem_has_a_page(code: str) -> None:
    async with a_door() as door:
        page = await door.client.get(f"/problems/{code}")
        unknown = await door.client.get("/problems/nothing")

    assert page.status_code == 200
    assert f"<code>{code}</code>" in page.text
    assert Links(page.text).loads == []
    assert_problem(unknown, 404)


def test_every_route_describes_its_problems_with_examples() -> None:
    validator = Draft202012Validator(DESCRIPTION["components"]["schemas"]["ProblemAnswer"] | {
        "components": DESCRIPTION["components"],
    })  # fmt: skip
    for path, methods in DESCRIPTION["paths"].items():
        for route in methods.values():
            problems = {status: told for status, told in route["responses"].items() if status >= "4"}
            assert {"401", "403", "500", "503", "default"} <= problems.keys() or not path.startswith("/api")
            assert "422" not in problems or "idempotency" in str(problems["422"])
            for told in problems.values():
                content = told["content"].get("application/problem+json", {})
                for example in content.get("examples", {}).values():
                    validator.validate(example["value"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_of_its_shape(name: str) -> None:
    schema = DESCRIPTION["components"]["schemas"][name]

    Draft202012Validator(schema | {"components": DESCRIPTION["components"]}).validate(EXAMPLES[name])

    assert schema["examples"] == [EXAMPLES[name]]


async def test_every_example_is_accepted() -> None:
    async with a_door() as door:
        job = await door.made("/api/jobs", EXAMPLES["JobDocument"])
        endpoint = await door.made(f"/api/jobs/{job['id']}/endpoints", EXAMPLES["EndpointDocument"])
        by_id = f"/api/endpoints/{endpoint['id']}"
        asked = {
            "JobPatch": ("PATCH", f"/api/jobs/{job['id']}"),
            "EndpointPatch": ("PATCH", f"/api/jobs/{job['id']}/endpoints/{endpoint['id']}"),
            "IntervalHintDocument": ("POST", f"{by_id}/hints/interval"),
            "OneShotHintDocument": ("POST", f"{by_id}/hints/oneshot"),
            "DeferHintDocument": ("POST", f"{by_id}/hints/defer"),
            "PauseDocument": ("POST", f"{by_id}/pause"),
            "PreviewDocument": ("POST", "/api/preview"),
            "PolicyDocument": ("PUT", f"{by_id}/policy"),
            "BacktestDocument": ("POST", f"{by_id}/backtest"),
            "SimulationDocument": ("POST", "/api/simulate"),
        }
        answers = {
            name: await door.client.request(*route, json=EXAMPLES[name], headers={"If-Match": "*"})
            for name, route in asked.items()
        }

    assert {name: answer.text for name, answer in answers.items() if not answer.is_success} == {}
    for_who_runs_it = {"EgressDocument", "RetentionDocument", "TermsDocument"}
    assert {*asked, "JobDocument", "EndpointDocument", *for_who_runs_it} == EXAMPLES.keys()


def test_every_body_that_a_route_takes_is_one_that_is_described() -> None:
    shapes = DESCRIPTION["components"]["schemas"]
    for methods in DESCRIPTION["paths"].values():
        for route in methods.values():
            for content in route.get("requestBody", {}).get("content", {}).values():
                schema = content["schema"]
                (named,) = [option for option in schema.get("anyOf", [schema]) if "$ref" in option]
                assert re.fullmatch(r"#/components/schemas/\w+(Document|Patch)", named["$ref"])
                assert shapes[named["$ref"].rpartition("/")[2]]["description"]
