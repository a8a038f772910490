"""The form that records a fact: which fields each type has, each with its JSON pointer in the fact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from api import pages_words as words
from api.contract import Parameter
from api.drafts import is_slug
from api.pages_frame import Page, page_contract
from api.polling import Answer
from api.query import choice, matching
from api.recording import not_found
from api.vocabulary import KINDS, TYPES
from tracker.event import Event
from tracker.facts import FIGURED
from tracker.quantity import SLUG
from tracker.values import Basis, Nature, Precision, Rank, Stage, Stance, Tier, Trajectory, Verdict

CONTRACT = page_contract(
    "A form to record a fact.",
    Parameter("pledge", "The pledge that the fact is about.", {"type": "string", "pattern": f"^{SLUG}$"}),
    Parameter("type", "The type of the fact.", {"enum": list(TYPES)}),
    Parameter("event", "The event that the fact acts on.", {"type": "string", "pattern": "^[0-9a-f-]{1,36}$"}),
    problems=("pledge_not_found",),
)

Kind = Literal["text", "long", "date", "select", "quantity", "event", "number", "check", "list", "json", "url"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form. ``pointer`` is its place in the fact (RFC 6901); the JSON type follows from ``kind``."""

    pointer: str
    label: str
    kind: Kind = "text"
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    value: str = ""
    list: str = ""
    """What a text field suggests: ``members`` or ``milestones``."""

    @property
    def id(self) -> str:
        """The id of the input."""
        return f"f{self.pointer.replace('/', '-')}"


@dataclass(frozen=True, slots=True)
class Section:
    """Fields under one legend."""

    legend: str
    fields: tuple[Field, ...]


def options(literal: Any) -> tuple[tuple[str, str], ...]:
    """The choices of a literal type, in words."""
    return tuple((value, value.replace("_", " ")) for value in get_args(literal))


def needed(field: Field) -> Field:
    """The same field, but it must be filled in."""
    return replace(field, required=True)


_WHEN = (
    Field("/stated_on", "Said on", "date", "The day it was said in the world.", required=True),
    Field("/precision", "As precise as", "select", "When the source gives no day.", options(Precision), value="day"),
)
_SPEAKER = (
    Field("/speaker/name", "Speaker", hint="Who said it."),
    Field("/speaker/code", "Speaker's code", hint="A country code or a slug."),
)
_SOURCE = Section(
    "Source",
    (
        Field("/source/publisher", "Publisher", required=True),
        Field("/source/tier", "Kind of source", "select", "", options(Tier), required=True, value="media"),
        Field("/source/title", "Title"),
        Field("/source/url", "Address", "url"),
        Field("/source/published_on", "Published on", hint="As precise as it is known: 2025-02-12, 2025-02, 2025."),
        Field("/source/locator", "Place in it", hint="Such as: paragraph 9."),
        Field("/source/origin", "What it quotes", hint="One press conference in two newspapers is one origin."),
    ),
)
_WORDS = Section(
    "In words",
    (
        Field("/summary", "Summary", "long", "In your own words."),
        Field("/quote", "Quote", "long", "Theirs, at most 300 characters."),
    ),
)
_REASON = Field("/reason", "Reason", "long", required=True)
_QUANTITY = "In words: “over €50bn”, “at least 2m count:trees”, “2 % of GDP”."
_TARGET = Field("/target", "Target", "quantity", _QUANTITY)
_WINDOW = (
    Field("/window/start", "Counts from", "date"),
    Field("/window/end", "Due, earliest reading", "date"),
    Field("/window/latest", "Due, latest reading", "date", "Overdue only after this day."),
    Field("/window/text", "Deadline in the source's words"),
)
_STAGE = Field(
    "/required_stage", "Required stage", "select", "", tuple(o for o in options(Stage) if o[0] != "unspecified")
)
_FIGURE = (
    Field("/figure/quantity", "Figure", "quantity", _QUANTITY),
    Field("/figure/basis", "Basis", "select", "A running total, new since the last report, or a rate.", options(Basis)),
    Field("/figure/stage", "Stage", "select", "How firm it is.", options(Stage)),
    Field("/figure/nature", "Nature", "select", "A projection never proves delivery.", options(Nature)),
    Field("/figure/period/start", "Covers from", "date"),
    Field("/figure/period/end", "Covers to", "date"),
    Field("/figure/attribution", "Of whom", hint="All, if nothing else is said."),
    Field("/figure/final", "This is the final figure", "check"),
)
_OWN_FIGURE = Section("Figure", (needed(_FIGURE[0]), needed(_FIGURE[1]), *_FIGURE[2:]))
_IF_FIGURE = Section("Figure, if one is given", _FIGURE)
_MILESTONE = (
    Field("/milestone", "Milestone", required=True, list="milestones"),
    Field("/due", "Due", hint="As precise as it is known: 2025-02-13, 2025-Q1, 2025."),
)
_EVENT = Field("/event", "Which event", "event", required=True)

_OWN: dict[str, tuple[Section, ...]] = {
    "PledgeMade": (
        Section(
            "The promise",
            (
                Field("/title", "Title", required=True),
                Field("/pledgor/name", "Who promises", required=True),
                Field("/pledgor/code", "Their code", hint="A country code or a slug."),
                Field("/beneficiary/name", "To whom"),
                Field("/beneficiary/code", "Their code"),
                Field("/kind", "Kind", "select", "", tuple((k, k) for k in KINDS), required=True),
                _TARGET,
                _STAGE,
                *_WINDOW,
                Field("/tags", "Tags", "list", "Separated by commas."),
                Field("/part_of", "Part of", hint="The slug of the pledge that this one is a part of."),
                Field("/group", "Group", "json", 'As JSON: {"rule": "each_member", "members": ["BE", "NL"]}'),
            ),
        ),
    ),
    "PledgeRevised": (Section("What changed", (Field("/title", "Title"), _TARGET, _STAGE, *_WINDOW, _REASON)),),
    "PledgeWithdrawn": (Section("Withdrawn", (_REASON,)),),
    "PledgeSuperseded": (Section("Superseded", (Field("/by", "By which pledge", hint="Its slug.", required=True),)),),
    "ProgressReported": (
        replace(_OWN_FIGURE, fields=(*_OWN_FIGURE.fields, Field("/reason", "Reason", hint="If money came back."))),
    ),
    "PledgeMet": (_IF_FIGURE,),
    "PledgeExceeded": (_IF_FIGURE,),
    "PledgeMissed": (_IF_FIGURE,),
    "MemberReported": (
        Section(
            "The member",
            (
                Field("/member", "Member", hint="Its code.", required=True, list="members"),
                Field("/verdict", "Result", "select", "", options(Verdict), required=True),
                Field("/reason", "Reason", "long"),
            ),
        ),
        _IF_FIGURE,
    ),
    "TallyReported": (
        Section(
            "The count",
            (
                Field("/met", "Met", "number"),
                Field("/not_met", "Not met", "number"),
                Field("/not_applicable", "Does not apply", "number"),
                Field("/total", "Of how many", "number"),
                Field("/members_met", "Who met it", "list", "Codes, separated by commas."),
                Field("/members_not_met", "Who did not", "list", "Codes, separated by commas."),
                Field("/nature", "Nature", "select", "A projected tally is shown, never counted.", options(Nature)),
            ),
        ),
    ),
    "ShareReported": (
        Section(
            "The share",
            (
                Field("/subset", "Of whom", required=True),
                Field(
                    "/share", "Share", "quantity", "In words: “more than half of security assistance”.", required=True
                ),
                Field("/of", "Of which figure", "event"),
            ),
        ),
    ),
    "MilestoneScheduled": (Section("Milestone", _MILESTONE),),
    "MilestoneReached": (Section("Milestone", (*_MILESTONE, Field("/partly", "Only partly", "check"))),),
    "MilestoneMissed": (Section("Milestone", (*_MILESTONE, Field("/partly", "Only partly", "check"))),),
    "StatementMade": (
        Section(
            "The statement",
            (
                Field("/stance", "It", "select", "", options(Stance)),
                Field("/trajectory", "Claims to be", "select", "", options(Trajectory)),
            ),
        ),
    ),
    "FigureRestated": (Section("Restated", (_EVENT, _REASON)), _OWN_FIGURE),
    "StatementRetracted": (Section("Taken back", (_EVENT, _REASON)),),
    "EventCorrected": (
        Section(
            "Our error",
            (
                _EVENT,
                Field("/changes", "Changes", "json", 'As JSON: {"figure": {"quantity": "20.9bn EUR"}}', required=True),
                _REASON,
            ),
        ),
    ),
    "EventVoided": (
        Section(
            "Should not have been recorded",
            (
                _EVENT,
                _REASON,
                Field("/recorded_as/pledge", "Recorded instead on", hint="The slug of the right pledge."),
                Field("/recorded_as/event", "as event", hint="Its id."),
            ),
        ),
    ),
    "FigureRanked": (
        Section("Ranked", (_EVENT, Field("/rank", "Rank", "select", "", options(Rank), required=True), _REASON)),
    ),
    "SourceCaptured": (
        Section(
            "The proof",
            (
                _EVENT,
                Field("/sha256", "SHA-256", required=True),
                Field("/archive_url", "Archived at", "url"),
                Field("/media_type", "Media type", hint="Such as: text/html."),
                Field("/bytes", "Bytes", "number"),
            ),
        ),
    ),
    "AssessmentIssued": (
        Section(
            "Verdict",
            (
                Field("/rating", "Rating", required=True),
                Field("/rubric", "Rubric", required=True),
                Field("/rubric_version", "Version of the rubric", required=True),
                Field("/reasoning", "Reasoning", "long", required=True),
            ),
        ),
    ),
}

COMMON = ("ProgressReported", "StatementMade", "PledgeReaffirmed", "PledgeMet", "PledgeExceeded", "PledgeMissed")
"""What is recorded most, offered first."""

_REPAIRS = ("EventCorrected", "EventVoided", "FigureRanked", "SourceCaptured", "AssessmentIssued")


def sections(kind: str) -> tuple[Section, ...]:
    """The form of a type of fact."""
    own = _OWN.get(kind, ())
    if kind in _REPAIRS:
        return (Section("When", (replace(_WHEN[0], label="Decided on", hint="The day of the decision."),)), *own)
    return (Section("Who and when", (*_WHEN, *_SPEAKER)), *own, _SOURCE, _WORDS)


def record(page: Page) -> Answer:
    """The page at `/record`."""
    query, journal = page.query, page.parts.tracker.journal
    pledge = matching(query, "pledge", "slug", SLUG)
    kind = choice(query, "type", TYPES) or ("ProgressReported" if pledge is not None else "PledgeMade")
    if kind == "PledgeMade":
        pledge = None
    at = page.projected()
    events = [] if pledge is None or not is_slug(pledge) else page.parts.tracker.events_of(pledge)
    if pledge is not None and not events:
        raise not_found(pledge)
    title = getattr(events[0].fact, "title", pledge) if events else None
    html = page.render(
        "record.html",
        at,
        pledge=pledge,
        title=title,
        kind=kind,
        types=_grouped(),
        sections=sections(kind),
        events=[_choice(event) for event in reversed(events) if _may_act(kind, event)],
        event=query.get("event", ""),
        members=_named(events, "group"),
        milestones=list(dict.fromkeys(m for e in events if (m := getattr(e.fact, "milestone", None)))),
    )
    return page.sent("about_log", journal.head() if page.at.position is None else at.position, html)


def _grouped() -> list[tuple[str, list[tuple[str, str]]]]:
    rest = [name for name in words.TYPE if name not in (*COMMON, *_REPAIRS, "PledgeMade")]
    groups = (("Said most often", COMMON), ("Said in the world", rest), ("Keeping our record", _REPAIRS))
    named = [(label, [(name, words.TYPE[name]) for name in names]) for label, names in groups]
    return [("A new pledge", [("PledgeMade", words.TYPE["PledgeMade"])]), *named]


def _may_act(kind: str, event: Event) -> bool:
    if kind in ("FigureRestated", "FigureRanked", "ShareReported"):
        return isinstance(event.fact, FIGURED) and event.fact.figure is not None
    if kind == "StatementRetracted":
        return event.type not in ("PledgeMade", *_REPAIRS)
    return event.type not in ("EventVoided", *(("EventCorrected",) if kind == "EventCorrected" else ()))


def _choice(event: Event) -> tuple[str, str]:
    fact = event.fact
    said = (fact.summary or getattr(fact, "title", None) or "")[:70]
    return (
        event.id,
        f"{event.version}. {words.TYPE[event.type]}, {fact.stated_on.isoformat()}{': ' if said else ''}{said}",
    )


def _named(events: list[Event], name: str) -> list[tuple[str, str]]:
    group = next((g for e in reversed(events) if (g := getattr(e.fact, name, None)) is not None), None)
    return [] if group is None else [(code, words.member(code)) for code in group.members]


__all__ = ["COMMON", "CONTRACT", "Field", "Section", "record", "sections"]
