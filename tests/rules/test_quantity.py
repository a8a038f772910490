"""Amounts with bounds: what is compared, divided, summed and printed (DOMAIN §3)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tracker import quantity_words
from tracker.comparison import Direction, compare, may_exceed, ratio
from tracker.quantity import EXACT, Interval, Op, Quantity, plain, spanning, total
from tracker.rules.rates import convert

TINY, HUGE = Decimal("1e-30"), Decimal("1e40")

UNITS = st.sampled_from(
    ["EUR", "USD", "ALL", "USD:constant-2020", "count:155mm-rounds", "count:1-2", "percent:gdp", "percent:members"]
)
DIRECTIONS = st.sampled_from(["up", "down"])


def q(words: str) -> Quantity:
    return quantity_words.read(words)


@st.composite
def decimals(draw: st.DrawFn) -> Decimal:
    """Mostly small numbers that collide, now and then all the digits that may be posted."""
    small = st.integers(-12, 42).map(Decimal)
    tenths = st.integers(-50, 500).map(lambda n: Decimal(n) / 10)
    thousandths = st.integers(-(10**6), 10**6).map(lambda n: Decimal(n) / 1000)
    long = st.integers(-(10**48) + 1, 10**48 - 1).map(lambda n: Decimal(n).scaleb(-18, EXACT))
    return draw(st.one_of(small, small, tenths, thousandths, long))


@st.composite
def quantities(draw: st.DrawFn, unit: str | None = None) -> Quantity:
    op: Op = draw(st.sampled_from(["eq", "ge", "gt", "le", "lt", "approx", "nearly", "between"]))
    value = draw(decimals())
    upper = None
    if op == "between":
        value, upper = sorted((value, draw(decimals())))
    elif op in ("le", "lt"):
        value = value.copy_abs()
    if op in ("lt", "nearly") and value == 0:
        value = Decimal(1)
    return Quantity(op=op, value=value, upper=upper, unit=unit or draw(UNITS))


def tolerance(quantity: Quantity) -> Decimal:
    return abs(quantity.value) / 20


def is_possible(x: Decimal, said: Quantity) -> bool:
    """Whether the amount can be x: DOMAIN §3, written down a second time."""
    v, tol = said.value, tolerance(said)
    match said.op:
        case "eq":
            return x == v
        case "ge":
            return x >= v
        case "gt":
            return x > v
        case "le":
            return x <= v and x >= 0
        case "lt":
            return x < v and x >= 0
        case "nearly":
            return v - tol < x < v
        case "approx":
            return v - tol <= x <= v + tol
        case "between":
            assert said.upper is not None
            return v <= x <= said.upper


def keeps_up(x: Decimal, target: Quantity) -> bool:
    """An envelope ("up to", "under") is kept by its value or more, as an exact amount is."""
    v, tol = target.value, tolerance(target)
    match target.op:
        case "eq" | "ge" | "between" | "le" | "lt":
            return x >= v
        case "gt":
            return x > v
        case "nearly":
            return x > v - tol
        case "approx":
            return x >= v - tol


def keeps_down(x: Decimal, target: Quantity) -> bool:
    v, tol = target.value, tolerance(target)
    match target.op:
        case "eq" | "le" | "ge" | "gt":
            return x <= v
        case "lt" | "nearly":
            return x < v
        case "approx":
            return x <= v + tol
        case "between":
            assert target.upper is not None
            return x <= target.upper


def lies_beyond_up(x: Decimal, target: Quantity) -> bool:
    """Beyond an open bound is what is clear of it: "over 40" does not exceed "over 40"."""
    v = target.value
    match target.op:
        case "eq" | "ge":
            return x > v
        case "gt":
            return x > v + 2 * TINY
        case "nearly":
            return x >= v
        case "approx":
            return x > v + tolerance(target)
        case "between":
            assert target.upper is not None
            return x > target.upper
        case "le" | "lt":
            return x > v


def lies_beyond_down(x: Decimal, target: Quantity) -> bool:
    v, tol = target.value, tolerance(target)
    match target.op:
        case "eq" | "le" | "between":
            return x < v
        case "lt":
            return x < v - 2 * TINY
        case "nearly":
            return x <= v - tol
        case "approx":
            return x < v - tol
        case "ge" | "gt":
            return x < v


KEEPS: dict[str, Callable[[Decimal, Quantity], bool]] = {"up": keeps_up, "down": keeps_down}
BEYOND: dict[str, Callable[[Decimal, Quantity], bool]] = {"up": lies_beyond_up, "down": lies_beyond_down}


def samples(*quantities: Quantity) -> list[Decimal]:
    """Every end of every quantity, a hair to either side, what lies between, and what lies far out."""
    ends = {Decimal(0), -HUGE, HUGE}
    for said in quantities:
        ends |= {said.value, said.value - tolerance(said), said.value + tolerance(said)}
        ends |= {said.upper} if said.upper is not None else set()
    near = {x + hair for x in ends for hair in (-TINY, 0, TINY)}
    return sorted(near | {(a + b) / 2 for a, b in pairwise(sorted(ends))})


@settings(max_examples=600)
@given(quantities(unit="EUR"), quantities(unit="EUR"), DIRECTIONS)
@example(q("over 40 EUR"), q("over 40 EUR"), "up")
@example(q("under 40 EUR"), q("under 40 EUR"), "down")
def test_compare_asks_every_possible_value(actual: Quantity, target: Quantity, direction: Direction) -> None:
    with localcontext(prec=200):
        possible = [x for x in samples(actual, target) if is_possible(x, actual)]
        kept = [KEEPS[direction](x, target) for x in possible]
        beyond = [BEYOND[direction](x, target) for x in possible]
    expected = "below" if not any(kept) else "unknown" if not all(kept) else "exceeded" if all(beyond) else "met"
    assert compare(actual, target, direction) == expected
    assert may_exceed(actual, target, direction) == any(beyond)


@settings(max_examples=200)
@given(quantities(unit="EUR"), quantities(unit="EUR"))
def test_down_is_the_mirror_image_of_up(actual: Quantity, target: Quantity) -> None:
    def mirrored(said: Quantity) -> Quantity | None:
        if said.op not in ("eq", "approx", "between"):
            return None  # "up to" starts at 0, which "at least" has no mirror image of
        ends = (
            [said.value.copy_negate()] if said.upper is None else [said.upper.copy_negate(), said.value.copy_negate()]
        )
        return Quantity(op=said.op, value=ends[0], upper=None if said.upper is None else ends[1], unit=said.unit)

    other, aim = mirrored(actual), mirrored(target)
    if other is not None and aim is not None:
        assert compare(other, aim, "down") == compare(actual, target, "up")


@settings(max_examples=200)
@given(quantities(unit="EUR"), quantities(unit="EUR"), DIRECTIONS, st.integers(3, 200))
def test_no_answer_depends_on_the_callers_decimal_context(
    actual: Quantity, target: Quantity, direction: Direction, digits: int
) -> None:
    def answers() -> tuple[object, ...]:
        share = ratio(actual, target)
        return (
            compare(actual, target, direction),
            None if share is None else str(share),
            str(total([actual, target])),
            actual.interval,
            actual.widened,
            target.interval.mirrored(),
        )

    expected = answers()
    with localcontext(prec=digits):
        assert answers() == expected


# --- the examples of DOMAIN §3, by name


@pytest.mark.parametrize(
    ("actual", "target", "expected"),
    [
        ("over 40bn EUR", "at least 40bn EUR", "exceeded"),
        ("over 40bn EUR", "over 40bn EUR", "met"),
        ("at least 40bn EUR", "at least 40bn EUR", "met"),
        ("40bn EUR", "over 40bn EUR", "below"),
        ("at least 30bn EUR", "at least 40bn EUR", "unknown"),
        ("41bn EUR", "40bn EUR", "exceeded"),
        ("40bn EUR", "40bn EUR", "met"),
        ("nearly 40bn EUR", "at least 40bn EUR", "below"),
        ("about 40bn EUR", "at least 40bn EUR", "unknown"),
        ("38bn EUR", "about 40bn EUR", "met"),
        ("42bn EUR", "about 40bn EUR", "met"),
        ("42.1bn EUR", "about 40bn EUR", "exceeded"),
        ("11bn EUR", "between 10 and 12bn EUR", "met"),
        ("over 12bn EUR", "between 10 and 12bn EUR", "exceeded"),
        ("over 50bn EUR", "up to 60bn EUR", "unknown"),
        ("up to 60bn EUR", "up to 60bn EUR", "unknown"),
        ("60bn EUR", "up to 60bn EUR", "met"),
        ("60bn EUR", "under 60bn EUR", "met"),
        ("61bn EUR", "under 60bn EUR", "exceeded"),
        ("10bn EUR", "up to 60bn EUR", "below"),
        ("40bn EUR", "nearly 40bn EUR", "exceeded"),
        ("39bn EUR", "nearly 40bn EUR", "met"),
        ("38bn EUR", "nearly 40bn EUR", "below"),
    ],
)
def test_an_actual_against_a_target(actual: str, target: str, expected: str) -> None:
    assert compare(q(actual), q(target)) == expected


@pytest.mark.parametrize(
    ("actual", "target", "expected"),
    [
        ("2 count:coal-plants", "up to 2 count:coal-plants", "met"),
        ("1 count:coal-plants", "up to 2 count:coal-plants", "exceeded"),
        ("under 2 count:coal-plants", "up to 2 count:coal-plants", "exceeded"),
        ("under 2 count:coal-plants", "under 2 count:coal-plants", "met"),
        ("over 2 count:coal-plants", "up to 2 count:coal-plants", "below"),
        ("at least 1 count:coal-plants", "up to 2 count:coal-plants", "unknown"),
        ("1 count:coal-plants", "2 count:coal-plants", "exceeded"),
        ("5 count:coal-plants", "at least 2 count:coal-plants", "below"),
    ],
)
def test_an_actual_against_a_target_downwards(actual: str, target: str, expected: str) -> None:
    assert compare(q(actual), q(target), "down") == expected


@pytest.mark.parametrize("other", ["USD", "USD:constant-2022", "EUR:constant-2020"])
def test_constant_prices_are_a_measure_of_their_own(other: str) -> None:
    constant = q("5bn USD:constant-2020")
    assert constant.measure == constant.unit != q(f"5bn {other}").measure
    assert convert(constant, other, date(2024, 6, 28)) == (None, None)
    assert convert(q(f"5bn {other}"), constant.unit, date(2024, 6, 28)) == (None, None)
    with pytest.raises(ValueError, match="cannot be compared"):
        compare(constant, q(f"5bn {other}"))


@pytest.mark.parametrize("unit", ["BGN", "HRK", "DEM"])
def test_a_currency_that_was_withdrawn_since_1990_is_a_unit(unit: str) -> None:
    assert q(f"5m {unit}").measure == "money"


def test_two_units_are_never_compared() -> None:
    with pytest.raises(ValueError, match="USD cannot be compared with EUR"):
        compare(q("5 USD"), q("5 EUR"))


# --- ratio, sum, rounding slack


@pytest.mark.parametrize(
    ("actual", "target", "shown"),
    [
        ("over 50bn EUR", "at least 40bn EUR", "over 125 %"),
        ("20.9bn EUR", "at least 40bn EUR", "52.25 %"),
        ("nearly 20 EUR", "40 EUR", "nearly 50 %"),
        ("at least 2 EUR", "3 EUR", "at least 66.6666 %"),
        ("up to 2 EUR", "3 EUR", "up to 66.6667 %"),
        ("2 EUR", "3 EUR", "66.6667 %"),
        ("between 1 and 2 EUR", "3 EUR", "between 33.3333 % and 66.6667 %"),
    ],
)
def test_a_ratio_keeps_its_bound_and_a_bound_is_rounded_so_that_it_stays_true(
    actual: str, target: str, shown: str
) -> None:
    assert str(ratio(q(actual), q(target))) == shown


def test_nothing_is_divided_by_zero_nor_a_bound_by_less() -> None:
    assert ratio(q("5 EUR"), q("at least 0 EUR")) is None
    assert ratio(q("over 5 EUR"), q("-5 EUR")) is None
    assert ratio(q("5 EUR"), q("-5 EUR")) is None


@settings(max_examples=200)
@given(quantities(unit="EUR"), quantities(unit="EUR"))
def test_a_ratio_has_at_most_six_decimals_and_the_op_of_the_actual(actual: Quantity, target: Quantity) -> None:
    share = ratio(actual, target)
    if share is not None:
        assert share.op == actual.op
        assert len(plain(share.value).partition(".")[2]) <= 6
        with localcontext(prec=200):
            exact, slack = actual.value / target.value, Decimal("0.000001")
            low, high = (
                (exact - slack, exact)
                if share.op in ("ge", "gt", "between")
                else (exact, exact + slack)
                if share.op in ("le", "lt")
                else (exact - slack / 2, exact + slack / 2)
            )
            assert low <= share.value <= high


def test_a_sum_is_exact_only_if_every_part_is() -> None:
    assert str(total([q("20.9bn EUR"), q("1bn EUR")])) == "21900000000 EUR"
    assert str(total([q("over 20bn EUR"), q("1bn EUR")])) == "over 21000000000 EUR"
    assert str(total([q("up to 20 EUR"), q("1 EUR")])) == "between 1 and 21 EUR"
    assert str(total([q("up to 20 EUR"), q("under 1 EUR")])) == "under 21 EUR"
    assert str(total([q("up to 20 EUR"), q("at least 1 EUR")])) == "at least 1 EUR"
    assert str(total([q("about 20 EUR"), q("about 40 EUR")])) == "about 60 EUR"
    assert str(total([q("about 20 EUR"), q("40 EUR")])) == "between 59 and 61 EUR"
    nearly = total([q("nearly 40 EUR"), q("up to 10 EUR")])
    assert (str(nearly), nearly.open) == ("between 38 and 50 EUR", "both")
    assert nearly.interval == Interval(Decimal(38), Decimal(50), low_open=True, high_open=True)
    assert total([q("between 1 and 2 EUR"), q("under 1 EUR")]).open == "high"
    assert str(total([q("about 20 EUR")])) == "about 20 EUR"
    assert str(total([q("20 EUR"), q("-5 EUR")])) == "15 EUR"


@settings(max_examples=200)
@given(st.lists(quantities(unit="EUR"), min_size=1, max_size=4), st.data())
def test_a_sum_leaves_out_no_sum_of_possible_values(parts: list[Quantity], data: st.DataObject) -> None:
    together = total(parts)
    with localcontext(prec=200):
        picks = [data.draw(st.sampled_from([x for x in samples(part) if is_possible(x, part)])) for part in parts]
        assert is_possible(sum(picks, Decimal(0)), together)
        if together.op == "eq":
            assert {part.op for part in parts} <= {"eq", "le", "between", "approx"}
            assert all(part.interval.low == part.interval.high for part in parts)


@settings(max_examples=200)
@given(quantities())
def test_the_quantity_that_spans_an_interval_leaves_out_none_of_its_values(said: Quantity) -> None:
    spanned = spanning(said.interval, said.unit)
    assert said.interval.within(spanned.interval)
    if said.op not in ("nearly", "approx", "between"):
        assert spanned.interval == said.interval


def test_an_interval_without_an_end_is_no_quantity() -> None:
    with pytest.raises(ValueError, match="without an end"):
        spanning(Interval(None, None), "EUR")
    assert str(spanning(Interval(None, Decimal(5)), "EUR")) == "up to 5 EUR"
    assert str(spanning(Interval(None, Decimal(5), high_open=True), "EUR")) == "under 5 EUR"


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("20.9bn EUR", "20850000000", "20950000000"),
        ("1300bn USD", "1267500000000", "1332500000000"),
        ("1350bn USD", "1345000000000", "1355000000000"),
        ("0 EUR", "0", "0"),
        ("0.25 EUR", "0.245", "0.255"),
        ("between 10 and 12.5 EUR", "9.75", "12.75"),
        ("about 100 EUR", "92.5", "107.5"),
        ("nearly 100 EUR", "92.5", "102.5"),
        ("over 50 EUR", "48.75", None),
    ],
)
def test_slack_is_half_a_unit_of_the_last_digit_that_is_not_zero_and_at_most_a_fortieth(
    said: str, low: str, high: str | None
) -> None:
    widened = q(said).widened
    assert (widened.low, widened.high) == (Decimal(low), None if high is None else Decimal(high))
    assert (widened.low_open, widened.high_open) == (q(said).interval.low_open, q(said).interval.high_open)


def test_a_conversion_multiplies_every_bound() -> None:
    assert str(q("between 10 and 12 EUR").in_unit("USD", Decimal("1.1"))) == "between 11 and 13.2 USD"
    assert str(q("over €10").in_unit("USD", Decimal("1.1"))) == "over 11 USD"


def test_zero_is_certain_only_if_nothing_else_is_possible() -> None:
    assert [q(words).certainly_zero for words in ("0 EUR", "up to 0 EUR", "between 0 and 0 EUR")] == [True] * 3
    assert [q(words).certainly_zero for words in ("up to 1 EUR", "at least 0 EUR", "-1 EUR")] == [False] * 3


# --- written and read


@settings(max_examples=500)
@given(quantities())
def test_what_is_printed_is_read_back_as_the_same_quantity(said: Quantity) -> None:
    assert quantity_words.read(str(said)) == said


@settings(max_examples=200)
@given(quantities())
def test_what_is_stored_is_read_back_as_the_same_quantity(said: Quantity) -> None:
    again = Quantity.model_validate_json(said.model_dump_json())
    assert (again, again.model_dump_json()) == (said, said.model_dump_json())
    assert hash(again) == hash(said)


def test_how_it_was_said_is_kept_and_does_not_make_it_another_quantity() -> None:
    assert q("over €50bn") == q("more than 50 billion euros")
    assert q("over €50bn").text == "over €50bn"


@pytest.mark.parametrize(
    ("value", "written"),
    [("1E+3", "1000"), ("-0.0", "0"), ("1.500", "1.5"), ("100", "100"), ("0.0000001", "0.0000001")],
)
def test_decimals_are_written_plainly(value: str, written: str) -> None:
    assert plain(Decimal(value)) == written


@pytest.mark.parametrize(
    ("value", "printed"),
    [("1.375", "1.3750 EUR"), ("-999.125", "-999.1250 EUR"), ("0.375", "0.375 EUR"), ("1000.375", "1000.375 EUR")],
)
def test_a_value_that_looks_like_thousands_is_printed_with_one_more_zero(value: str, printed: str) -> None:
    assert str(Quantity(op="eq", value=Decimal(value), unit="EUR")) == printed


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"value": 5}, "a decimal is a JSON string"),
        ({"value": "1e9"}, "a decimal is a JSON string"),
        ({"value": "5,0"}, "a decimal is a JSON string"),
        ({"value": "05"}, "a decimal is a JSON string"),
        ({"value": "5 "}, "a decimal is a JSON string"),
        ({"value": "5\n"}, "a decimal is a JSON string"),
        ({"value": "٥"}, "a decimal is a JSON string"),
        ({"value": "1" * 31}, "at most 30 digits before the point"),
        ({"value": Decimal("0.1234567890123456789")}, "18 after it"),
        ({"value": Decimal("NaN")}, "a decimal is a JSON string"),
        ({"value": Decimal("Infinity")}, "a decimal is a JSON string"),
        ({"unit": "BTC"}, "is no unit"),
        ({"unit": "eur"}, "is no unit"),
        ({"unit": "XXX"}, "is no unit"),
        ({"unit": "USD:constant-20"}, "is no unit"),
        ({"unit": "USD:constant-1820"}, "is no unit"),
        ({"unit": "USD:2020"}, "is no unit"),
        ({"unit": "EUR\n"}, "is no unit"),
        ({"unit": "count:"}, "is no unit"),
        ({"unit": "count:155 mm"}, "is no unit"),
        ({"op": "over"}, "Input should be 'eq'"),
        ({"upper": "9"}, "'upper' goes with op 'between'"),
        ({"op": "between"}, "'upper' goes with op 'between'"),
        ({"op": "between", "upper": "4"}, "'upper' lies below 'value'"),
        ({"op": "lt", "value": "0"}, "no amount is under 0"),
        ({"op": "le", "value": "-5"}, "no amount is up to -5"),
        ({"op": "nearly", "value": "0"}, "no amount is nearly 0"),
        ({"text": ""}, "at least 1 character"),
        ({"currency": "EUR"}, "Extra inputs"),
    ],
)
def test_a_quantity_that_cannot_be_is_refused(fields: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Quantity.model_validate({"op": "eq", "value": "5", "unit": "EUR", **fields})


def test_a_ratio_that_is_not_one_is_never_shown_as_one() -> None:
    target = quantity_words.read("at least 40bn EUR")
    for amount, shown in (("39999999999 EUR", "0.999999"), ("40000000001 EUR", "1.000001"), ("40bn EUR", "1")):
        found = ratio(quantity_words.read(amount), target)
        assert found is not None
        assert plain(found.value) == shown
