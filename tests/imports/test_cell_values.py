"""Numbers, periods and conditions as people write them in cells."""

from datetime import date

import pytest
from pydantic import TypeAdapter

from api.imports.cell_conditions import CellCondition, predicate_of
from api.imports.cell_numbers import COMMA, LOCALES, POINT, NumberStyle, plain_number, superscript, without_footnotes
from api.imports.cell_periods import read_dated, read_period

INDIA, SWITZERLAND = LOCALES["en-IN"], LOCALES["de-CH"]


@pytest.mark.parametrize(
    ("style", "said", "number"),
    [
        (POINT, "1.2e3", "1200"), (POINT, "1.5e-05", "0.000015"), (COMMA, "1,5E3", "1500"),
        (POINT, "11.299999999999999", "11.299999999999999"),
        (POINT, "(12.5)", "-12.5"), (POINT, "( 1,250 )", "-1250"), (POINT, "(12.5 million)", "-12.5 million"),
        (POINT, "-12.5", "-12.5"), (POINT, "−3", "−3"),
        (INDIA, "12,34,567.5", "1234567.5"), (INDIA, "1,234,567", "1234567"), (INDIA, "5", "5"),
        (SWITZERLAND, "12'345.50", "12345.5"), (LOCALES["fr"], "1 250 000,5", "1250000.5"),
        (LOCALES["de"], "1.250,5", "1250.5"),
    ],
)  # fmt: skip
def test_a_number_is_written_plainly(style: NumberStyle, said: str, number: str) -> None:
    assert plain_number(said, style) == number


@pytest.mark.parametrize(
    ("style", "said"),
    [
        (POINT, "12,34,567"), (INDIA, "1,23"), (COMMA, "1.5e3"), (POINT, "1e31"), (POINT, "1e-31"), (POINT, "9" * 61),
        (POINT, "(a) 1 (b) 2"), (POINT, "()"), (POINT, "1e999999999"),
    ],
)  # fmt: skip
def test_a_number_of_another_style_is_refused(style: NumberStyle, said: str) -> None:
    with pytest.raises(ValueError, match=r"has (no number|an exponent beyond 30)"):
        plain_number(said, style)


@pytest.mark.parametrize(
    ("said", "decimals", "number"),
    [("11.299999999999999", 2, "11.3"), ("2.7e-17", 2, "0"), ("0.125", 2, "0.12"), ("0.135", 2, "0.14"), ("5", 0, "5")],
)
def test_decimals_are_rounded_half_even(said: str, decimals: int, number: str) -> None:
    assert plain_number(said, POINT, decimals) == number


@pytest.mark.parametrize(
    ("said", "bare", "marks"),
    [
        ("12.5¹", "12.5", ("¹",)), ("12.5 ¹ ²", "12.5", ("¹ ²",)), ("12.5*", "12.5", ("*",)),
        ("12.5[1]", "12.5", ("[1]",)), ("12.5¹, ²", "12.5", ("¹, ²",)),
        ("12.5 [a][b]", "12.5", ("[a][b]",)), ("(12.5)†", "(12.5)", ("†",)), ("2 %¹", "2 %", ("¹",)),
        ("12.5¹ million", "12.5 million", ("¹",)), ("12.5 (a)", "12.5", ("(a)",)),
        ("5 km²", "5 km²", ()), ("12.5¹⁾", "12.5", ("¹⁾",)), ("2¹%", "2%", ("¹",)),
        ("12.5 (1)", "12.5 (1)", ()), ("12.5", "12.5", ()), ("[1]", "[1]", ()),
    ],
)  # fmt: skip
def test_footnote_marks_behind_numbers_are_taken_off_and_told(said: str, bare: str, marks: tuple[str, ...]) -> None:
    assert without_footnotes(said) == (bare, marks)


def test_raised_text_is_never_taken_for_digits() -> None:
    assert [superscript(text) for text in ("1", "12", "1)", "a", "*", "ß")] == ["¹", "¹²", "¹⁾", "ᵃ", "*", "[ß]"]


@pytest.mark.parametrize(
    ("said", "first", "last", "precision", "partial"),
    [
        ("2024-03", "2024-03-01", "2024-03-31", "month", "2024-03"),
        ("2024", "2024-01-01", "2024-12-31", "year", "2024"),
        ("Q3 2024", "2024-07-01", "2024-09-30", "quarter", "2024-Q3"),
        ("2024Q3", "2024-07-01", "2024-09-30", "quarter", "2024-Q3"),
        ("2024-Q1", "2024-01-01", "2024-03-31", "quarter", "2024-Q1"),
        ("3q2024", "2024-07-01", "2024-09-30", "quarter", "2024-Q3"),
        ("H2 2024", "2024-07-01", "2024-12-31", "half", "2024-H2"),
        ("2024/25", "2024-04-01", "2025-03-31", "month", "2025-03"),
        ("2024/2025", "2024-04-01", "2025-03-31", "month", "2025-03"),
        ("1999/00", "1999-04-01", "2000-03-31", "month", "2000-03"),
        ("FY2024-25", "2024-04-01", "2025-03-31", "month", "2025-03"),
        ("FY25", "2024-04-01", "2025-03-31", "month", "2025-03"),
        ("fy 2025", "2024-04-01", "2025-03-31", "month", "2025-03"),
        ("Q4 FY25", "2025-01-01", "2025-03-31", "month", "2025-03"),
        ("2024/25 H1", "2024-04-01", "2024-09-30", "month", "2024-09"),
    ],
)
def test_a_period_has_its_first_and_last_day(said: str, first: str, last: str, precision: str, partial: str) -> None:
    found = read_period(said, fiscal_start=4)
    assert found is not None
    assert (found.first, found.last) == (date.fromisoformat(first), date.fromisoformat(last))
    assert (found.precision, found.partial) == (precision, partial)


def test_a_fiscal_year_is_named_by_its_end_or_its_start() -> None:
    by_start, from_january = read_period("FY24", 10, "start"), read_period("FY24", 1)
    assert by_start is not None
    assert from_january is not None
    assert by_start.last == date(2025, 9, 30)
    assert (from_january.first, from_january.last, from_january.precision) == (
        date(2024, 1, 1), date(2024, 12, 31), "year",
    )  # fmt: skip


@pytest.mark.parametrize("said", ["", "soon", "H3 2024", "Q5 2024", "24", "2024-13", "9999/00", "12.5", "FY"])
def test_what_is_no_period_is_none(said: str) -> None:
    assert read_period(said, 4) is None


@pytest.mark.parametrize(
    ("said", "start", "says"),
    [("2024/25", None, "fiscal_year_start = 4"), ("2024/26", 4, "the second year follows"),
     ("2024/1925", 4, "the second year follows")],
)  # fmt: skip
def test_a_fiscal_year_that_cannot_be_read_says_why(said: str, start: int | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_period(said, start)


def test_a_format_of_the_map_reads_a_day_a_month_or_a_year() -> None:
    read = [read_dated(said, ("%d.%m.%Y", "%b %Y", "%Y")) for said in ("14.03.2024", "Mar 2024", "2024", "soon")]
    assert [None if said is None else said.precision for said in read] == ["day", "month", "year", None]


@pytest.mark.parametrize(
    ("condition", "fits", "fails"),
    [
        ("a", ["a", " A "], ["", "ab"]), ("*", ["a"], ["", " "]), ("", ["", " "], ["a"]), (["a", "b"], ["B"], ["c"]),
        ({"in": ["a", "b"]}, ["a"], ["c", ""]), ({"not": "a"}, ["b", ""], ["A"]),
        ({"not": ["a", ""]}, ["b"], ["a", ""]), ({"like": "Total*"}, ["total", "TOTAL 2024"], ["Subtotal"]),
        ({"like": ["*total*", "?"]}, ["Subtotal:", "x"], ["xy"]),
        ({"not": {"like": "*total*"}}, ["a", ""], ["Sub-Total"]),
        ({"like": "2*", "not": "2024"}, ["2023"], ["2024", "1999"]),
    ],
)  # fmt: skip
def test_conditions_of_cells(condition: object, fits: list[str], fails: list[str]) -> None:
    read = TypeAdapter[CellCondition](CellCondition).validate_python(condition)
    assert [cell for cell in [*fits, *fails] if predicate_of(read)(cell)] == fits


def test_a_pattern_cannot_take_for_ever() -> None:
    read = TypeAdapter[CellCondition](CellCondition).validate_python({"like": "*a" * 99})
    assert not predicate_of(read)("a" * 98 + "b" * 4_000)
