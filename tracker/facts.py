"""What a monitor states: every type of fact, as one union discriminated by `type` (DOMAIN §4).

The posted fact is the stored fact. A fact is frozen, refuses unknown fields and knows nothing of ids, versions or the
time of recording: those are in its envelope, `tracker.event.Event`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, TypeAdapter, field_validator, model_validator
from pydantic_core import PydanticCustomError

from tracker.comparison import Direction
from tracker.values import (
    Code,
    Codes,
    Day,
    EventReference,
    Figure,
    Group,
    Kind,
    MemberVerdict,
    Nature,
    OneLine,
    PartialDate,
    Party,
    Precision,
    QuantityOrWords,
    Quote,
    Rank,
    RecordedAs,
    Sha256,
    Slug,
    Source,
    Stage,
    Stance,
    Text,
    Trajectory,
    Url,
    Value,
    Window,
    last_day,
)

MAX_FACT_BYTES = 48 * 1024
"""The largest fact that is recorded, as JSON in UTF-8."""


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


class PledgeMade(StatedFact):
    """Opens the stream: a public promise with a checkable outcome."""

    type: Literal["PledgeMade"]
    title: OneLine
    pledgor: Party
    beneficiary: Party | None = None
    kind: Kind
    target: QuantityOrWords | None = None
    required_stage: Stage | None = None
    window: Window | None = None
    direction: Direction = "up"
    group: Group | None = None
    part_of: Slug | None = None
    measurable: Annotated[bool, Field(strict=True)] = True
    measurable_note: Text | None = None
    tags: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        _must_be_firm(self.required_stage)
        if len(set(self.tags)) != len(self.tags):
            raise PydanticCustomError("tags", "a tag is given twice")
        return self


class PledgeReaffirmed(StatedFact):
    """The promise said again: no new money, ever."""

    type: Literal["PledgeReaffirmed"]


class PledgeRevised(StatedFact):
    """The promise itself changed; what it was before stays visible."""

    type: Literal["PledgeRevised"]
    title: OneLine | None = None
    target: QuantityOrWords | None = None
    window: Window | None = None
    required_stage: Stage | None = None
    group: Group | None = None
    reason: Text

    @model_validator(mode="after")
    def _revises_something(self) -> Self:
        if not any((self.title, self.target, self.window, self.required_stage, self.group)):
            problem = "a revision changes at least one of title, target, window, required_stage and group"
            raise PydanticCustomError("revision", problem)
        _must_be_firm(self.required_stage)
        return self


class PledgeWithdrawn(StatedFact):
    """The promise is taken back."""

    type: Literal["PledgeWithdrawn"]
    reason: Text


class PledgeSuperseded(StatedFact):
    """Another pledge takes the place of this one."""

    type: Literal["PledgeSuperseded"]
    by: Slug


def _must_explain_a_fall(figure: Figure | None, reason: str | None) -> None:
    if figure is not None and figure.basis == "increment" and figure.quantity.value < 0 and reason is None:
        raise PydanticCustomError("reason", "a negative increment (returned money) needs a 'reason'")


class ProgressReported(StatedFact):
    """A reported figure."""

    type: Literal["ProgressReported"]
    figure: Figure
    reason: Text | None = None

    @model_validator(mode="after")
    def _explains_a_fall(self) -> Self:
        _must_explain_a_fall(self.figure, self.reason)
        return self


class Claim(StatedFact):
    """An asserted claim: its figure counts like a progress report, final unless it says otherwise."""

    figure: Figure | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _explains_a_fall(self) -> Self:
        _must_explain_a_fall(self.figure, self.reason)
        return self


class PledgeMet(Claim):
    """Somebody says the pledge is met."""

    type: Literal["PledgeMet"]


class PledgeExceeded(Claim):
    """Somebody says the pledge is exceeded."""

    type: Literal["PledgeExceeded"]


class PledgeMissed(Claim):
    """Somebody says the pledge is missed; without a figure it is an admission."""

    type: Literal["PledgeMissed"]


class MemberReported(StatedFact):
    """One member's result; its figure is the member's series, never the group's."""

    type: Literal["MemberReported"]
    member: Code
    verdict: MemberVerdict
    figure: Figure | None = None
    nature: Nature = "actual"
    reason: Text | None = None


TallyCount = Annotated[int, Field(ge=0, le=100_000, strict=True)] | QuantityOrWords


class TallyReported(StatedFact):
    """ "22 of 32", with or without the list."""

    type: Literal["TallyReported"]
    met: TallyCount | None = None
    not_met: TallyCount | None = None
    not_applicable: TallyCount | None = None
    total: TallyCount | None = None
    members_met: Codes | None = None
    members_not_met: Codes | None = None
    nature: Nature = "actual"

    @model_validator(mode="after")
    def _counts_something(self) -> Self:
        if self.met is None and self.not_met is None and self.members_met is None and self.members_not_met is None:
            raise PydanticCustomError("tally", "a tally says how many, or which, met or did not")
        for count, members in ((self.met, self.members_met), (self.not_met, self.members_not_met)):
            if members is not None and len(set(members)) != len(members):
                raise PydanticCustomError("tally", "a member is named twice")
            if isinstance(count, int) and members is not None and len(members) != count:
                raise PydanticCustomError("tally", "the list and the count differ")
        if set(self.members_met or ()) & set(self.members_not_met or ()):
            raise PydanticCustomError("tally", "a member both met and did not")
        return self


class ShareReported(StatedFact):
    """Burden sharing: "more than half from European Allies and Canada"."""

    type: Literal["ShareReported"]
    subset: OneLine
    share: QuantityOrWords
    of: EventReference | None = None

    @model_validator(mode="after")
    def _is_a_share(self) -> Self:
        if not self.share.unit.startswith("percent:") or self.share.value < 0:
            raise PydanticCustomError("share", 'a share is a percentage, such as "more than half"')
        return self


class MilestoneFact(StatedFact):
    """About a named step; `due` is the day by which it is due, as precisely as the source has it."""

    milestone: OneLine
    due: PartialDate | None = None


class MilestoneScheduled(MilestoneFact):
    """A named step, with the day by which it is due as precisely as the source has it."""

    type: Literal["MilestoneScheduled"]


class MilestoneReached(MilestoneFact):
    """A named step is reached, or partly reached."""

    type: Literal["MilestoneReached"]
    partly: Annotated[bool, Field(strict=True)] = False


class MilestoneMissed(MilestoneFact):
    """A named step was not reached."""

    type: Literal["MilestoneMissed"]
    partly: Annotated[bool, Field(strict=True)] = False


class StatementMade(StatedFact):
    """Talk: changes no figure. A claimed trajectory is shown beside ours, with its speaker."""

    type: Literal["StatementMade"]
    stance: Stance | None = None
    trajectory: Trajectory | None = None


class FigureRestated(StatedFact):
    """The source changed its figure."""

    type: Literal["FigureRestated"]
    event: EventReference
    figure: Figure
    reason: Text


class StatementRetracted(StatedFact):
    """The speaker or the source took it back."""

    type: Literal["StatementRetracted"]
    event: EventReference
    reason: Text


class EventCorrected(RecordKeepingFact):
    """Our record was wrong: an RFC 7386 merge patch of the fact's fields, checked as the fact is."""

    type: Literal["EventCorrected"]
    event: EventReference
    changes: Annotated[dict[str, JsonValue], Field(min_length=1)]
    reason: Text

    @field_validator("changes")
    @classmethod
    def _keeps_the_type(cls, changes: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if "type" in changes:
            raise PydanticCustomError("changes", "a correction keeps the type; void the event and record it anew")
        return changes


class EventVoided(RecordKeepingFact):
    """Our record should not have been: wrong pledge, duplicate or test."""

    type: Literal["EventVoided"]
    event: EventReference
    reason: Text
    recorded_as: RecordedAs | None = None


class FigureRanked(RecordKeepingFact):
    """A reviewer settles which figure counts."""

    type: Literal["FigureRanked"]
    event: EventReference
    rank: Rank
    reason: Text


class SourceCaptured(RecordKeepingFact):
    """The proof that the source said so."""

    type: Literal["SourceCaptured"]
    event: EventReference
    sha256: Sha256
    archive_url: Url | None = None
    media_type: Annotated[str, Field(max_length=127, pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$")] | None = None
    bytes: Annotated[int, Field(ge=0, le=10**12, strict=True)] | None = None


class AssessmentIssued(RecordKeepingFact):
    """A verdict under a named rubric, beside the status."""

    type: Literal["AssessmentIssued"]
    rating: OneLine
    rubric: OneLine
    rubric_version: OneLine
    reasoning: Text


AnyFact = (
    PledgeMade
    | PledgeReaffirmed
    | PledgeRevised
    | PledgeWithdrawn
    | PledgeSuperseded
    | ProgressReported
    | PledgeMet
    | PledgeExceeded
    | PledgeMissed
    | MemberReported
    | TallyReported
    | ShareReported
    | MilestoneScheduled
    | MilestoneReached
    | MilestoneMissed
    | StatementMade
    | FigureRestated
    | StatementRetracted
    | EventCorrected
    | EventVoided
    | FigureRanked
    | SourceCaptured
    | AssessmentIssued
)
"""The union of all types of fact."""

FACT_ADAPTER: TypeAdapter[AnyFact] = TypeAdapter(Annotated[AnyFact, Field(discriminator="type")])
"""Reads and checks one fact."""

FACT_TYPES: dict[str, type[AnyFact]] = {
    cls.model_fields["type"].annotation.__args__[0]: cls for cls in AnyFact.__args__
}
"""Stored names to classes: a stored name is looked up here, never imported."""

FACTS_WITH_FIGURE = (ProgressReported, PledgeMet, PledgeExceeded, PledgeMissed, MemberReported, FigureRestated)
"""Types whose facts carry a figure."""


def figure_in(fact: AnyFact) -> Figure | None:
    """The figure that the fact carries; None for types without one, and where none was given."""
    return fact.figure if isinstance(fact, FACTS_WITH_FIGURE) else None
