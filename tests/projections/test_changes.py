"""When a headline changed and since when we know: both clocks, from the rectangles alone."""

from datetime import date
from typing import NamedTuple

from projections.changes import StatusChange, change
from projections.tables import OPEN_DATE, OPEN_POSITION


class Row(NamedTuple):
    valid_from: date
    valid_to: date
    known_from: int
    known_to: int
    status: str


JAN, JUN, JUL, DEC = (date(2024, month, 1) for month in (1, 6, 7, 12))


def row(valid_from: date, valid_to: date, known_from: int, known_to: int, status: str) -> Row:
    return Row(valid_from, valid_to, known_from, known_to, status)


def test_a_pledge_that_is_made_changes_from_nothing() -> None:
    rows = [row(JAN, OPEN_DATE, 1, OPEN_POSITION, "announced")]
    assert change("p", JAN, rows, 5) == StatusChange("p", JAN, None, "announced", 1)
    assert change("p", JUN, rows, 5) is None


def test_a_report_is_known_since_it_was_recorded() -> None:
    rows = [
        row(JAN, OPEN_DATE, 1, 4, "announced"),
        row(JAN, JUL, 4, OPEN_POSITION, "announced"),
        row(JUL, OPEN_DATE, 4, OPEN_POSITION, "in_progress"),
    ]
    assert change("p", JUL, rows, 9) == StatusChange("p", JUL, "announced", "in_progress", 4)
    assert change("p", JUL, rows, 3) is None
    assert change("p", JAN, rows, 9) == StatusChange("p", JAN, None, "announced", 1)


def test_another_document_with_the_same_headline_is_no_news() -> None:
    rows = [
        row(JAN, JUL, 1, 6, "announced"),
        row(JAN, JUN, 6, OPEN_POSITION, "announced"),
        row(JUN, JUL, 6, OPEN_POSITION, "announced"),
        row(JUL, OPEN_DATE, 1, 8, "overdue"),
        row(JUL, OPEN_DATE, 8, OPEN_POSITION, "overdue"),
    ]
    assert change("p", JUL, rows, 9) == StatusChange("p", JUL, "announced", "overdue", 1)
    assert change("p", JUN, rows, 9) is None


def test_what_was_corrected_and_came_back_is_news_again() -> None:
    rows = [
        row(JAN, JUL, 1, OPEN_POSITION, "announced"),
        row(JUL, OPEN_DATE, 1, 3, "met"),
        row(JUL, OPEN_DATE, 3, 5, "in_progress"),
        row(JUL, OPEN_DATE, 5, OPEN_POSITION, "met"),
    ]
    assert change("p", JUL, rows, 2) == StatusChange("p", JUL, "announced", "met", 1)
    assert change("p", JUL, rows, 4) == StatusChange("p", JUL, "announced", "in_progress", 3)
    assert change("p", JUL, rows, 9) == StatusChange("p", JUL, "announced", "met", 5)


def test_what_is_void_changed_nothing() -> None:
    rows = [row(JAN, OPEN_DATE, 1, 3, "announced")]
    assert change("p", JAN, rows, 2) == StatusChange("p", JAN, None, "announced", 1)
    assert change("p", JAN, rows, 3) is None
    assert change("p", DEC, [], 3) is None
