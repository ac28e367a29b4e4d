"""What the application says of itself covers the contract: whatever is valid there is valid here, and answered so."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.contract import CONTRACT, as_json_schema
from tests.api.door import an_app
from tests.control.world import a_world

DESCRIPTION: dict[str, Any] = an_app(a_world()).openapi()
REFUSED_ANYWAY = {"POST /api/endpoints/{id}/hints/interval": ("intervalMs",)}
"""Less than a second is in the schema of the contract, and answered 500 by whoever wrote it."""
NEVER_TOLD = {"meta"}
"""Optional, and not used."""
LOWER, UPPER = ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")


def route_of(route: str) -> dict[str, Any]:
    method, path = route.split()
    found: dict[str, Any] = DESCRIPTION["paths"][path][method.lower()]
    return found


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """*schema*, or what it refers to."""
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = DESCRIPTION["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def options(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """What *schema* allows, one by one."""
    return [option for part in schema.get("anyOf", [schema]) for option in _told(resolved(part))]


def _told(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "anyOf" in schema:
        yield from options(schema)
        return
    types = schema.get("type")
    for each in types if isinstance(types, list) else [types]:
        yield {**schema, "type": each}


def narrower(ours: dict[str, Any], theirs: dict[str, Any], where: str) -> Iterator[str]:
    """Where *ours* refuses what *theirs* allows."""
    theirs = as_json_schema(theirs)
    for wanted in options(theirs):
        kinds = {wanted["type"], "number" if wanted["type"] == "integer" else wanted["type"], None}
        fitting = [option for option in options(ours) if option["type"] in kinds]
        if not fitting:
            yield f"{where}: {wanted['type']} is not taken"
        elif all(_excludes(option, wanted) for option in fitting):
            yield f"{where}: {fitting} is narrower than {wanted}"


def _excludes(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    chosen = set(ours.get("enum", ()))
    if chosen and not set(theirs.get("enum", chosen | {object()})) <= chosen:
        return True
    least, most = (_bound(ours, names) for names in (LOWER, UPPER))
    their_least, their_most = (_bound(theirs, names) for names in (LOWER, UPPER))
    # In whole numbers more than 0 is 1 at least.
    too_high = least is not None and (their_least is None or least > their_least + ("exclusiveMinimum" in theirs))
    return too_high or (most is not None and their_most is not None and most < their_most)


def _bound(schema: dict[str, Any], names: tuple[str, str]) -> float | None:
    return next((schema[name] for name in names if name in schema), None)


def missing(ours: dict[str, Any], theirs: dict[str, Any], where: str) -> Iterator[str]:
    """What *theirs* promises and an answer after *ours* may lack."""
    theirs = as_json_schema(theirs)
    ours_told = [option for option in options(ours) if option["type"] != "null"] or [{}]
    ours = ours_told[0]
    kinds = {option.get("type") for option in ours_told}
    wanted = {option.get("type") for option in options(theirs)}
    # What has no type may be anything, and every integer is a number.
    if None not in wanted and not {None, "integer" if "number" in wanted else None} & kinds and not kinds & wanted:
        yield f"{where} is {kinds}, not {wanted}"
    for name in theirs.get("required", ()):
        if name not in ours.get("required", ()):
            yield f"{where}.{name} is not always there"
    for name, part in theirs.get("properties", {}).items():
        if name not in ours.get("properties", {}):
            if name not in NEVER_TOLD:
                yield f"{where}.{name} is never there"
        else:
            yield from missing(ours["properties"][name], part, f"{where}.{name}")
    if "items" in theirs:
        yield from missing(ours.get("items", {}), theirs["items"], f"{where}[]")


@pytest.mark.parametrize("route", CONTRACT)
def test_every_request_of_the_contract_is_taken(route: str) -> None:
    told, wanted = route_of(route), CONTRACT[route]
    query = {each["name"]: each for each in told.get("parameters", ()) if each["in"] == "query"}
    faults = [
        fault
        for name, schema in wanted.get("query", {}).items()
        if name in query
        for fault in narrower(query[name]["schema"], schema, name)
    ]
    if "request" in wanted:
        (content,) = told["requestBody"]["content"].values()
        body = resolved(content["schema"])
        faults += [
            f"{name} is demanded" for name in {*body.get("required", ())} - {*wanted["request"].get("required", ())}
        ]
        for name, schema in wanted["request"]["properties"].items():
            faults += narrower(body["properties"][name], schema, name)

    assert [fault for fault in faults if not fault.startswith(REFUSED_ANYWAY.get(route, ("-",)))] == []
    assert {*wanted.get("query", {})} - {*query} <= {"endpointId"}  # The path says it already; it is passed over.
    assert [name for name, each in query.items() if each.get("required") and name not in wanted["query"]] == []


@pytest.mark.parametrize("route", CONTRACT)
def test_every_answer_is_one_that_the_contract_promises(route: str) -> None:
    told, wanted = route_of(route)["responses"], CONTRACT[route]["responses"]
    faults: list[str] = []
    for status, schema in wanted.items():
        assert status in told, f"{status} is not described"
        if status.startswith("2") and schema:
            (content,) = told[status]["content"].values()
            faults += missing(content["schema"], schema, status)

    assert faults == []
    really = {status for status, answer in told.items() if "validate_only" not in answer["description"]}
    assert {each for each in really if each.startswith("2")} == {each for each in wanted if each.startswith("2")}
