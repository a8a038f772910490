"""The parts that JSON schemas of responses are made of: texts, counts, days, lists, objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from api.http.contract import Schema
from tracker.values import STAGES

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
DATE: Schema = {"type": "string", "format": "date"}
INSTANT: Schema = {"type": "string", "format": "date-time"}
DECIMAL_STRING: Schema = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]{1,18})?$"}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
EVENT_UUID: Schema = {"type": "string", "format": "uuid"}
STAGE: Schema = {"enum": [*STAGES, "unspecified"]}


def or_null(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(items: Schema) -> Schema:
    """A list of items of one schema."""
    return {"type": "array", "items": items}


def one_of(literal: Any) -> Schema:
    """One of the words of a Literal."""
    return {"enum": list(get_args(literal))}


def object_of(needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, about: str = "") -> Schema:
    """An object with members that are always there, and others that may be; no members beside them."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {**needed, **(optional or {})},
        "required": list(needed),
        "additionalProperties": False,
    }
    return {"description": about, **schema} if about else schema
