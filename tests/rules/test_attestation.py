"""What a status rests on beside its headline: the deadline of the pledge, and the reports behind its evidence."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.support.facts import Posted, first_half, pledge, progress, reached, scheduled, source, until, year
from tests.support.given import Given, given
from tracker.rules.explanations import attestation

pytestmark = pytest.mark.usefixtures("every_record_holds")

HALF = first_half(2024)


def steps(**more: Any) -> Posted:
    return pledge(None, kind="milestone", window=None, **more)


def attesting(record: Given, as_of: str, *facts: Posted) -> bool:
    """Whether exactly these facts attest the status; the answer says whether they share an origin."""
    found = attestation(record.events, date.fromisoformat(as_of))
    assert found.events == tuple(record.id(fact) for fact in facts)
    return found.share_origin


def test_the_deadline_is_the_latest_reading_of_the_window() -> None:
    given(pledge("at least 40bn EUR", window=until("2024-12-31", latest="2025-07-31"))).then(
        as_of="2024-06-01", deadline="2025-07-31"
    )
    given(pledge("at least 40bn EUR", window=None)).then(as_of="2024-06-01", deadline=None)


def test_steps_are_due_with_the_last_of_them_however_precisely_each_is_dated() -> None:
    given(steps(), scheduled("agreed", due="2025-Q1"), scheduled("built", due="2025-12-31")).then(
        as_of="2024-06-01", deadline="2025-12-31"
    )
    given(steps(), scheduled("agreed", due="2025-Q1"), scheduled("built", due="2024")).then(
        as_of="2024-06-01", deadline="2025-03-31"
    )


def test_with_a_step_without_a_date_there_is_no_deadline() -> None:
    given(steps(), scheduled("agreed", due="2025-Q1"), scheduled("built")).then(as_of="2024-06-01", deadline=None)


def test_one_report_attests_the_figure_and_a_second_origin_corroborates_it() -> None:
    first = progress("21bn EUR", stated_on="2024-07-10", source="One", period=HALF)
    record = given(pledge("at least 40bn EUR", window=year(2024)), first)
    assert attesting(record, "2024-08-01", first)
    same = progress("21bn EUR", stated_on="2024-07-11", source=source("Two", origin="One"), period=HALF)
    record.accepts(same).then(as_of="2024-08-01", evidence="single_source")
    other = progress("21bn EUR", stated_on="2024-07-12", source="Three", period=HALF)
    record.accepts(other).then(as_of="2024-08-01", evidence="corroborated")
    assert len(attestation(record.events, date(2024, 8, 1)).events) == 2
    assert not attestation(record.events, date(2024, 8, 1)).share_origin


def test_without_a_report_nothing_attests() -> None:
    record = given(pledge("at least 40bn EUR", window=year(2024)))
    assert not attesting(record, "2024-08-01")
    assert not attesting(record, "2023-01-01")


def test_a_step_is_attested_by_who_says_that_it_was_reached() -> None:
    done = reached("agreed", stated_on="2024-07-10")
    assert attesting(given(steps(), scheduled("agreed"), done), "2024-08-01", done)
