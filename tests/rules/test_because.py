"""Every axis, figure and flag has the events that caused it: with them alone it would be the same (DOMAIN §6)."""

from datetime import date
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

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


@settings(max_examples=250)
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
