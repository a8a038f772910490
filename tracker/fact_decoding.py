"""Stored JSON as facts, decoded and never checked: what is recorded is read for ever (DOMAIN §3).

A decoder is made once from the fields of a model. It builds the object as `model_construct` does and asks no table, no
bound and no pattern, so that no new rule, table or library can refuse what stands on record. It raises Undecodable for
what this version has no place for: an unknown type of fact, field or word, a field that is not there, a value of
another JSON kind. A shape of an older version is changed into today's by UPCASTS before it is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel

from tracker.facts import FACT_TYPES, AnyFact

ModelT = TypeVar("ModelT", bound=BaseModel)
Decoder = Callable[[Any], Any]
"""From a JSON value to a field's value. Raises: Undecodable if this version has no place for the value."""

JsonObject = Mapping[str, Any]

_is_decimal = re.compile(r"-?[0-9]{1,200}(\.[0-9]{1,200})?").fullmatch


class Undecodable(Exception):
    """A stored value that this version has no place for. `place` is its path in the fact, "" for the whole."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem)
        self.problem, self.place = problem, place

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}" if self.place else self.problem

    def inside(self, name: str | int) -> Undecodable:
        """The same problem, seen from the value that has the place under this name."""
        return Undecodable(self.problem, f"{name}.{self.place}" if self.place else str(name))


class Upcast(NamedTuple):
    """How a stored shape of a type of fact becomes the next one.

    `type` is the stored name and `shape` counts the shapes that the type has had, from 1; `matches` says whether a
    stored fact of the type has this one. Both functions are given corrections of such facts, too (`EventCorrected`'s
    changes, a merge patch): any field may be missing then, or null.
    """

    type: str
    shape: int
    matches: Callable[[JsonObject], bool]
    change: Callable[[JsonObject], dict[str, Any]]


UPCASTS: tuple[Upcast, ...] = ()
"""Every older shape, in the order in which they were left. A shape MUST never be taken out of this table."""


def decode_fact(stored: object, upcasts: Sequence[Upcast] = UPCASTS) -> AnyFact:
    """The fact that a stored JSON value holds.

    Raises: Undecodable if this version cannot understand it.
    """
    if not isinstance(stored, dict):
        raise Undecodable("a fact is a JSON object")
    name = stored.get("type")
    stored = in_todays_shape(name, stored, upcasts)
    name = stored.get("type")
    model = FACT_TYPES.get(name) if isinstance(name, str) else None
    if model is None:
        raise Undecodable(f"this version knows no fact of type {_shown(name)}", "type")
    return cast(AnyFact, _model_decoder(model)(stored))


def in_todays_shape(name: object, stored: JsonObject, upcasts: Sequence[Upcast] = UPCASTS) -> JsonObject:
    """A stored fact of this type, or a stored merge patch of one, as it would be written today."""
    for upcast in upcasts:
        if name == upcast.type and upcast.matches(stored):
            stored = upcast.change(stored)
    return stored


def decode(model: type[ModelT], stored: JsonObject) -> ModelT:
    """The value that a JSON object holds, unchecked.

    Raises: Undecodable if the model has no place for it.
    """
    return cast(ModelT, _model_decoder(model)(stored))


@cache
def _model_decoder(model: type[BaseModel]) -> Decoder:
    fields = model.model_fields
    decoders = {name: _decoder(field.annotation) for name, field in fields.items()}
    # All fields in their order, so that what is written again has the order of what was posted.
    template = {n: None if f.is_required() else f.get_default(call_default_factory=True) for n, f in fields.items()}
    required = frozenset(name for name, field in fields.items() if field.is_required())
    unset: dict[Any, Any] = {"__pydantic_extra__": None, "__pydantic_private__": None}

    def decode_model(stored: Any) -> BaseModel:
        if not isinstance(stored, dict):
            raise Undecodable("a JSON object is wanted here")
        if not required <= stored.keys():
            raise Undecodable("this field is missing", min(required - stored.keys()))
        values = template.copy()
        for name, value in stored.items():
            try:
                values[name] = decoders[name](value)
            except Undecodable as wrong:
                raise wrong.inside(name) from None
            except KeyError:
                raise Undecodable("this version knows no such field", name) from None
        decoded = model.__new__(model)
        # As Pydantic puts back what was pickled: in half the time of model_construct, which looks for defaults again.
        decoded.__setstate__(unset | {"__dict__": values, "__pydantic_fields_set__": set(stored)})
        return decoded

    return decode_model


def _decoder(hint: Any) -> Decoder:
    """The decoder of a field's type.

    Raises: TypeError if no decoder is known for it: a fact has a field of a new kind, which needs one here.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _decoder(arguments[0])
    if origin in (Union, UnionType):
        return _first_of([_decoder(kind) for kind in arguments])
    if origin is Literal:
        return _one_of(frozenset(arguments))
    if origin is tuple:
        return _tuple_of(_decoder(arguments[0]))
    if origin is dict:
        return _of_kind(dict, "a JSON object")
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return _model_decoder(hint)
    found = _PLAIN.get(hint)
    if found is None:
        raise TypeError(f"no decoder is known for {hint}")
    return found


def _of_kind(kind: type, words: str) -> Decoder:
    def decode_plain(value: Any) -> Any:
        if value.__class__ is not kind:
            raise Undecodable(f"{words} is wanted here, not {_shown(value)}")
        return value

    return decode_plain


def _one_of(words: frozenset[Any]) -> Decoder:
    def decode_word(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            raise Undecodable(f"this version knows no {_shown(value)} here")
        return value

    return decode_word


def _tuple_of(item: Decoder) -> Decoder:
    def decode_tuple(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Undecodable(f"a JSON array is wanted here, not {_shown(value)}")
        decoded = []
        for index, one in enumerate(value):
            try:
                decoded.append(item(one))
            except Undecodable as wrong:
                raise wrong.inside(index) from None
        return tuple(decoded)

    return decode_tuple


def _first_of(decoders: Sequence[Decoder]) -> Decoder:
    """The value of the first decoder that takes it; the problem is that of the one that got furthest."""
    if len(decoders) == 2 and _decode_null in decoders:
        (other,) = (decoder for decoder in decoders if decoder is not _decode_null)
        return lambda value: None if value is None else other(value)

    def decode_any(value: Any) -> Any:
        problems: list[Undecodable] = []
        for decoder in decoders:
            try:
                return decoder(value)
            except Undecodable as wrong:
                problems.append(wrong)
        raise max(problems, key=lambda problem: len(problem.place))

    return decode_any


def _decode_null(value: Any) -> None:
    if value is not None:
        raise Undecodable("null is wanted here")


def _decode_date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise Undecodable(f"{_shown(value)} is no date") from None


def _decode_decimal(value: Any) -> Decimal:
    if not isinstance(value, str) or not _is_decimal(value):
        raise Undecodable(f"{_shown(value)} is no decimal")
    return Decimal(value)


def _shown(value: Any) -> str:
    """A value of a stored fact as a sentence quotes it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


_PLAIN: dict[Any, Decoder] = {
    str: _of_kind(str, "a JSON string"),
    bool: _of_kind(bool, "true or false"),
    int: _of_kind(int, "a whole number"),
    date: _decode_date,
    Decimal: _decode_decimal,
    NoneType: _decode_null,
}
