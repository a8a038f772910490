"""What every fact has, and the facts about the promise itself: made, revised, reaffirmed, withdrawn (DOMAIN §4)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self, cast

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from tracker.comparison import Direction
from tracker.promises import (
    Baseline,
    Condition,
    ConditionReport,
    Instalment,
    JointParty,
    Recurrence,
    must_be_consistent,
)
from tracker.values import (
    Day,
    Group,
    Kind,
    OneLine,
    Party,
    Precision,
    QuantityOrWords,
    Quote,
    Slug,
    Source,
    Stage,
    Text,
    Value,
    Window,
    last_day,
)

Instalments = Annotated[tuple[Instalment, ...], Field(max_length=200)]
Conditions = Annotated[tuple[Condition, ...], Field(max_length=50)]
JointParties = Annotated[tuple[JointParty, ...], Field(max_length=200)]
Tags = Annotated[tuple[Slug, ...], Field(max_length=50)]


class Fact(Value):
    """What every fact has: its type, when it was said, and by whom."""

    type: str
    stated_on: Day
    precision: Precision = "day"
    speaker: Party | None = None
    summary: Text | None = None
    quote: Quote | None = None
    source: Source | None = None

    @property
    def in_force_on(self) -> date:
        """The first day on which a replay may know it: the last day that `stated_on` can mean."""
        return self.stated_on if self.precision == "day" else last_day(self.stated_on, self.precision)


class StatedFact(Fact):
    """A statement made in the world: it has a source."""

    source: Source


class RecordKeepingFact(Fact):
    """Record-keeping: `stated_on` is the day of the decision, a source is not needed."""


def _must_be_firm(required_stage: Stage | None) -> None:
    if required_stage == "unspecified":
        raise PydanticCustomError("required_stage", "a required stage is one of the firm ones, not 'unspecified'")


def _must_have_one_time(window: Window | None, recurrence: Recurrence | None) -> None:
    if window is not None and recurrence is not None:
        raise PydanticCustomError("recurrence", "a recurrence stands instead of a window: give one of the two")


class PledgeMade(StatedFact):
    """Opens the stream: a public promise with a checkable outcome."""

    type: Literal["PledgeMade"]
    title: OneLine
    pledgor: Party
    beneficiary: Party | None = None
    kind: Kind
    target: QuantityOrWords | None = None
    baseline: Baseline | None = None
    required_stage: Stage | None = None
    window: Window | None = None
    recurrence: Recurrence | None = None
    instalments: Instalments = ()
    conditions: Conditions = ()
    direction: Direction = "up"
    group: Group | None = None
    joint: JointParties = ()
    part_of: Slug | None = None
    measurable: Annotated[bool, Field(strict=True)] = True
    measurable_note: Text | None = None
    tags: Tags = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _must_be_firm(self.required_stage)
        _must_have_one_time(self.window, self.recurrence)
        must_be_consistent(self.conditions, self.joint, self.tags)
        return self


class PledgeReaffirmed(StatedFact):
    """The promise said again: no new money, ever; after a withdrawal the pledge is active again."""

    type: Literal["PledgeReaffirmed"]


REVISABLE = (
    "title",
    "target",
    "baseline",
    "window",
    "recurrence",
    "instalments",
    "conditions",
    "required_stage",
    "group",
    "pledgor",
    "beneficiary",
    "joint",
    "tags",
)
"""What a revision may change."""


def _without_null(schema: JsonDict) -> None:
    """Say in the schema that null is refused, and that what is left out has no default: it stays as it is."""
    properties = cast("dict[str, dict[str, Any]]", schema["properties"])
    for name in REVISABLE:
        field = properties[name]
        field.pop("default", None)
        first, *more = [branch for branch in field.pop("anyOf") if branch != {"type": "null"}]
        field |= {"anyOf": [first, *more]} if more else first


class PledgeRevised(StatedFact):
    """The promise itself changed; what it was before stays visible.

    A field that is not given stays as it is; an empty list removes what was there; null is refused.
    """

    model_config = ConfigDict(json_schema_extra=_without_null)

    type: Literal["PledgeRevised"]
    title: OneLine | None = None
    target: QuantityOrWords | None = None
    baseline: Baseline | None = None
    window: Window | None = None
    recurrence: Recurrence | None = None
    instalments: Instalments | None = None
    conditions: Conditions | None = None
    required_stage: Stage | None = None
    group: Group | None = None
    pledgor: Party | None = None
    beneficiary: Party | None = None
    joint: JointParties | None = None
    tags: Tags | None = None
    reason: Text

    @field_validator(*REVISABLE, mode="before")
    @classmethod
    def _is_not_null(cls, given: Any) -> Any:
        if given is None:
            raise PydanticCustomError("null", "leave out what stays, and give [] for a list that is no more")
        return given

    @model_validator(mode="after")
    def _revises_something(self) -> Self:
        if not self.model_fields_set.intersection(REVISABLE):
            problem = "a revision changes at least one of {names}"
            raise PydanticCustomError("revision", problem, {"names": ", ".join(REVISABLE)})
        _must_be_firm(self.required_stage)
        _must_have_one_time(self.window, self.recurrence)
        must_be_consistent(self.conditions, self.joint, self.tags)
        return self


class ConditionReported(StatedFact):
    """What became of a condition."""

    type: Literal["ConditionReported"]
    condition: Slug
    state: ConditionReport


class PledgeWithdrawn(StatedFact):
    """The promise is taken back."""

    type: Literal["PledgeWithdrawn"]
    reason: Text


class PledgeSuperseded(StatedFact):
    """Another pledge takes the place of this one."""

    type: Literal["PledgeSuperseded"]
    by: Slug
