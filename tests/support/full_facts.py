"""Facts of every type with every field that the type has, in an order in which one pledge may have them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tracker.facts import FACT_TYPES

FIGURE_EVENT, TALK_EVENT = "{figure}", "{talk}"
"""Stand for the ids of the events that the first figure and the first statement became."""

SPEAKER = {"name": "Mark Rutte", "code": "mark-rutte"}
SOURCE = {
    "publisher": "Example Gazette",
    "title": "Aid, again",
    "url": "https://example.org/aid?page=1",
    "published_on": "2025-07",
    "retrieved_on": "2025-08-30",
    "locator": "paragraph 9",
    "reference": "TX-1",
    "origin": "Press conference",
    "sha256": "ab" * 32,
    "archive_url": "https://archive.example.org/1",
    "tier": "primary",
}
FIGURE = {
    "quantity": "over 20.9bn EUR",
    "equivalent": "22.6bn USD",
    "stage": "committed",
    "basis": "cumulative",
    "nature": "provisional",
    "period": {"start": "2025-01-01", "end": "2025-06-30"},
    "attribution": "European Allies",
    "final": False,
}
GROUP = {
    "rule": "count_at_least",
    "members": ["BE", "NL", "DE", "FR", "IT", "ES"],
    "not_applicable": [{"member": "DE", "reason": "it is no member yet"}],
    "opted_out": ["FR"],
    "count": 2,
}
PARTIES = {
    "pledgor": {"name": "NATO Allies", "code": "NATO"},
    "beneficiary": {"name": "Ukraine", "code": "UA"},
    "joint": [{"party": {"name": "European Union", "code": "EU"}, "share": "12.5"}, {"party": {"name": "Bank"}}],
}
TERMS = {
    **PARTIES,
    "target": "at least 40bn EUR",
    "baseline": {"quantity": "10bn EUR", "on": "2024", "text": "what was given in 2024"},
    "window": {"start": "2025-01-01", "end": "2025-11-30", "latest": "2025-12-31", "text": "this year"},
    "instalments": [{"due": "2025-Q2", "quantity": "10bn EUR"}, {"due": "2025-12-31", "quantity": "at least 30bn EUR"}],
    "conditions": [{"condition": "law", "text": "if parliament agrees"}, {"condition": "audit", "text": "if\nheld"}],
    "required_stage": "committed",
    "group": GROUP,
    "tags": ["nato", "aid-2025"],
}
ON = "2025-08"


def said(fact_type: str, day: int, **fields: Any) -> dict[str, Any]:
    """A fact that was said in the world."""
    source = {**SOURCE, "reference": f"TX-{fact_type}-{day}"}
    words = {"summary": f"In short: {fact_type}, no. {day}.", "quote": "We will\ndo it.", "precision": "month"}
    return {
        "type": fact_type, "stated_on": f"2025-08-{day:02}", "speaker": SPEAKER, "source": source, **words, **fields,
    }  # fmt: skip


def full_facts() -> list[dict[str, Any]]:
    """The facts; what excludes something else of the same type has a fact of its own."""
    recurring = {key: value for key, value in TERMS.items() if key not in ("window", "instalments")}
    every = {"every": "quarter", "start": "2025-01-01", "end": "2025-12-31"}
    verdict = {"rating": "B", "rubric": "Ours", "rubric_version": "1.0", "reasoning": "It is\nnot over."}
    return [
        said("PledgeMade", 1, title="Aid of 2025", kind="money", direction="up", measurable=False,
             measurable_note="No figures.", part_of="aid", **TERMS),
        said("PledgeMade", 1, title="Aid each quarter", kind="money", target="at least 1bn EUR", recurrence=every,
             pledgor={"name": "City"}),
        said("ProgressReported", 2, figure=FIGURE, reason="money came back"),
        said("StatementMade", 2, stance="doubts", trajectory="on_track"),
        said("PledgeReaffirmed", 3),
        said("PledgeRevised", 4, title="Aid of 2025, again", reason="talks", **TERMS),
        said("PledgeRevised", 5, recurrence=every, reason="talks", **{**recurring, "group": {**GROUP, "count": 1}}),
        said("PledgeRevised", 6, tags=[], conditions=[], instalments=[], joint=[], reason="none any more"),
        said("ConditionReported", 7, condition="law", state="fulfilled"),
        said("PledgeMet", 8, figure=FIGURE, reason="well"),
        said("PledgeExceeded", 9, figure=FIGURE, reason="well"),
        said("PledgeMissed", 10, figure=FIGURE, reason="not well"),
        said("MemberReported", 11, member="BE", verdict="not_met", on=ON, figure=FIGURE, nature="estimate",
             reason="so"),
        said("TallyReported", 12, met=2, not_met="at least 1 count:members", not_applicable=1, total=4, on=ON,
             nature="projection", members_met=["BE", "NL"], members_not_met=["IT"]),
        said("ShareReported", 13, subset="Europe", share="more than half", of=FIGURE_EVENT),
        said("MilestoneScheduled", 14, milestone="first delivery", due="2025-Q3"),
        said("MilestoneReached", 15, milestone="first delivery", due="2025-Q3", on=ON, partly=True),
        said("MilestoneMissed", 16, milestone="second delivery", due="2025-09", on="2025-10", partly=False),
        said("FigureRestated", 17, event=FIGURE_EVENT, figure={**FIGURE, "quantity": "21.1bn EUR"}, reason="recounted"),
        said("StatementRetracted", 18, event=TALK_EVENT, reason="a slip"),
        said("EventCorrected", 19, event=FIGURE_EVENT, reason="misread", changes={
            "stated_on": "2025-07-31", "quote": None, "speaker": {"code": None}, "source": {"locator": "page 3"},
            "figure": {"quantity": "over 2.09bn EUR", "period": {"end": "2025-03-31"}, "final": True},
        }),
        said("FigureRanked", 20, event=FIGURE_EVENT, rank="deprecated", reason="vague"),
        said("SourceCaptured", 21, event=FIGURE_EVENT, sha256="cd" * 32, archive_url="https://archive.example.org/2",
             media_type="text/html", bytes=12_345),
        said("AssessmentIssued", 22, **verdict),
        said("PledgeWithdrawn", 23, reason="over"),
        said("PledgeSuperseded", 24, by="aid-2026"),
        said("EventVoided", 25, event=TALK_EVENT, reason="a test", recorded_as={
            "pledge": "aid-2026", "event": "01a217ba-1200-7101-8101-010101010101",
        }),
    ]  # fmt: skip


def leaves_of(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """The fields of a fact with their values; `#` stands for the number of a row."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from leaves_of(part, f"{pointer}/{name}")
    elif isinstance(value, list) and any(isinstance(part, Mapping) for part in value):
        for part in value:
            yield from leaves_of(part, f"{pointer}/#")
    else:
        yield pointer, value


def fields_in_schema(fact_type: str) -> set[str]:
    """The fields that a type of fact has by its JSON schema, as pointers; `#` stands for the number of a row."""
    schema = FACT_TYPES[fact_type].model_json_schema()
    defined = schema.get("$defs", {})

    def walk(part: Mapping[str, Any], pointer: str) -> Iterator[str]:
        options = [option for option in part.get("anyOf", [part]) if option.get("type") != "null"]
        options = [defined[o["$ref"].rpartition("/")[2]] if "$ref" in o else o for o in options]
        (only,) = options if len(options) == 1 else ({},)
        if "properties" in only:
            for name, below in only["properties"].items():
                yield from walk(below, f"{pointer}/{name}")
        elif only.get("type") == "array" and "$ref" in only["items"]:
            yield from walk(only["items"], f"{pointer}/#")
        else:
            yield pointer

    return set(walk(schema, "")) - {"/type"}
