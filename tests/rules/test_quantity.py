"""Amounts with bounds: what is divided, summed, converted and printed (DOMAIN §3)."""

from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support.profiles import examples
from tests.support.quantities import is_possible, q, quantities, samples
from tracker import quantity_words
from tracker.comparison import ratio
from tracker.quantity import Interval, Quantity, plain, spanning, total
from tracker.rules.json_values import quantity_json

# --- ratio, sum, rounding slack


def test_amounts_that_are_all_said_in_one_way_add_up_to_one_that_is_said_so_unless_one_is_0() -> None:
    assert total([q("about 0.5 EUR"), q("about 0.7 EUR")]) == q("about 1.2 EUR")
    assert total([q("about 0 EUR"), q("about 1 EUR")]).op != "approx"


def test_ranges_add_up_end_by_end() -> None:
    assert total([q("between 1 and 2 EUR"), q("between 3 and 4 EUR")]) == q("between 4 and 6 EUR")


@pytest.mark.parametrize(("is_low_open", "is_high_open"), [(True, False), (False, True), (True, True)])
def test_a_range_keeps_its_open_ends_in_another_unit(is_low_open: bool, is_high_open: bool) -> None:
    open_ended = spanning(Interval(Decimal(1), Decimal(2), is_low_open, is_high_open), "EUR")
    assert open_ended.interval == Interval(Decimal(1), Decimal(2), is_low_open, is_high_open)
    twice = open_ended.in_unit("USD", Decimal(2))
    assert twice == spanning(Interval(Decimal(2), Decimal(4), is_low_open, is_high_open), "USD")


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


def test_under_a_ceiling_that_is_a_range_the_whole_is_the_end_that_keeps_it() -> None:
    assert str(ratio(q("30 EUR"), q("between 40 and 60 EUR"), "down")) == "50 %"
    assert str(ratio(q("30 EUR"), q("between 40 and 60 EUR"), "up")) == "75 %"


def test_nothing_is_divided_by_zero_nor_a_bound_by_less() -> None:
    assert ratio(q("5 EUR"), q("at least 0 EUR")) is None
    assert ratio(q("over 5 EUR"), q("-5 EUR")) is None
    assert ratio(q("5 EUR"), q("-5 EUR")) is None


@settings(max_examples=examples(200))
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
    assert str(total([spanning(Interval(None, Decimal(-5)), "EUR"), q("3 EUR")])) == "up to -2 EUR"


@settings(max_examples=examples(200))
@given(st.lists(quantities(unit="EUR"), min_size=1, max_size=4), st.data())
def test_a_sum_leaves_out_no_sum_of_possible_values(parts: list[Quantity], data: st.DataObject) -> None:
    together = total(parts)
    with localcontext(prec=200):
        picks = [data.draw(st.sampled_from([x for x in samples(part) if is_possible(x, part)])) for part in parts]
        assert is_possible(sum(picks, Decimal(0)), together)
        if together.op == "eq":
            assert {part.op for part in parts} <= {"eq", "le", "between", "approx"}
            assert all(part.interval.low == part.interval.high for part in parts)


@settings(max_examples=examples(200))
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
        (
            "123456789012345678901234567890.5 EUR",
            "123456789012345678901234567890.45",
            "123456789012345678901234567890.55",
        ),
    ],
)
def test_slack_is_half_a_unit_of_the_last_digit_that_is_not_zero_and_at_most_a_fortieth(
    said: str, low: str, high: str | None
) -> None:
    widened = q(said).widened
    assert (widened.low, widened.high) == (Decimal(low), None if high is None else Decimal(high))
    assert (widened.low_open, widened.high_open) == (q(said).interval.low_open, q(said).interval.high_open)


def test_slack_is_taken_whatever_decimals_the_caller_can_count_with() -> None:
    with localcontext(Context(prec=2, Emax=2, Emin=-2)):
        widened = q("20.9bn EUR").widened
    assert (widened.low, widened.high) == (Decimal("20850000000"), Decimal("20950000000"))


def test_a_conversion_multiplies_every_bound() -> None:
    assert str(q("between 10 and 12 EUR").in_unit("USD", Decimal("1.1"))) == "between 11 and 13.2 USD"
    assert str(q("over €10").in_unit("USD", Decimal("1.1"))) == "over 11 USD"


# --- written and read


@settings(max_examples=examples(500))
@given(quantities())
def test_what_is_printed_is_read_back_as_the_same_quantity(said: Quantity) -> None:
    assert quantity_words.read(str(said)) == said


@settings(max_examples=examples(200))
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


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (Interval(Decimal(1), Decimal(2)), Interval(Decimal(3), Decimal(5)), Interval(Decimal(4), Decimal(7))),
        (Interval(Decimal(1), None), Interval(Decimal(3), Decimal(5)), Interval(Decimal(4), None)),
        (Interval(None, Decimal(2)), Interval(Decimal(3), Decimal(5)), Interval(None, Decimal(7))),
        (
            Interval(Decimal(1), Decimal(2), low_open=True),
            Interval(Decimal(3), Decimal(5), high_open=True),
            Interval(Decimal(4), Decimal(7), low_open=True, high_open=True),
        ),
    ],
)
def test_intervals_add_up_end_by_end_and_an_end_is_open_if_one_of_the_two_is(
    one: Interval, other: Interval, together: Interval
) -> None:
    assert one.plus(other) == other.plus(one) == together


@pytest.mark.parametrize(("low_open", "high_open"), [(False, False), (True, False), (False, True), (True, True)])
def test_an_end_that_is_open_is_open_in_every_multiple_and_moves_with_its_end_to_the_other_side(
    low_open: bool, high_open: bool
) -> None:
    one = Interval(Decimal(1), Decimal(2), low_open, high_open)
    assert one.times(Decimal(3)) == Interval(Decimal(3), Decimal(6), low_open, high_open)
    assert one.times(Decimal(-3)) == Interval(Decimal(-6), Decimal(-3), high_open, low_open)


@pytest.mark.parametrize("is_open", [False, True])
def test_an_interval_lies_within_its_like_but_for_an_end_that_is_open_in_the_other_alone(is_open: bool) -> None:
    closed = Interval(Decimal(1), Decimal(2))
    for other in (Interval(Decimal(1), Decimal(2), low_open=is_open), Interval(Decimal(1), Decimal(2), False, is_open)):
        assert other.within(other)
        assert other.within(closed)
        assert closed.within(other) != is_open


@pytest.mark.parametrize(
    ("said", "factor", "shown"),
    [
        ("123456789012 EUR", "1.0000000000000000001", "123456789012.000000012345678901"),
        ("1 EUR", "0.1234567890123456789", "0.123456789012345679"),
    ],
)
def test_an_amount_is_shown_with_eighteen_places_at_most_however_long_it_is(said: str, factor: str, shown: str) -> None:
    answer = quantity_json(q(said).in_unit("USD", Decimal(factor)))
    assert answer is not None
    assert answer["value"] == shown
