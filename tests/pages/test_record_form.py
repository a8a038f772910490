"""The form that records a fact: what it asks for, and which events it offers to act on."""

import re
from typing import Any

import pytest

from api.pages.form_fields import fields_of, form_sections
from api.pages.form_words import WORDS
from tests.support.api import SOURCE, Api, progress, statement
from tests.support.full_facts import fields_in_schema, full_facts, leaves_of
from tests.support.pages import BROWSER
from tracker.facts import FACT_TYPES


@pytest.mark.parametrize("fact_type", FACT_TYPES)
def test_the_form_has_every_field_of_the_fact_and_no_other(fact_type: str) -> None:
    """Derived twice: the form from the models, the expectation from their JSON schema."""
    fields = [field for section in form_sections(fact_type) for field in (*section.fields, *section.rare)]
    pointers = [part.pointer for field in fields for part in (field.fields or (field,))]
    assert len(pointers) == len(set(pointers))
    assert set(pointers) == fields_in_schema(fact_type)


def test_the_form_needs_what_the_fact_needs() -> None:
    needed = {field.pointer for field in fields_of("ProgressReported") if field.required}
    assert needed == {"/stated_on", "/source/publisher", "/source/tier", "/figure/quantity", "/figure/basis"}
    needed = {field.pointer for field in fields_of("PledgeMet") if field.required}
    assert needed == {"/stated_on", "/source/publisher", "/source/tier"}


def test_every_field_has_words_and_no_words_are_left_over() -> None:
    used = set()
    for fact_type in FACT_TYPES:
        for field in fields_of(fact_type):
            for part in (field, *field.fields):
                name = part.pointer.replace("/#", "")
                assert name in WORDS or f"{fact_type}{name}" in WORDS, name
                used |= {name, f"{fact_type}{name}"}
    assert set(WORDS) - used == set()


def test_a_full_fact_of_every_type_has_every_field() -> None:
    """What the browser posts through each form leaves no field out."""
    found: dict[str, set[str]] = {fact_type: set() for fact_type in FACT_TYPES}
    for fact in full_facts():
        if fact["type"] == "EventCorrected":
            fact = {**fact, "changes": "a patch"}
        found[fact["type"]] |= {pointer for pointer, _ in leaves_of(fact)} - {"/type"}
    rows = {"/instalments", "/conditions", "/joint"}  # of a revision: none any more
    assert {name: pointers - (rows if name == "PledgeRevised" else set()) for name, pointers in found.items()} == {
        fact_type: fields_in_schema(fact_type) for fact_type in FACT_TYPES
    }


# --- what a fact may act on

FIGURE = {"quantity": "21bn EUR", "basis": "cumulative", "stage": "committed"}
ACTING: dict[str, dict[str, Any]] = {
    "EventCorrected": {"changes": {"summary": "as printed"}, "reason": "a slip"},
    "EventVoided": {"reason": "a test"},
    "FigureRanked": {"rank": "deprecated", "reason": "vague"},
    "FigureRestated": {"figure": FIGURE, "reason": "revalued", "source": SOURCE},
    "SourceCaptured": {"sha256": "0" * 64},
    "ShareReported": {"subset": "Europe", "share": "more than half", "source": SOURCE},
    "StatementRetracted": {"reason": "a slip", "source": SOURCE},
}
"""What each type of fact needs beside the event that it acts on."""


def one_of_each(api: Api) -> dict[str, str]:
    """A pledge with a fact of every type, those that may have a source or a figure with it and without: id to type."""
    condition = {"condition": "law", "text": "if parliament agrees"}
    opened = api.open(group={"rule": "aggregate", "members": ["BE", "FR"]}, conditions=[condition])
    ids = {opened["event"]["id"]: "PledgeMade"}

    def add(fact_type: str, day: int, *, sourced: bool = True, **fields: Any) -> str:
        source = {"source": {**SOURCE, "locator": f"page {len(ids)}"}} if sourced else {}
        fact = {"type": fact_type, "stated_on": f"2024-08-{day:02}", **source, **fields}
        found: str = api.add(fact)["event"]["id"]
        ids[found] = fact_type
        return found

    first, other = add("ProgressReported", 1, figure=FIGURE), add("StatementMade", 1, summary="a test")
    for claim in ("PledgeMet", "PledgeExceeded", "PledgeMissed"):
        add(claim, 2)
        add(claim, 3, figure=FIGURE)
    add("MemberReported", 4, member="BE", verdict="met")
    add("MemberReported", 5, member="FR", verdict="met", figure=FIGURE)
    add("TallyReported", 6, met=1, total=2)
    for fact_type in ("MilestoneScheduled", "MilestoneReached", "MilestoneMissed"):
        add(fact_type, 7, milestone="agreed")
    add("ShareReported", 8, subset="Europe", share="more than half", of=first)
    add("ConditionReported", 8, condition="law", state="fulfilled")
    add("PledgeReaffirmed", 9)
    add("PledgeRevised", 10, title="Aid", reason="a name")
    verdict = {"rating": "B", "rubric": "R", "rubric_version": "1", "reasoning": "well"}
    for sourced in (True, False):
        add("AssessmentIssued", 11, sourced=sourced, **verdict)
        add("EventCorrected", 12, sourced=sourced, event=first, changes={"summary": str(sourced)}, reason="a slip")
        add("FigureRanked", 12, sourced=sourced, event=first, rank="normal", reason="a test")
        add("SourceCaptured", 12, sourced=sourced, event=first, sha256="0" * 64)
        add("EventVoided", 12, sourced=sourced, event=add("StatementMade", 12, summary="void"), reason="a test")
    add("FigureRestated", 13, event=first, figure=FIGURE, reason="revalued")
    add("StatementRetracted", 14, event=other, reason="a slip")
    add("PledgeWithdrawn", 15, reason="over")
    add("PledgeSuperseded", 16, by="another")
    assert set(ids.values()) == set(FACT_TYPES)
    return ids


def offered(api: Api, fact_type: str) -> list[str]:
    """The ids of the events that the form offers, in its order."""
    page = api.get(f"/record?pledge=aid-2024&type={fact_type}", headers=BROWSER).text
    select = re.search(r'<select id="f-(?:event|of)".*?</select>', page, re.DOTALL)
    return [] if select is None else re.findall(r'<option value="([^"]+)"', select[0])


def refusal(api: Api, fact_type: str, event: str) -> str | None:
    """The code with which the API refuses the fact on the event; None if it would record it."""
    place = "of" if fact_type == "ShareReported" else "event"
    fact = {"type": fact_type, "stated_on": "2024-09-01", place: event, **ACTING[fact_type]}
    answer = api.post("/v1/pledges/aid-2024/events?dry_run=true", fact)
    return None if answer.is_success else str(answer.json()["code"])


def test_the_form_offers_the_events_on_which_the_api_lets_the_fact_act(lite: Api) -> None:
    ids = one_of_each(lite)
    for fact_type in FACT_TYPES:
        shown = offered(lite, fact_type)
        assert len(shown) == len(set(shown))
        if fact_type not in ACTING:
            assert shown == []
            continue
        refused = {event: refusal(lite, fact_type, event) for event in ids}
        allowed = {event for event, code in refused.items() if code not in ("wrong_event_type", "already_voided")}
        assert {ids[event] for event in set(shown) ^ allowed} == set(), fact_type
        assert 0 < len(allowed) < len(ids), fact_type


def test_the_form_knows_the_events_as_corrected(lite: Api) -> None:
    """A figure that a correction gives to a claim can be ranked, one that it takes away cannot."""
    lite.open()
    claim = {"type": "PledgeMet", "stated_on": "2024-08-01", "source": SOURCE}
    bare = lite.add(claim)["event"]["id"]
    figured = lite.add({**claim, "stated_on": "2024-08-02", "figure": FIGURE})["event"]["id"]
    assert offered(lite, "FigureRanked") == [figured]
    for event, figure in ((bare, FIGURE), (figured, None)):
        lite.add({"type": "EventCorrected", "stated_on": "2024-08-03", "event": event, "reason": "a slip",
                  "changes": {"figure": figure}})  # fmt: skip
    assert offered(lite, "FigureRanked") == [bare]


def test_a_voided_event_is_not_offered(lite: Api) -> None:
    lite.open()
    voided = lite.add(statement())["event"]["id"]
    lite.add({"type": "EventVoided", "stated_on": "2024-08-02", "event": voided, "reason": "a test"})
    assert voided not in offered(lite, "EventCorrected")
    kept = lite.add(progress())["event"]["id"]
    assert offered(lite, "EventCorrected")[0] == kept
