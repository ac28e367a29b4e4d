"""What a model wrote, made fit to be read, kept and sent back to it: valid Unicode throughout."""

import json
from dataclasses import fields, replace
from typing import Any

from pydantic_ai.messages import ModelResponse, ModelResponsePart, ToolCallPart


def in_unicode(response: ModelResponse) -> ModelResponse:
    """*response* with each lone surrogate written out as its escape, backslash, u and four digits.

    JSON may name half a character by an escape; no text that is encoded, stored or sent may hold one. Escaped anew, it
    makes arguments unreadable (RFC 8259 leaves what they mean open), and prose no worse.
    """
    return replace(response, parts=[_part(each) for each in response.parts])


def _part(part: ModelResponsePart) -> ModelResponsePart:
    changes: dict[str, Any] = {}
    for each in fields(part):
        value = getattr(part, each.name)
        if each.init and isinstance(value, str) and not _encodes(value):
            changes[each.name] = value.encode(errors="backslashreplace").decode()
    if isinstance(part, ToolCallPart) and isinstance(part.args, dict):
        written = json.dumps(part.args, ensure_ascii=False)
        if not _encodes(written):
            changes["args"] = written.encode(errors="backslashreplace").decode()
    return replace(part, **changes) if changes else part


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
