"""The form that records a fact: which fields each type has, each with its JSON pointer in the fact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from api import wording as words
from api.http.cache import BytesResponse
from api.http.contract import Parameter
from api.http.drafts import is_slug
from api.http.parameters import choice, matching
from api.pages.frame import PageRequest, page_contract
from api.resources.contracts import KINDS, TYPES
from api.resources.recording import not_found
from tracker.event import Event
from tracker.facts import FACTS_WITH_FIGURE
from tracker.promises import ConditionReport
from tracker.units import SLUG
from tracker.values import Basis, MemberVerdict, Nature, Precision, Rank, Stage, Stance, Tier, Trajectory

CONTRACT = page_contract(
    "A form to record a fact.",
    Parameter("pledge", "The pledge that the fact is about.", {"type": "string", "pattern": f"^{SLUG}$"}),
    Parameter("type", "The type of the fact.", {"enum": list(TYPES)}),
    Parameter("event", "The event that the fact acts on.", {"type": "string", "pattern": "^[0-9a-f-]{1,36}$"}),
    problems=("pledge_not_found",),
)

InputKind = Literal["text", "long", "date", "select", "quantity", "event", "number", "check", "list", "json", "url"]


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the form. ``pointer`` is its place in the fact (RFC 6901); the JSON type follows from ``kind``."""

    pointer: str
    label: str
    kind: InputKind = "text"
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
class FormSection:
    """Fields under one legend."""

    legend: str
    fields: tuple[FormField, ...]


def options(literal: Any) -> tuple[tuple[str, str], ...]:
    """The choices of a literal type, in words."""
    return tuple((value, value.replace("_", " ")) for value in get_args(literal))


def needed(field: FormField) -> FormField:
    """The same field, but it must be filled in."""
    return replace(field, required=True)


_WHEN = (
    FormField("/stated_on", "Said on", "date", "The day it was said in the world.", required=True),
    FormField(
        "/precision", "As precise as", "select", "When the source gives no day.", options(Precision), value="day"
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
        FormField("/source/tier", "Kind of source", "select", "", options(Tier), required=True, value="media"),
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
    "/required_stage", "Required stage", "select", "", tuple(o for o in options(Stage) if o[0] != "unspecified")
)
_FIGURE = (
    FormField("/figure/quantity", "Figure", "quantity", _QUANTITY),
    FormField(
        "/figure/basis", "Basis", "select", "A running total, new since the last report, or a rate.", options(Basis)
    ),
    FormField("/figure/stage", "Stage", "select", "How firm it is.", options(Stage)),
    FormField("/figure/nature", "Nature", "select", "A projection never proves delivery.", options(Nature)),
    FormField("/figure/period/start", "Covers from", "date"),
    FormField("/figure/period/end", "Covers to", "date"),
    FormField("/figure/attribution", "Of whom", hint="All, if nothing else is said."),
    FormField("/figure/final", "This is the final figure", "check"),
)
_OWN_FIGURE = FormSection("Figure", (needed(_FIGURE[0]), needed(_FIGURE[1]), *_FIGURE[2:]))
_IF_FIGURE = FormSection("Figure, if one is given", _FIGURE)
_MILESTONE = (
    FormField("/milestone", "Milestone", required=True, list="milestones"),
    FormField("/due", "Due", hint="As precise as it is known: 2025-02-13, 2025-Q1, 2025."),
)
_EVENT = FormField("/event", "Which event", "event", required=True)

_OWN: dict[str, tuple[FormSection, ...]] = {
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
                FormField("/condition", "Which", hint="Its slug, as the pledge names it.", required=True),
                FormField("/state", "It is", "select", "", options(ConditionReport), required=True),
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
                FormField("/verdict", "Result", "select", "", options(MemberVerdict), required=True),
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
                FormField("/nature", "Nature", "select", "A projected tally is shown, never counted.", options(Nature)),
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
                FormField("/stance", "It", "select", "", options(Stance)),
                FormField("/trajectory", "Claims to be", "select", "", options(Trajectory)),
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
            "Ranked", (_EVENT, FormField("/rank", "Rank", "select", "", options(Rank), required=True), _REASON)
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
"""What is recorded most, offered first."""

_REPAIRS = ("EventCorrected", "EventVoided", "FigureRanked", "SourceCaptured", "AssessmentIssued")


def sections(kind: str) -> tuple[FormSection, ...]:
    """The form of a type of fact."""
    own = _OWN.get(kind, ())
    if kind in _REPAIRS:
        return (FormSection("When", (replace(_WHEN[0], label="Decided on", hint="The day of the decision."),)), *own)
    return (FormSection("Who and when", (*_WHEN, *_SPEAKER)), *own, _SOURCE, _WORDS)


def record(page: PageRequest) -> BytesResponse:
    """The page at `/record`."""
    query, journal = page.query, page.services.tracker.journal
    pledge = matching(query, "pledge", "slug", SLUG)
    kind = choice(query, "type", TYPES) or ("ProgressReported" if pledge is not None else "PledgeMade")
    if kind == "PledgeMade":
        pledge = None
    at = page.projected()
    events = [] if pledge is None or not is_slug(pledge) else page.services.tracker.events_of(pledge)
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
        return isinstance(event.fact, FACTS_WITH_FIGURE) and event.fact.figure is not None
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


__all__ = ["COMMON", "CONTRACT", "FormField", "FormSection", "record", "sections"]
