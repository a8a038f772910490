"""What a monitor states: every type of fact, as one union discriminated by `type` (DOMAIN §4).

The posted fact is the stored fact. A fact is frozen, refuses unknown fields and knows nothing of ids, versions or the
time of recording: those are in its envelope, `tracker.event.Event`. The facts about the promise itself, and what every
fact has, are in `tracker.promise_facts`.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, TypeAdapter, field_validator, model_validator
from pydantic_core import PydanticCustomError

from tracker.promise_facts import ConditionReported as ConditionReported
from tracker.promise_facts import Fact as Fact
from tracker.promise_facts import PledgeMade as PledgeMade
from tracker.promise_facts import PledgeReaffirmed as PledgeReaffirmed
from tracker.promise_facts import PledgeRevised as PledgeRevised
from tracker.promise_facts import PledgeSuperseded as PledgeSuperseded
from tracker.promise_facts import PledgeWithdrawn as PledgeWithdrawn
from tracker.promise_facts import RecordKeepingFact as RecordKeepingFact
from tracker.promise_facts import StatedFact as StatedFact
from tracker.values import (
    Code,
    Codes,
    EventReference,
    Figure,
    MemberVerdict,
    Nature,
    OneLine,
    PartialDate,
    QuantityOrWords,
    Rank,
    RecordedAs,
    Sha256,
    Stance,
    Text,
    Trajectory,
    Url,
)

MAX_FACT_BYTES = 48 * 1024
"""The largest fact that is recorded, as JSON in UTF-8."""


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
    """One member's result; its figure is the member's series, never the group's. `on` is when it was so."""

    type: Literal["MemberReported"]
    member: Code
    verdict: MemberVerdict
    on: PartialDate | None = None
    figure: Figure | None = None
    nature: Nature = "actual"
    reason: Text | None = None


TallyCount = Annotated[int, Field(ge=0, le=100_000, strict=True)] | QuantityOrWords


class TallyReported(StatedFact):
    """ "22 of 32", with or without the list. `on` is when it was so."""

    type: Literal["TallyReported"]
    met: TallyCount | None = None
    not_met: TallyCount | None = None
    not_applicable: TallyCount | None = None
    total: TallyCount | None = None
    members_met: Codes | None = None
    members_not_met: Codes | None = None
    on: PartialDate | None = None
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
    """A named step is reached, or partly reached; `on` is when."""

    type: Literal["MilestoneReached"]
    on: PartialDate | None = None
    partly: Annotated[bool, Field(strict=True)] = False


class MilestoneMissed(MilestoneFact):
    """A named step was not reached."""

    type: Literal["MilestoneMissed"]
    on: PartialDate | None = None
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
    | ConditionReported
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
