"""Amounts and ratios for people: what is abbreviated still stands to everything else as what was said."""

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import amounts
from tests.support.api import Api, progress
from tests.support.pages import BROWSER
from tracker import quantity_words
from tracker.comparison import Direction, compare, ratio
from tracker.quantity import Quantity, plain


@pytest.mark.parametrize(
    ("quantity", "short", "exact"),
    [
        ({"op": "eq", "value": "20900000000", "unit": "EUR"}, "€20.9bn", "20,900,000,000\u00a0EUR"),
        ({"op": "gt", "value": "50000000000", "unit": "EUR"}, "over €50bn", "over 50,000,000,000\u00a0EUR"),
        ({"op": "gt", "value": "49990000000", "unit": "EUR"}, "over €49.9bn", "over 49,990,000,000\u00a0EUR"),
        ({"op": "le", "value": "20010000000", "unit": "NOK"}, "up to NOK\u00a020.1bn", "up to 20,010,000,000\u00a0NOK"),
        ({"op": "eq", "value": "999999999", "unit": "USD"}, "US$1bn", "999,999,999\u00a0USD"),
        ({"op": "eq", "value": "12500", "unit": "GBP"}, "£12,500", "12,500\u00a0GBP"),
        ({"op": "eq", "value": "-2000000", "unit": "EUR"}, "−€2m", "−2,000,000\u00a0EUR"),
        ({"op": "ge", "value": "2", "unit": "percent:gdp"}, "at least 2\u00a0% of GDP", "at least 2\u00a0% of GDP"),
        ({"op": "eq", "value": "2000000", "unit": "count:155mm-rounds"}, "2m\u00a0155mm rounds",
         "2,000,000\u00a0155mm rounds"),
        ({"op": "between", "value": "1234567", "upper": "2345678", "unit": "EUR"}, "between €1.23m and €2.35m",
         "between 1,234,567\u00a0EUR and 2,345,678\u00a0EUR"),
    ],
)  # fmt: skip
def test_an_abbreviation_never_says_more_than_the_figure(quantity: dict[str, str], short: str, exact: str) -> None:
    said = amounts.amount(quantity)
    assert said is not None
    assert (said.short, said.exact) == (short, exact)


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ({"op": "gt", "value": "1.25"}, "over 125\u00a0%"),
        ({"op": "gt", "value": "0.99999"}, "over 99.9\u00a0%"),
        ({"op": "lt", "value": "0.50001"}, "under 50.1\u00a0%"),
        ({"op": "eq", "value": "0.5225"}, "52.2\u00a0%"),
        ({"op": "eq", "value": "0.999975"}, "99.998\u00a0%"),
        ({"op": "approx", "value": "1.000001"}, "about 100.0001\u00a0%"),
        ({"op": "gt", "value": "1.0004"}, "over 100.04\u00a0%"),
        ({"op": "nearly", "value": "0.9999"}, "nearly 99.99\u00a0%"),
        ({"op": "eq", "value": "1"}, "100\u00a0%"),
        ({"op": "eq", "value": "0"}, "0\u00a0%"),
        ({"op": "eq", "value": "0.0004"}, "under 0.1\u00a0%"),
        ({"op": "nearly", "value": "0.0004"}, "under 0.1\u00a0%"),
        ({"op": "eq", "value": "-0.0004"}, "under 0\u00a0%"),
        ({"op": "ge", "value": "0.0004"}, "at least 0.04\u00a0%"),
        ({"op": "between", "value": "0.1", "upper": "0.25"}, "between 10\u00a0% and 25\u00a0%"),
    ],
)
def test_a_ratio_keeps_its_bound(ratio: dict[str, str], said: str) -> None:
    assert amounts.ratio(ratio) == said


SHORTFALLS = [
    ("39999m EUR", "€39.999bn of at least €40bn", "99.998\u00a0%"),
    ("39999999999.99 EUR", "€39,999,999,999.99 of at least €40bn", "99.9999\u00a0%"),
    ("1 EUR", "€1 of at least €40bn", "under 0.1\u00a0%"),
    ("at least 1 EUR", "at least €1 of at least €40bn", "over 0\u00a0%"),
]


@pytest.mark.parametrize(("reported", "progress_", "share"), SHORTFALLS)
def test_a_shortfall_is_never_shown_as_the_target(lite: Api, reported: str, progress_: str, share: str) -> None:
    lite.open()
    lite.add(progress(reported, figure={"period": {"start": "2024-01-01", "end": "2024-12-31"}}))
    for path in ("/", "/pledges/aid-2024"):
        page = lite.get(path, headers=BROWSER).text
        assert progress_ in page
        assert share in page
    assert f"{share} of the target" in lite.get("/embed/aid-2024").text
    assert share in lite.get("/v1/pledges/aid-2024/badge.svg").text
    told = lite.get("/v1/feed.atom").text
    actual, _, target = progress_.partition(" of ")
    assert f"Reported: {actual}, target: {target}, {share}." in told


def test_the_hover_of_a_ratio_has_all_of_its_digits(lite: Api) -> None:
    lite.open()
    for value, exact in (("20.9bn EUR", "exactly 52.25\u00a0%"), ("13bn EUR", "exactly 32.5\u00a0%")):
        lite.add(progress(value, stated_on="2024-07-11" if "13" in value else "2024-07-10"))
        assert f'title="{exact}"' in lite.get("/pledges/aid-2024", headers=BROWSER).text
    status = lite.get("/v1/pledges/aid-2024").json()
    third = status | {"target": {"op": "ge", "value": "39", "unit": "EUR"}, "ratio": {"op": "eq", "value": "0.333333"}}
    assert amounts.exact_ratio(third) == "rounded to 33.3333\u00a0%"
    assert amounts.exact_ratio(third | {"ratio": {"op": "gt", "value": "1.25"}}) == "over 125\u00a0%"


NUMBERS = st.one_of(
    st.decimals(0, 10**13, allow_nan=False, allow_infinity=False, places=2),
    st.builds(
        lambda lead, rest, power, sign: (lead + sign * Decimal(rest) / 10**9) * 10**power,
        st.sampled_from([Decimal(n) for n in ("1", "2", "39.9", "40", "999")]),
        st.integers(0, 10**7), st.integers(5, 10), st.sampled_from([-1, 1]),
    ),
)  # fmt: skip
"""Amounts, many of which lie beside each other."""


@st.composite
def quantities(draw: st.DrawFn) -> Quantity:
    op = draw(st.sampled_from(["eq", "ge", "gt", "le", "lt", "approx", "nearly", "between"]))
    value = draw(NUMBERS) + (1 if op in ("lt", "nearly") else 0)
    upper = value + draw(NUMBERS) if op == "between" else None
    unit = draw(st.sampled_from(["EUR", "NOK", "count:trees"])) if upper is None else "EUR"
    fields = {"op": op, "value": plain(value), "unit": unit} | ({"upper": plain(upper)} if upper is not None else {})
    return Quantity.model_validate(fields)


def read_back(printed: str) -> Quantity:
    """What a person reads; in words, three decimals need one more zero."""
    printed = re.sub(r"(?<![\d,])(\d{1,3}\.\d{3})(?!\d)", r"\g<1>0", printed)
    if not printed.startswith("between "):
        return quantity_words.read(printed)
    low, high = (quantity_words.read(end) for end in printed.removeprefix("between ").split(" and "))
    return Quantity(op="between", value=low.value, upper=high.value, unit=low.unit)


@settings(max_examples=300)
@given(quantities(), quantities(), st.sampled_from(["up", "down"]))
def test_what_is_printed_stands_to_the_target_as_what_was_said(said: Quantity, aim: Quantity, way: Direction) -> None:
    """The abbreviations are read back: each end lies to each end of the other as it did; no bound is narrower."""
    aim = aim.model_copy(update={"unit": said.unit})
    documents = [q.model_dump(mode="json", exclude_none=True) for q in (said, aim)]
    near = amounts.distinct_digits(*documents)
    printed = [amounts.amount(document, near) for document in documents]
    said_again, aim_again = (read_back(p.short) for p in printed if p is not None)
    assert (said_again.op, aim_again.op) == (said.op, aim.op)
    for one, again in ((said, said_again), (aim, aim_again)):
        if one.exactness == 1:
            assert one.interval.within(again.interval)
    ends = [[end for end in (q.value, q.upper) if end is not None] for q in (said, aim, said_again, aim_again)]
    for mine, mine_again in zip(ends[0], ends[2], strict=True):
        for theirs, theirs_again in zip(ends[1], ends[3], strict=True):
            assert (mine < theirs, mine == theirs) == (mine_again < theirs_again, mine_again == theirs_again)
    if said.exactness < 2 and aim.exactness < 2:
        assert compare(said_again, aim_again, way) == compare(said, aim, way)


@settings(max_examples=300)
@given(quantities(), quantities())
def test_a_share_in_percent_stands_to_the_whole_as_the_ratio(said: Quantity, aim: Quantity) -> None:
    aim = aim.model_copy(update={"unit": said.unit, "value": aim.value or Decimal(1)})
    share = ratio(said, aim)
    assert share is not None
    printed = amounts.ratio(
        share.model_dump(mode="json", exclude_none=True), said.model_dump(mode="json", exclude_none=True)
    )
    numbers = [Decimal(n.replace(",", "")) / 100 for n in re.findall(r"[\d,.]+", printed or "")]
    assert [n > 1 for n in numbers] == [n > 1 for n in (share.value, share.upper) if n is not None]
    assert [n == 1 for n in numbers] == [n == 1 for n in (share.value, share.upper) if n is not None]
    if said.op == "eq":
        assert (numbers[0] == 0) == (said.value == 0)


@settings(max_examples=200)
@given(st.lists(quantities(), max_size=12))
def test_amounts_beside_each_other_read_the_same_only_if_they_are(shown: list[Quantity]) -> None:
    near = amounts.distinct_digits([q.model_dump(mode="json", exclude_none=True) for q in shown])
    printed: dict[str, Quantity] = {}
    for quantity in shown:
        said = amounts.amount(quantity.model_dump(mode="json", exclude_none=True), near)
        assert said is not None
        assert printed.setdefault(said.short, quantity) == quantity
