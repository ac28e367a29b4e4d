"""Pages for people, made of the application's own description. They load nothing and run nothing."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from cronicorn.api.problem_types import ProblemType, problem_types

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:#f4f4f2;padding:.75rem;"
    "overflow:auto}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.3rem .6rem;"
    "text-align:left;vertical-align:top}h3{margin-top:2rem}summary{cursor:pointer}a{color:#0b57a4}"
    "@media(prefers-color-scheme:dark){body{color:#e8e8e6;background:#161616}pre{background:#242424}a{color:#7db8ff}}"
)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEAD = (
    '<p>As a machine reads it: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1). Send an API key as '
    "<code>x-api-key</code>, or as a bearer token.</p>"
    '<p><a href="#routes">Routes</a> · <a href="#shapes">Shapes</a> · <a href="#problems">Problems</a></p>'
)
PAGE_FIELDS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; frame-ancestors 'none'",
}
"""The one style sheet is known by its digest."""


def reference_page(description: Mapping[str, Any]) -> str:
    """All routes with what they take and answer, all shapes, and all types of problems."""
    schemas = description.get("components", {}).get("schemas", {})
    parts = [
        f"<h1>{escape(description['info']['title'])} API</h1>",
        f"<p>{escape(description['info'].get('description', ''))}</p>",
        _HEAD,
        '<h2 id="routes">Routes</h2>',
        _contents(description["paths"]),
        *(_route(path, method, route) for path, methods in description["paths"].items() for method, route in
          methods.items()),
        '<h2 id="shapes">Shapes</h2>',
        *(_shape(name, schemas[name]) for name in sorted(schemas)),
        '<h2 id="problems">Problems</h2>',
        _problem_table(problem_types()),
    ]  # fmt: skip
    return _page("API", "\n".join(parts))


def problem_page(kind: ProblemType) -> str:
    """What a type of problem means, and what helps."""
    body = (
        f"<h1><code>{escape(kind.code)}</code></h1><p>{kind.status.value} {escape(kind.status.phrase)}. "
        f"{escape(kind.meaning)}</p><h2>What helps</h2><p>{_code(kind.remedy)}</p>"
        '<p><a href="/docs#problems">All problems</a></p>'
    )
    return _page(kind.code, body)


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cronicorn: {escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{body}</body></html>'
    )


def _contents(paths: Mapping[str, Mapping[str, Any]]) -> str:
    """Links to all routes, by what they are about."""
    found: dict[str, list[str]] = {}
    for path, methods in paths.items():
        for method, route in methods.items():
            link = f'<a href="#{escape(route["operationId"])}"><code>{escape(method.upper())} {escape(path)}</code></a>'
            found.setdefault(next(iter(route.get("tags", ())), "others"), []).append(link)
    rows = "".join(f"<tr><th>{escape(tag)}</th><td>{'<br>'.join(links)}</td></tr>" for tag, links in found.items())
    return f"<table>{rows}</table>"


def _route(path: str, method: str, route: Mapping[str, Any]) -> str:
    told = " ".join(str(route.get("description") or route.get("summary", "")).split())
    rows = [
        (each["name"], f"{each['in']}{', required' if each.get('required') else ''}", _type(each.get("schema", {})))
        for each in route.get("parameters", ())
    ]
    rows += [("body", "required", _type(_content(route["requestBody"])))] if "requestBody" in route else []
    answers = [
        f"{escape(status)} {_type(_content(answer))}" for status, answer in route["responses"].items() if status < "3"
    ]
    return (
        f'<h3 id="{escape(route["operationId"])}"><code>{escape(method.upper())} {escape(path)}</code></h3>'
        f"<p>{_code(told)}</p>{_table(rows)}<p>Answers {'; '.join(answers)}.</p>"
    )


def _shape(name: str, schema: Mapping[str, Any]) -> str:
    needed = schema.get("required", ())
    rows = [
        (each, "required" if each in needed else "", _type(part)) for each, part in schema.get("properties", {}).items()
    ]
    example = schema.get("examples", [None])[0]
    shown = f"<pre>{escape(json.dumps(example, indent=2, ensure_ascii=False))}</pre>" if example is not None else ""
    choices = ", ".join(f"<code>{escape(str(each))}</code>" for each in schema.get("enum", ()))
    told = _code(" ".join(str(schema.get("description", "")).split()))
    return f'<h3 id="{escape(name)}"><code>{escape(name)}</code></h3><p>{told} {choices}</p>{_table(rows)}{shown}'


def _problem_table(kinds: Iterable[ProblemType]) -> str:
    rows = "".join(
        f'<tr><td><a href="{kind.path}"><code>{escape(kind.code)}</code></a></td><td>{kind.status.value}</td>'
        f"<td>{escape(kind.meaning)}</td></tr>"
        for kind in kinds
    )
    return f"<table><tr><th>code</th><th>status</th><th>meaning</th></tr>{rows}</table>"


def _table(rows: Iterable[tuple[str, str, str]]) -> str:
    told = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(how)}</td><td>{kind}</td></tr>"
        for name, how, kind in rows
    )
    return f"<table>{told}</table>" if told else ""


def _content(part: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((content.get("schema", {}) for content in part.get("content", {}).values()), {})


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    kinds = schema.get("type", "")
    if kinds == "array":
        return f"list of {_type(schema.get('items', {}))}"
    named = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return escape(" ".join(part for part in (named, str(schema.get("format", ""))) if part))


def _code(text: str) -> str:
    """*text* with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
