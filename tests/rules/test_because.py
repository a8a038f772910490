"""Every axis, figure and flag has the events that caused it: with them alone it would be the same (DOMAIN §6)."""

from datetime import date
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.facts import corrected, pledge, progress, revised
from tests.support.given import given as facts
from tests.support.profiles import examples
from tests.support.streams import DAYS, streams
from tracker.event import Event
from tracker.rules.flags import FLAGS
from tracker.rules.status import Status, derive

FIGURES = ("status", "lifecycle", "schedule", "trajectory", "evidence", "target", "actual", "ratio")

days_asked = st.one_of(st.sampled_from(DAYS).map(date.fromisoformat), st.dates(date(2024, 1, 1), date(2026, 6, 1)))


def value(status: Status | None, name: str) -> Any:
    if status is None:
        return "no pledge"
    if name == "actual":
        return [status.document[part] for part in ("actual", "stage", "period")]
    return name in status.flags if name in FLAGS else status.document.get(name)


@settings(max_examples=examples(400))
@given(streams(), days_asked, st.data())
def test_what_is_not_among_the_causes_may_be_left_out(events: list[Event], day: date, data: st.DataObject) -> None:
    whole = derive(events, day)
    assume(whole is not None)
    assert whole is not None
    assert set(FIGURES) <= whole.because.keys()
    name = data.draw(st.sampled_from(sorted(whole.because)))
    causes = set(whole.because[name])
    others = [event.id for event in events if event.id not in causes]
    left_out = data.draw(st.one_of(st.just(set(others)), st.sets(st.sampled_from(others)))) if others else set()
    rest = [event for event in events if event.id not in left_out]
    assert value(derive(rest, day), name) == value(whole, name)


def test_a_repair_is_a_cause_from_the_day_on_from_which_it_acts() -> None:
    report = progress("5bn EUR", stated_on="2024-06-01")
    record = facts(
        pledge(window=None, stated_on="2024-01-01"),
        revised(title="Another title", stated_on="2024-02-01"),
        report,
        corrected(report, {"summary": "In other words."}, stated_on="2024-07-01"),
    )
    for day, number in (("2024-05-31", 2), ("2024-06-01", 4)):
        document = record.document(day)
        assert document is not None
        assert len(document["because"]["status"]) == number, day


def test_a_total_that_is_not_counted_and_replaces_one_that_would_be_is_a_cause() -> None:
    year = {"start": "2024-01-01", "end": "2024-12-31"}
    first, second = ({"start": "2024-01-01", "end": "2024-06-30"}, {"start": "2024-07-01", "end": "2024-12-31"})
    of_first = progress("20 EUR", stated_on="2023-12-31", period=first)
    of_second = progress("20 EUR", stated_on="2023-12-31", period=second)
    without = progress("20 EUR", stated_on="2024-01-01")
    made = pledge(kind="milestone", target=None, window=year, stated_on="2023-12-01")
    whole = facts(made, of_first, without, of_second).document("2024-01-01")
    assert whole is not None
    assert whole["actual"]["value"] == "20"
    assert any(id_.endswith("2") for id_ in whole["because"]["actual"])  # the first half's, which is the second event
    alone = facts(made, without, of_second).document("2024-01-01")
    assert alone is not None
    assert alone["actual"]["value"] == "40"
