"""Record-keeping about record-keeping, at random: corrections that move what others act on, with sources that are taken
back. What must hold of every record and every status then."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import facts
from tests.support.facts import Posted
from tests.support.given import Given
from tests.support.profiles import examples
from tracker.comparison import compare
from tracker.errors import Refusal
from tracker.rules.status import StatusFold
from tracker.values import end_of

DAYS = st.integers(0, 60).map(lambda n: (date(2024, 1, 1) + timedelta(days=13 * n)).isoformat())
AMOUNTS = st.sampled_from(["10", "20.9", "38", "39", "40", "41", "50"]).flatmap(
    lambda n: st.sampled_from(
        [f"{n}bn EUR", f"over {n}bn EUR", f"about {n}bn EUR", f"at least {n}bn EUR", f"{n}bn USD"]
    )
)
PERIODS = st.sampled_from(
    [None, facts.year(2024), facts.first_half(2024), facts.quarter(2, of=2024), facts.until("2025-03-31")]
)
WINDOWS = st.sampled_from(
    [
        facts.year(2024),
        facts.until("2024-06-30"),
        facts.until("2024-12-31", latest="2025-07-31"),
        facts.until("2025-06-30"),
    ]
)
PRECISIONS = st.sampled_from(["day", "day", "month", "quarter", "half", "year"])
STAGES = st.sampled_from(["committed", "committed", "disbursed", "unspecified"])
PUBLISHERS = st.sampled_from(["News", "Other", "Ministry"])


@st.composite
def figured(draw: Any) -> dict[str, Any]:
    return {
        "quantity": draw(AMOUNTS),
        "stage": draw(STAGES),
        "period": draw(PERIODS),
        "basis": draw(st.sampled_from(["cumulative", "cumulative", "increment"])),
        "nature": draw(st.sampled_from(["actual", "actual", "provisional", "projection"])),
        "final": draw(st.sampled_from([None, None, True])),
    }


@st.composite
def changed(draw: Any, known: list[Posted]) -> dict[str, Any]:
    """A correction of when it was said, of its amount, of its window, or of what it acts on."""
    return draw(
        st.one_of(
            st.fixed_dictionaries({"stated_on": DAYS}),
            st.fixed_dictionaries({"stated_on": DAYS, "precision": PRECISIONS}),
            st.fixed_dictionaries({"figure": st.fixed_dictionaries({"quantity": AMOUNTS})}),
            st.fixed_dictionaries({"window": WINDOWS}),
            st.fixed_dictionaries({"due": st.sampled_from(["2024-09", "2025-Q1", None])}),
            st.fixed_dictionaries({"event": st.sampled_from(known)}),
        )
    )


@st.composite
def fact(draw: Any, known: list[Posted]) -> Posted:
    said = {"stated_on": draw(DAYS), "precision": draw(PRECISIONS), "source": draw(PUBLISHERS)}
    kept = {"source": draw(st.sampled_from([None, "Office"]))}
    target = draw(st.sampled_from(known))
    match draw(st.integers(0, 17)):
        case 0 | 1 | 2 | 3:
            return facts.progress(**draw(figured()), **said)
        case 4:
            claim = draw(st.sampled_from([facts.met, facts.exceeded, facts.missed]))
            return claim(**draw(figured()), **said) if draw(st.booleans()) else claim(**said)
        case 5 | 6:
            return facts.restated(target, **{**draw(figured()), **said})
        case 7 | 8:
            return facts.retracted(target, **said)
        case 9 | 10 | 11:
            return facts.corrected(target, draw(changed(known)), **kept)
        case 12:
            return facts.voided(target, **kept)
        case 13:
            return facts.ranked(target, draw(st.sampled_from(["preferred", "normal", "deprecated"])), **kept)
        case 14:
            return facts.revised(
                **draw(st.sampled_from([{"target": "at least 60bn EUR"}, {"target": "38bn EUR"}])), **said
            )
        case 15:
            return facts.revised(window=draw(WINDOWS), **said)
        case 16:
            step = draw(st.sampled_from([facts.scheduled, facts.reached, facts.not_reached]))
            return step("base", due=draw(st.sampled_from([None, "2024-06", "2024-12-01"])), **said)
    return facts.statement(**said)


@st.composite
def records(draw: Any) -> Given:
    direction = draw(st.sampled_from(["up", "up", "up", "down"]))
    target = draw(st.sampled_from(["at least 40bn EUR", "at least 40bn EUR", "40bn EUR", None]))
    opening = facts.pledge(
        target, direction=direction, window=draw(WINDOWS), stated_on=draw(DAYS), precision=draw(PRECISIONS),
        required_stage=draw(st.sampled_from([None, None, "committed", "disbursed"])),
    )  # fmt: skip
    record, known = Given(opening), [opening]
    for _ in range(draw(st.integers(0, 9))):
        posted = draw(fact(known))
        try:
            record.record(posted)
        except Refusal:
            continue
        known.append(posted)
    return record


@settings(max_examples=examples(100), suppress_health_check=list(HealthCheck))
@given(records())
def test_a_status_changes_only_on_a_boundary_and_an_event_only_what_lies_after_it(record: Given) -> None:
    record.holds()


@settings(max_examples=examples(100), suppress_health_check=list(HealthCheck))
@given(records(), DAYS)
def test_every_status_is_consistent_in_itself(record: Given, day: str) -> None:
    status = StatusFold(record.events).status(date.fromisoformat(day))
    if status is None:
        return
    document = json.loads(status.body)
    ids = {event.id for event in record.events}
    assert all(set(events) <= ids for events in document["because"].values())
    assert set(document["flags"]) <= set(document["because"])
    assert ("disputed" in document["flags"]) == (document["evidence"] == "disputed")
    # A target that is changed after the close is shown, and changes no answer (POINTS, goalposts).
    is_judged_by_it = "revised_after_close" not in document["flags"]
    if document["status"] in ("met", "exceeded") and is_judged_by_it and status.converted and status.target:
        made = record.events[0].fact
        assert compare(status.converted, status.target, getattr(made, "direction", "up")) == document["status"]
    if document["status"] == "overdue":
        steps = [step["due"] for step in document.get("milestones") or () if step["state"] != "reached" and step["due"]]
        deadlines = [status.deadline, *(end_of(due) for due in steps)]
        assert any(deadline < date.fromisoformat(day) for deadline in deadlines if deadline is not None)
    rows = {row["event"]: row for row in record.figures(day)}
    chosen = [id_ for id_, row in rows.items() if row["chosen"]]
    assert bool(chosen) == (document["actual"] is not None)
    assert set(chosen) <= set(document["because"]["actual"])
