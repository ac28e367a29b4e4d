"""The draft of a policy as a model writes it: typed arguments of one tool, and the document that they mean."""

from collections.abc import Mapping
from typing import Annotated, Literal, cast

from pydantic import BaseModel, ConfigDict, Field

from cronicorn.domain.json_body import Json
from cronicorn.domain.policy.policy import FIELDS_MAX, RULES_MAX
from cronicorn.domain.policy.reading import UNSUPPORTED_CHARACTERS_MAX, UNSUPPORTED_MAX, VERSION
from cronicorn.scheduler.tools import tool

TESTS_MAX = 20


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class DraftField(_Part):
    """A declared value. Give `path` for the answer's body, `http` for what HTTP says, `from` for others."""

    name: str
    path: Annotated[str | None, Field(description="As in the profile: $.checks[0].state")] = None
    type: Literal["number", "string", "bool", "instant"] | None = None
    http: Literal["status", "latency_ms", "failures", "retry_after", "ok"] | None = None
    origin: Annotated[str | None, Field(alias="from", description="sibling:NAME or rule:ID, with path")] = None
    enum: list[str] | None = None
    agg: Literal["avg", "min", "max", "delta", "slope_per_min", "count_true", "previous", "changed"] | None = None
    window: int | None = None
    max_age: str | None = None


class DraftAmount(_Part):
    """A length read from a field of seconds, or an instant."""

    field: str
    times: float | None = None
    default: str | None = None
    min: str | None = None
    max: str | None = None


class DraftAction(_Part):
    """Exactly one of interval, run_once, pause, defer, run, wake."""

    interval: str | DraftAmount | None = None
    run_once: Annotated[str | DraftAmount | None, Field(description="now, or a length from now")] = None
    pause: str | DraftAmount | None = None
    defer: str | DraftAmount | None = None
    run: Annotated[str | None, Field(description="Name of a sibling to run now")] = None
    wake: Annotated[str | None, Field(description="Name of a sibling to unpause and run")] = None
    sibling: str | None = None
    ttl: str | None = None
    renew: bool | None = None


class DraftLimit(_Part):
    """How often a rule may act."""

    count: int
    per: str
    then: DraftAction | None = None


class DraftRule(_Part):
    """When something holds, do something until something else does."""

    id: str
    why: str | None = None
    when: str
    until: Annotated[str | None, Field(description="By default what `when` is not; never true together with it")] = None
    confirm: Annotated[int | str | None, Field(alias="for", description="Answers in a row, or a length")] = None
    probe: Annotated[str | bool | None, Field(description="Interval while `for` is confirmed; false for none")] = None
    until_for: int | str | None = None
    hold: str | None = None
    cooldown: str | None = None
    max_fires: DraftLimit | None = None
    once_per: str | None = None
    priority: int | None = None
    action: DraftAction


class DraftExpectation(_Part):
    """What follows: an interval such as 30s, or the word baseline; or the kind of an action."""

    interval: str | None = None
    action: Literal["interval", "run_once", "pause", "defer", "wake"] | None = None


class DraftTest(_Part):
    """Values of fields, given so many times in a row, and what is expected in the end."""

    given: dict[str, str | float | bool]
    times: int = 1
    expect: DraftExpectation


@tool("Hand in the policy. Call this once, with everything.")
async def write_policy(
    *,
    fields: Annotated[list[DraftField], Field(max_length=FIELDS_MAX)],
    rules: Annotated[list[DraftRule], Field(max_length=RULES_MAX)],
    tests: Annotated[list[DraftTest], Field(max_length=TESTS_MAX)],
    unsupported: Annotated[
        list[Annotated[str, Field(max_length=UNSUPPORTED_CHARACTERS_MAX)]],
        Field(max_length=UNSUPPORTED_MAX, description="What no rule can say or the profile lacks"),
    ],
) -> dict[str, int]:
    """It only ends the session: what is done with the policy is for others to say."""
    return {"fields": len(fields), "rules": len(rules), "tests": len(tests), "unsupported": len(unsupported)}


def document_of(arguments: Mapping[str, object], description: str) -> dict[str, object]:
    """The document of the policy that the *arguments* of `write_policy` write. What it lacks, reading it tells."""
    written = _lean(cast("Json", dict(arguments)))
    assert isinstance(written, dict)
    declared = written.get("fields")
    fields: dict[str, Json] = {}
    for each in declared if isinstance(declared, list) else []:
        assert isinstance(each, dict)
        fields[str(each.get("name"))] = {key: value for key, value in each.items() if key != "name"}
    return {
        "version": VERSION,
        "description": description,
        "fields": fields,
        "rules": written.get("rules", []),
        "tests": written.get("tests", []),
        "unsupported": written.get("unsupported", []),
    }


def _lean(value: Json) -> Json:
    """*value* without members that are null: what a model leaves open, a person leaves out."""
    if isinstance(value, dict):
        return {key: _lean(item) for key, item in value.items() if item is not None}
    return [_lean(item) for item in value] if isinstance(value, list) else value
