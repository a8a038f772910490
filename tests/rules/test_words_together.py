"""Words put together: whatever bound, number, number word and currency are combined say what each of them says."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.profiles import examples
from tracker.currencies import CODES
from tracker.quantity import EXACT, Op, Quantity
from tracker.quantity_words import read
from tracker.quantity_words_tables import COMMA_WORDS

BEFORE: dict[Op, tuple[str, ...]] = {
    "eq": ("", "exactly "),
    "ge": ("at least ", "a minimum of ", "no less than ", "mindestens ", "≥ "),
    "gt": ("over ", "more than ", "exceeding ", "> ", "plus de "),
    "le": ("up to ", "at most ", "no more than ", "bis zu "),
    "lt": ("under ", "less than ", "< "),
    "approx": ("about ", "around ", "some ", "~", "environ "),
    "nearly": ("nearly ", "almost ", "fast "),
}
NUMBER_WORDS = {
    "": 0, "k": 3, " thousand": 3, "m": 6, " mn": 6, " million": 6, " Mio.": 6, " Millionen": 6, " millioner": 6,
    "bn": 9, " billion": 9, "B": 9, " Mrd.": 9, " milliards": 9, " miliardi": 9, "tn": 12, "T": 12, " lakh": 5,
    " crore": 7, " lakh crore": 12,
}  # fmt: skip
CURRENCIES = {
    "EUR": ("€", "EUR", "euros", "EUR€"),
    "USD": ("$", "US$", "USD", "US dollars", "USD$"),
    "CAD": ("C$", "CAD", "CAD$", "Canadian dollars"),
    "GBP": ("£", "GBP", "pounds sterling"),
    "INR": ("₹", "INR", "Indian rupees"),
    "NOK": ("NOK", "Norwegian kroner"),
    "DEM": ("DEM", "Deutschmarks"),
}


@st.composite
def spoken(draw: st.DrawFn) -> tuple[str, Quantity]:
    """An amount of money put together from words, and the quantity that they say."""
    op = draw(st.sampled_from(sorted(BEFORE)))
    tenths = draw(st.integers(1, 99999))
    word = draw(st.sampled_from(sorted(NUMBER_WORDS)))
    code = draw(st.sampled_from(sorted(CURRENCIES)))
    name = draw(st.sampled_from(CURRENCIES[code]))
    whole = f"{tenths // 10}" if word.strip(" .").lower() in COMMA_WORDS else f"{tenths // 10:,}"
    number = f"{whole}.{tenths % 10}" if tenths % 10 else whole
    amount = f"{name} {number}{word}" if draw(st.booleans()) else f"{number}{word} {name}"
    value = Decimal(tenths).scaleb(NUMBER_WORDS[word] - 1, EXACT)
    words = draw(st.sampled_from(BEFORE[op])) + amount
    return words, Quantity(op=op, value=value, unit=code)


@settings(max_examples=examples(500), deadline=None)
@given(spoken())
def test_any_bound_number_number_word_and_currency_go_together(said: tuple[str, Quantity]) -> None:
    words, quantity = said
    assert read(words) == quantity, words


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_currency_code_is_read_before_and_behind(code: str) -> None:
    for words in (f"{code} 5m", f"5m {code}", f"{code}5m", f"5m{code}", f"M{code} 5", f"5m {code}:constant-2020"):
        unit = f"{code}:constant-2020" if ":" in words else code
        assert read(words) == Quantity(op="eq", value=Decimal(5000000), unit=unit), words
