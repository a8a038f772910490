"""The form of each type of fact, made from its model: every field of the model, each with its JSON pointer in the fact.

A field that is added to a model in `tracker` is in the form by itself; its words are in `api.pages.form_words`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from api.pages.form_words import FOLDED, OWN_LEGENDS, PARTS, QUANTITY_HINT, RARE, WORDS
from tracker.acting import ACTING
from tracker.facts import FACT_TYPES, TallyCount
from tracker.promise_facts import RecordKeepingFact
from tracker.values import Code, Codes, EventReference, PartialDate, QuantityOrWords, Quote, Text, Url

InputKind = Literal[
    "text", "long", "date", "select", "yes", "quantity", "count", "event", "number", "list", "url", "changes", "rows"
]


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the form. `pointer` is its place in the fact (RFC 6901); the JSON type follows from `kind`.

    Of rows, `#` in the pointers of `fields` stands for the number of the row.
    """

    pointer: str
    label: str
    kind: InputKind = "text"
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    value: str = ""
    """What it begins with; `today` in a date is the day on which the form is opened."""

    list: str = ""
    """The id of the list of suggestions of a text field: `members`, `milestones`, `conditions`, or none."""

    fields: tuple[FormField, ...] = ()
    """The fields of each row of `rows`."""

    can_be_none: bool = False
    """Whether an empty list says something: that there are none any more."""

    @property
    def id(self) -> str:
        """The id of the input."""
        return f"f{self.pointer.replace('/', '-')}"

    @property
    def is_rare(self) -> bool:
        """Whether it is folded below the others of its heading."""
        return _name(self.pointer) in RARE


@dataclass(frozen=True, slots=True)
class FormSection:
    """Fields under one legend; `rare` are those that are folded below the others. `part` is their place in the fact."""

    legend: str
    fields: tuple[FormField, ...]
    rare: tuple[FormField, ...] = ()
    is_folded: bool = False
    part: str = ""


COMMON = ("ProgressReported", "StatementMade", "PledgeReaffirmed", "PledgeMet", "PledgeExceeded", "PledgeMissed")
"""The types that are recorded most often, offered first."""

RECORD_KEEPING = tuple(name for name, cls in FACT_TYPES.items() if issubclass(cls, RecordKeepingFact))
"""Types of facts about our own record: nobody said them, and they need no source."""

ACTS_ON_EVENTS = frozenset(cls.__name__ for cls in ACTING)
"""Types of facts that act on another one."""

_FIRST = ("stated_on", "precision", "speaker")
_LAST = ("summary", "quote")
_TIER = "/source/tier"
_LISTS = {"/member": "members", "/milestone": "milestones", "/condition": "conditions"}
_BY_HINT: tuple[tuple[Any, InputKind], ...] = (
    (Text, "long"),
    (Quote, "long"),
    (Url, "url"),
    (EventReference, "event"),
    (PartialDate, "text"),
    (QuantityOrWords, "quantity"),
    (TallyCount, "count"),
    (Codes, "list"),
    (Code, "text"),
)
"""Kinds of the named types of `tracker.values`; any other type is looked into."""


@cache
def form_sections(fact_type: str) -> tuple[FormSection, ...]:
    """The form of a type of fact: who and when, its own fields, its parts, the source, and words."""
    names = list(FACT_TYPES[fact_type].model_fields)
    found: dict[str, list[FormField]] = {name: [] for name in names}
    for field in fields_of(fact_type):
        found[field.pointer.split("/")[1]].append(field)
    kept = fact_type in RECORD_KEEPING
    own = [name for name in names if name not in (*_FIRST, *_LAST, *PARTS)]
    own.sort(key=lambda name: (name != "event", name == "reason"))  # sorted() keeps the order of the rest
    first = ("stated_on",) if kept else _FIRST
    sections = [
        _section("Decided" if kept else "Who and when", first, found),
        _section(OWN_LEGENDS.get(fact_type, ""), own, found),
        *(_section(PARTS[name], (name,), found, part=name) for name in PARTS if name in found and name != "source"),
    ]
    if kept:
        sections.append(replace(_section("Beside it", (*_FIRST[1:], *_LAST), found), is_folded=True))
        sections.append(replace(_section("Source, if there is one", ("source",), found, part="source"), is_folded=True))
    else:
        sections.append(_section("Source", ("source",), found, part="source"))
        sections.append(_section("In words", _LAST, found))
    return tuple(section for section in sections if section.fields or section.rare)


def _section(
    legend: str, names: tuple[str, ...] | list[str], found: dict[str, list[FormField]], part: str = ""
) -> FormSection:
    fields = [field for name in names for field in found[name]]
    usual, rare = [f for f in fields if not f.is_rare], [f for f in fields if f.is_rare]
    is_optional = part == "figure" and not any(field.required for field in fields)
    named = f"{legend}, if one is given" if is_optional else legend
    return FormSection(named, tuple(usual), tuple(rare), part in FOLDED, part)


def fields_of(fact_type: str) -> tuple[FormField, ...]:
    """All fields of a type of fact, in the order of its model."""
    model = FACT_TYPES[fact_type]
    kept = fact_type in RECORD_KEEPING
    found = []
    for field in _fields(model, "", fact_type, needed=True):
        if kept and field.pointer == "/stated_on":
            field = replace(field, label="Decided on", hint="The day of the decision.", value="today")
        if kept and field.pointer.startswith("/source/"):
            field = replace(field, value="")
        found.append(field)
    return tuple(found)


def _fields(model: type[BaseModel], below: str, fact_type: str, *, needed: bool) -> Iterator[FormField]:
    """The fields of a model below a pointer. A field is needed where the model needs it, and the model is needed."""
    hints = get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        pointer = f"{below}/{name}"
        if pointer == "/type":
            continue
        is_needed = needed and field.is_required()
        yield from _of_hint(hints[name], pointer, fact_type, is_needed)


def _of_hint(hint: Any, pointer: str, fact_type: str, needed: bool) -> Iterator[FormField]:
    """Raises: TypeError for a type that the form has no input for."""
    for named, kind in _BY_HINT:
        if hint == named:
            yield _field(pointer, kind, fact_type, needed)
            return
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType) and NoneType in arguments:
        rest = [one for one in arguments if one is not NoneType]
        yield from _of_hint(rest[0] if len(rest) == 1 else Union[tuple(rest)], pointer, fact_type, False)  # noqa: UP007
    elif origin is Annotated:
        yield from _of_hint(arguments[0], pointer, fact_type, needed)
    elif origin is tuple and isinstance(arguments[0], type) and issubclass(arguments[0], BaseModel):
        rows = tuple(_fields(arguments[0], f"{pointer}/#", fact_type, needed=True))
        yield replace(_field(pointer, "rows", fact_type, needed), fields=rows)
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        yield from _fields(hint, pointer, fact_type, needed=needed)
    else:
        kind, options = _plain(hint, origin, arguments)
        yield replace(_field(pointer, kind, fact_type, needed), options=options)


def _plain(hint: Any, origin: Any, arguments: tuple[Any, ...]) -> tuple[InputKind, tuple[tuple[str, str], ...]]:
    if origin is Literal:
        return "select", tuple((value, value.replace("_", " ")) for value in arguments)
    if hint is bool:
        return "yes", (("true", "yes"), ("false", "no"))
    if origin is tuple:
        return "list", ()
    if origin is dict:
        return "changes", ()
    kinds: dict[Any, InputKind] = {str: "text", Decimal: "text", date: "date", int: "number"}
    if hint not in kinds:
        raise TypeError(f"the form has no input for {hint}")
    return kinds[hint], ()


def _field(pointer: str, kind: InputKind, fact_type: str, needed: bool) -> FormField:
    name = _name(pointer)
    label, hint = WORDS.get(f"{fact_type}{name}") or WORDS.get(name) or (name.rpartition("/")[2], "")
    revises = fact_type == "PledgeRevised" and pointer.count("/") == 1
    return FormField(
        pointer,
        label,
        kind,
        hint or (QUANTITY_HINT if kind == "quantity" else ""),
        required=needed,
        value="media" if pointer == _TIER else "",
        list=_LISTS.get(pointer, ""),
        can_be_none=revises and (kind == "rows" or pointer == "/tags"),
    )


def _name(pointer: str) -> str:
    """A pointer without the numbers of rows."""
    return re.sub(r"/(#|[0-9]+)(?=/|$)", "", pointer)
