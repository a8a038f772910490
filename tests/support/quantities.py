"""Quantities for the tests of properties, and DOMAIN §3 written down a second time."""

from decimal import Decimal
from itertools import pairwise

from hypothesis import strategies as st

from tracker import quantity_words
from tracker.quantity import EXACT, Op, Quantity

TINY, HUGE = Decimal("1e-30"), Decimal("1e40")
UNITS = st.sampled_from(
    ["EUR", "USD", "ALL", "USD:constant-2020", "count:155mm-rounds", "count:1-2", "percent:gdp", "percent:members"]
)


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


def samples(*quantities: Quantity) -> list[Decimal]:
    """Every end of every quantity, a hair to either side, what lies between, and what lies far out."""
    ends = {Decimal(0), -HUGE, HUGE}
    for said in quantities:
        ends |= {said.value, said.value - tolerance(said), said.value + tolerance(said)}
        ends |= {said.upper} if said.upper is not None else set()
    near = {x + hair for x in ends for hair in (-TINY, 0, TINY)}
    return sorted(near | {(a + b) / 2 for a, b in pairwise(sorted(ends))})
