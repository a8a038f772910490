"""The form of each type of fact: its fields, each with its JSON pointer in the fact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from api.resources.names import KINDS
from tracker.acting import ACTING
from tracker.facts import FACT_TYPES
from tracker.promise_facts import RecordKeepingFact
from tracker.promises import ConditionReport
from tracker.values import Basis, MemberVerdict, Nature, Precision, Rank, Stage, Stance, Tier, Trajectory

InputKind = Literal["text", "long", "date", "select", "quantity", "event", "number", "check", "list", "json", "url"]


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the form. `pointer` is its place in the fact (RFC 6901); the JSON type follows from `kind`."""

    pointer: str
    label: str
    kind: InputKind = "text"
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    value: str = ""
    list: str = ""
    """The id of the list of suggestions of a text field: `members`, `milestones`, or none."""

    @property
    def id(self) -> str:
        """The id of the input."""
        return f"f{self.pointer.replace('/', '-')}"


@dataclass(frozen=True, slots=True)
class FormSection:
    """Fields under one legend."""

    legend: str
    fields: tuple[FormField, ...]


def _options(literal: Any) -> tuple[tuple[str, str], ...]:
    """The choices of a literal type: (value, words)."""
    return tuple((value, value.replace("_", " ")) for value in get_args(literal))


def _needed(field: FormField) -> FormField:
    """The same field, but it must be filled in."""
    return replace(field, required=True)


_WHEN = (
    FormField("/stated_on", "Said on", "date", "The day it was said in the world.", required=True),
    FormField(
        "/precision", "As precise as", "select", "When the source gives no day.", _options(Precision), value="day"
    ),
)
_SPEAKER = (
    FormField("/speaker/name", "Speaker", hint="Who said it."),
    FormField("/speaker/code", "Speaker's code", hint="A country code or a slug."),
)
_SOURCE = FormSection(
    "Source",
    (
        FormField("/source/publisher", "Publisher", required=True),
        FormField("/source/tier", "Kind of source", "select", "", _options(Tier), required=True, value="media"),
        FormField("/source/title", "Title"),
        FormField("/source/url", "Address", "url"),
        FormField("/source/published_on", "Published on", hint="As precise as it is known: 2025-02-12, 2025-02, 2025."),
        FormField("/source/locator", "Place in it", hint="Such as: paragraph 9."),
        FormField("/source/origin", "What it quotes", hint="One press conference in two newspapers is one origin."),
    ),
)
_WORDS = FormSection(
    "In words",
    (
        FormField("/summary", "Summary", "long", "In your own words."),
        FormField("/quote", "Quote", "long", "Theirs, at most 300 characters."),
    ),
)
_REASON = FormField("/reason", "Reason", "long", required=True)
_QUANTITY = "In words: “over €50bn”, “at least 2m count:trees”, “2 % of GDP”."
_TARGET = FormField("/target", "Target", "quantity", _QUANTITY)
_WINDOW = (
    FormField("/window/start", "Counts from", "date"),
    FormField("/window/end", "Due, earliest reading", "date"),
    FormField("/window/latest", "Due, latest reading", "date", "Overdue only after this day."),
    FormField("/window/text", "Deadline in the source's words"),
)
_STAGE = FormField(
    "/required_stage", "Required stage", "select", "", tuple(o for o in _options(Stage) if o[0] != "unspecified")
)
_FIGURE = (
    FormField("/figure/quantity", "Figure", "quantity", _QUANTITY),
    FormField(
        "/figure/basis", "Basis", "select", "A running total, new since the last report, or a rate.", _options(Basis)
    ),
    FormField("/figure/stage", "Stage", "select", "How firm it is.", _options(Stage)),
    FormField("/figure/nature", "Nature", "select", "A projection never proves delivery.", _options(Nature)),
    FormField("/figure/period/start", "Covers from", "date"),
    FormField("/figure/period/end", "Covers to", "date"),
    FormField("/figure/attribution", "Of whom", hint="All, if nothing else is said."),
    FormField("/figure/final", "This is the final figure", "check"),
)
_OWN_FIGURE = FormSection("Figure", (_needed(_FIGURE[0]), _needed(_FIGURE[1]), *_FIGURE[2:]))
_IF_FIGURE = FormSection("Figure, if one is given", _FIGURE)
_MILESTONE = (
    FormField("/milestone", "Milestone", required=True, list="milestones"),
    FormField("/due", "Due", hint="As precise as it is known: 2025-02-13, 2025-Q1, 2025."),
)
_EVENT = FormField("/event", "Which event", "event", required=True)

_OWN_SECTIONS: dict[str, tuple[FormSection, ...]] = {
    "PledgeMade": (
        FormSection(
            "The promise",
            (
                FormField("/title", "Title", required=True),
                FormField("/pledgor/name", "Who promises", required=True),
                FormField("/pledgor/code", "Their code", hint="A country code or a slug."),
                FormField("/beneficiary/name", "To whom"),
                FormField("/beneficiary/code", "Their code"),
                FormField("/kind", "Kind", "select", "", tuple((k, k) for k in KINDS), required=True),
                _TARGET,
                _STAGE,
                *_WINDOW,
                FormField("/tags", "Tags", "list", "Separated by commas."),
                FormField("/part_of", "Part of", hint="The slug of the pledge that this one is a part of."),
                FormField("/group", "Group", "json", 'As JSON: {"rule": "each_member", "members": ["BE", "NL"]}'),
            ),
        ),
    ),
    "PledgeRevised": (FormSection("What changed", (FormField("/title", "Title"), _TARGET, _STAGE, *_WINDOW, _REASON)),),
    "ConditionReported": (
        FormSection(
            "The condition",
            (
                FormField("/condition", "Condition", hint="Its name in the pledge.", required=True),
                FormField("/state", "It is", "select", "", _options(ConditionReport), required=True),
            ),
        ),
    ),
    "PledgeWithdrawn": (FormSection("Withdrawn", (_REASON,)),),
    "PledgeSuperseded": (
        FormSection("Superseded", (FormField("/by", "By which pledge", hint="Its slug.", required=True),)),
    ),
    "ProgressReported": (
        replace(_OWN_FIGURE, fields=(*_OWN_FIGURE.fields, FormField("/reason", "Reason", hint="If money came back."))),
    ),
    "PledgeMet": (_IF_FIGURE,),
    "PledgeExceeded": (_IF_FIGURE,),
    "PledgeMissed": (_IF_FIGURE,),
    "MemberReported": (
        FormSection(
            "The member",
            (
                FormField("/member", "Member", hint="Its code.", required=True, list="members"),
                FormField("/verdict", "Result", "select", "", _options(MemberVerdict), required=True),
                FormField("/reason", "Reason", "long"),
            ),
        ),
        _IF_FIGURE,
    ),
    "TallyReported": (
        FormSection(
            "The count",
            (
                FormField("/met", "Met", "number"),
                FormField("/not_met", "Not met", "number"),
                FormField("/not_applicable", "Does not apply", "number"),
                FormField("/total", "Of how many", "number"),
                FormField("/members_met", "Who met it", "list", "Codes, separated by commas."),
                FormField("/members_not_met", "Who did not", "list", "Codes, separated by commas."),
                FormField(
                    "/nature", "Nature", "select", "A projected tally is shown, never counted.", _options(Nature)
                ),
            ),
        ),
    ),
    "ShareReported": (
        FormSection(
            "The share",
            (
                FormField("/subset", "Of whom", required=True),
                FormField(
                    "/share", "Share", "quantity", "In words: “more than half of security assistance”.", required=True
                ),
                FormField("/of", "Of which figure", "event"),
            ),
        ),
    ),
    "MilestoneScheduled": (FormSection("Milestone", _MILESTONE),),
    "MilestoneReached": (FormSection("Milestone", (*_MILESTONE, FormField("/partly", "Only partly", "check"))),),
    "MilestoneMissed": (FormSection("Milestone", (*_MILESTONE, FormField("/partly", "Only partly", "check"))),),
    "StatementMade": (
        FormSection(
            "The statement",
            (
                FormField("/stance", "It", "select", "", _options(Stance)),
                FormField("/trajectory", "Claims to be", "select", "", _options(Trajectory)),
            ),
        ),
    ),
    "FigureRestated": (FormSection("Restated", (_EVENT, _REASON)), _OWN_FIGURE),
    "StatementRetracted": (FormSection("Taken back", (_EVENT, _REASON)),),
    "EventCorrected": (
        FormSection(
            "Our error",
            (
                _EVENT,
                FormField(
                    "/changes", "Changes", "json", 'As JSON: {"figure": {"quantity": "20.9bn EUR"}}', required=True
                ),
                _REASON,
            ),
        ),
    ),
    "EventVoided": (
        FormSection(
            "Should not have been recorded",
            (
                _EVENT,
                _REASON,
                FormField("/recorded_as/pledge", "Recorded instead on", hint="The slug of the right pledge."),
                FormField("/recorded_as/event", "as event", hint="Its id."),
            ),
        ),
    ),
    "FigureRanked": (
        FormSection(
            "Ranked", (_EVENT, FormField("/rank", "Rank", "select", "", _options(Rank), required=True), _REASON)
        ),
    ),
    "SourceCaptured": (
        FormSection(
            "The proof",
            (
                _EVENT,
                FormField("/sha256", "SHA-256", required=True),
                FormField("/archive_url", "Archived at", "url"),
                FormField("/media_type", "Media type", hint="Such as: text/html."),
                FormField("/bytes", "Bytes", "number"),
            ),
        ),
    ),
    "AssessmentIssued": (
        FormSection(
            "Verdict",
            (
                FormField("/rating", "Rating", required=True),
                FormField("/rubric", "Rubric", required=True),
                FormField("/rubric_version", "Version of the rubric", required=True),
                FormField("/reasoning", "Reasoning", "long", required=True),
            ),
        ),
    ),
}

COMMON = ("ProgressReported", "StatementMade", "PledgeReaffirmed", "PledgeMet", "PledgeExceeded", "PledgeMissed")
"""The types that are recorded most often, offered first."""

RECORD_KEEPING = tuple(name for name, cls in FACT_TYPES.items() if issubclass(cls, RecordKeepingFact))
"""Types of facts about our own record: nobody said them, and they need no source."""


ACTS_ON_EVENTS = frozenset(cls.__name__ for cls in ACTING)
"""Types of facts that act on another one."""


def form_sections(fact_type: str) -> tuple[FormSection, ...]:
    """The form of a type of fact."""
    own = _OWN_SECTIONS.get(fact_type, ())
    if not own and fact_type in ACTS_ON_EVENTS:
        own = (FormSection("Which event", (_EVENT, _REASON)),)
    if fact_type in RECORD_KEEPING:
        return (FormSection("When", (replace(_WHEN[0], label="Decided on", hint="The day of the decision."),)), *own)
    return (FormSection("Who and when", (*_WHEN, *_SPEAKER)), *own, _SOURCE, _WORDS)
