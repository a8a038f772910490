"""What an actual is against a target (DOMAIN §3)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal, localcontext

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.profiles import examples
from tests.support.quantities import TINY, is_possible, q, quantities, samples, tolerance
from tracker.comparison import Direction, compare, is_raised, least_kept, may_exceed, progress, ratio
from tracker.quantity import Quantity, total
from tracker.rules.rates import convert

DIRECTIONS = st.sampled_from(["up", "down"])


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


@settings(max_examples=examples(600))
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


@settings(max_examples=examples(200))
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


@settings(max_examples=examples(200))
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
        ("up to 0 EUR", "at least 0 EUR", "met"),
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
        ("2 count:coal-plants", "under 2 count:coal-plants", "below"),
        ("over 2 count:coal-plants", "up to 2 count:coal-plants", "below"),
        ("at least 1 count:coal-plants", "up to 2 count:coal-plants", "unknown"),
        ("1 count:coal-plants", "2 count:coal-plants", "exceeded"),
        ("5 count:coal-plants", "at least 2 count:coal-plants", "below"),
    ],
)
def test_an_actual_against_a_target_downwards(actual: str, target: str, expected: str) -> None:
    assert compare(q(actual), q(target), "down") == expected


def test_a_sum_keeps_the_open_end_of_a_part() -> None:
    """10 and under 5 plants are under 15, not up to 15."""
    added = total([q("10 count:coal-plants"), q("under 5 count:coal-plants")])
    assert compare(added, q("under 15 count:coal-plants"), "down") == "met"
    assert compare(added.in_unit("EUR", Decimal(2)), q("under 30 EUR"), "down") == "met"


def test_ranges_add_up_to_a_range() -> None:
    added = total([q("between 10 and 12 EUR"), q("between 3 and 4 EUR")])
    assert added == q("between 13 and 16 EUR")


@pytest.mark.parametrize(
    ("target", "least"),
    [("at least 40 EUR", "40"), ("about 40 EUR", "38"), ("nearly 40 EUR", "38"), ("between 30 and 40 EUR", "30")],
)
def test_what_lies_below_the_low_end_of_a_target_keeps_it_in_no_case(target: str, least: str) -> None:
    assert least_kept(q(target)) == Decimal(least)


def test_without_a_direction_beyond_a_target_is_above_it() -> None:
    assert may_exceed(q("41 EUR"), q("at least 40 EUR"))
    assert not may_exceed(q("39 EUR"), q("at least 40 EUR"))


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


@pytest.mark.parametrize(
    ("actual", "expected"),
    [("38 count:plants", "exceeded"), ("over 38 count:plants", "unknown"), ("between 38 and 39 count:plants", "met")],
)
def test_the_low_end_of_nearly_is_less_than_it(actual: str, expected: str) -> None:
    assert compare(q(actual), q("nearly 40 count:plants"), "down") == expected


@pytest.mark.parametrize(
    ("actual", "target", "baseline", "direction", "shown"),
    [
        ("20 EUR", "at least 40 EUR", None, "up", "50 %"),
        ("over 20 EUR", "at least 40 EUR", None, "up", "over 50 %"),
        ("20 EUR", "at most 40 EUR", None, "down", None),
        ("80 EUR", "at most 60 EUR", "100 EUR", "down", "50 %"),
        ("80 EUR", "between 40 and 60 EUR", "100 EUR", "down", "50 %"),
        ("70 EUR", "between 60 and 80 EUR", "40 EUR", "up", "150 %"),
        ("over 80 EUR", "at most 60 EUR", "100 EUR", "down", "under 50 %"),
        ("at most 80 EUR", "at most 60 EUR", "100 EUR", "down", "between 50 % and 250 %"),
        ("100 EUR", "at most 100 EUR", "100 EUR", "down", None),
        ("20 EUR", "at least 30 EUR", "0 EUR", "up", "66.6667 %"),
        ("at least 20 EUR", "at least 30 EUR", "0 EUR", "up", "at least 66.6666 %"),
        ("over 80 EUR", "at most 70 EUR", "100 EUR", "down", "under 66.6667 %"),
        ("between 10 and 20 EUR", "at least 30 EUR", "0 EUR", "up", "between 33.3333 % and 66.6667 %"),
        ("39999999999 EUR", "at least 40bn EUR", "0 EUR", "up", "99.9999 %"),
        ("40000000001 EUR", "at least 40bn EUR", "0 EUR", "up", "100.0001 %"),
        ("40bn EUR", "at least 40bn EUR", "0 EUR", "up", "100 %"),
    ],
)
def test_progress_is_the_way_gone_from_the_baseline_and_without_one_the_ratio(
    actual: str, target: str, baseline: str | None, direction: Direction, shown: str | None
) -> None:
    found = progress(q(actual), q(target), None if baseline is None else q(baseline), direction)
    assert (None if found is None else str(found)) == shown


def test_a_share_is_printed_with_all_its_digits() -> None:
    many = "123456789012345678901234567890"
    assert str(ratio(q(f"{many}.5 EUR"), q("1 EUR"))) == f"{many}50 %"


@pytest.mark.parametrize(
    ("before", "after", "direction", "raised"),
    [
        ("at least 40 EUR", "at least 50 EUR", "up", True),
        ("at least 40 EUR", "over 40 EUR", "up", False),
        ("at least 50 EUR", "at least 40 EUR", "up", False),
        ("at most 50 EUR", "at most 40 EUR", "down", True),
        ("at most 40 EUR", "at most 50 EUR", "down", False),
        ("between 10 and 50 EUR", "between 20 and 50 EUR", "up", True),
        ("between 10 and 50 EUR", "between 10 and 40 EUR", "down", True),
        ("between 10 and 50 EUR", "between 5 and 50 EUR", "down", False),
        ("at least 40 EUR", "at least 50 USD", "up", False),
    ],
)
def test_a_target_is_raised_where_the_number_that_keeps_it_asks_for_more(
    before: str, after: str, direction: Direction, raised: bool
) -> None:
    assert is_raised(q(before), q(after), direction) is raised
