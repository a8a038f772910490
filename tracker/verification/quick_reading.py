"""A quick look that is sure of most entries that they are well-formed, and leaves all others to `recorded_events`.

What it accepts, `recorded_events` accepts: the schema of facts is made from the same fields of the same models as the
decoders of `fact_decoding`, and is never wider. An entry that is written in the same bytes again, once it is read, has
each member once, no space, no line end and no half character.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import CoreSchema, SchemaValidator, core_schema, from_json, to_json

from tracker.fact_decoding import UPCASTS
from tracker.facts import FACT_TYPES
from tracker.units import SLUG

_DATE = r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"
_DECIMAL = r"^-?[0-9]{1,200}(\.[0-9]{1,200})?$"
_PLAIN: dict[Any, CoreSchema] = {
    str: core_schema.str_schema(strict=True),
    bool: core_schema.bool_schema(strict=True),
    int: core_schema.int_schema(strict=True),
    date: core_schema.chain_schema([core_schema.str_schema(strict=True, pattern=_DATE), core_schema.date_schema()]),
    Decimal: core_schema.str_schema(strict=True, pattern=_DECIMAL),
    NoneType: core_schema.none_schema(),
}


def _schema(hint: Any) -> CoreSchema:
    """What `fact_decoding` takes for a field of this type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _schema(arguments[0])
    if origin in (Union, UnionType):
        return core_schema.union_schema([_schema(kind) for kind in arguments], mode="left_to_right")
    if origin is Literal:
        return core_schema.literal_schema([word for word in arguments if isinstance(word, str)])
    if origin is tuple:
        return core_schema.list_schema(_schema(arguments[0]), strict=True)
    if origin is dict:
        return core_schema.dict_schema(strict=True)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _model_schema(hint)
    return _PLAIN[hint]


def _model_schema(model: type[BaseModel]) -> CoreSchema:
    fields = {
        name: core_schema.typed_dict_field(_schema(field.annotation), required=field.is_required())
        for name, field in model.model_fields.items()
    }
    return core_schema.typed_dict_schema(fields, extra_behavior="forbid", strict=True)


ID_PATTERN = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
"""The id of an event, a UUID of version 7."""

STAMP_PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
"""An instant in UTC with six decimals; whether there is such a day the pattern does not say."""

MAX_NAME_CHARACTERS = 1_000
"""The longest name in an envelope; a bundle holds no entry over 65,535 bytes anyway."""

MAX_VERSION = 2**63 - 1
"""The largest version that a store can hold."""


def _text(pattern: str) -> CoreSchema:
    return core_schema.str_schema(strict=True, pattern=f"^{pattern}$")


_NAME = core_schema.str_schema(strict=True, min_length=1, max_length=MAX_NAME_CHARACTERS)
_MEMBERS: dict[str, CoreSchema] = {
    "id": _text(ID_PATTERN),
    "pledge": _text(SLUG),
    "version": core_schema.int_schema(strict=True, ge=1, le=MAX_VERSION),
    "recorded_at": _text(STAMP_PATTERN),
    "recorded_by": _NAME,
    "fact": core_schema.tagged_union_schema(
        {name: _model_schema(model) for name, model in FACT_TYPES.items()}, discriminator="type"
    ),
}
_is_event = SchemaValidator(
    core_schema.typed_dict_schema(
        {name: core_schema.typed_dict_field(member) for name, member in _MEMBERS.items()}
        | {"proposal": core_schema.typed_dict_field(_NAME, required=False)},
        extra_behavior="forbid",
        strict=True,
    )
).isinstance_python
_OLDER = frozenset(upcast.type for upcast in UPCASTS)
"""The types of which there are older shapes: whether a fact has one is not asked here."""


def surely_well_formed(entry: bytes) -> dict[str, Any] | None:
    """The event of an entry that is well-formed beyond doubt; None if it has to be looked at closely."""
    try:
        event = from_json(entry, allow_inf_nan=False, cache_strings="keys")
        if not _is_event(event) or to_json(event) != entry:
            return None
        datetime.fromisoformat(event["recorded_at"])
    except ValueError:
        return None
    kind = event["fact"]["type"]
    return event if (kind == "PledgeMade") is (event["version"] == 1) and kind not in _OLDER else None
