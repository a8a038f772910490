"""Phrasings that are seldom met: number words that go on, currencies that are told twice, points at the end (§3)."""

import pytest

from tests.rules.test_words_table import rows
from tracker.quantity import plain
from tracker.quantity_words import read
from tracker.quantity_words_numbers import folded
from tracker.quantity_words_tables import UnclearWords

UNDERSTOOD = """
# a number word that goes on, and one with a fraction
zwei hundert und fünf Millionen Euro = eq 205000000 EUR
deux cents et cinq millions d'euros = eq 205000000 EUR
cent millions d'euros = eq 100000000 EUR
twenty-one countries = eq 21 count:countries
one hundred and twenty-five countries = eq 125 count:countries
two and three quarters million EUR = eq 2750000 EUR
three and two thirds million EUR = approx 3666666.67 EUR
2 and three quarters million EUR = eq 2750000 EUR
a hundred and fifty million euros = eq 150000000 EUR
die Hälfte des BIP = eq 50 percent:gdp
le tiers de 3 milliards d'euros = eq 1000000000 EUR
la moitié de 3 milliards d'euros = eq 1500000000 EUR
half of 0.00000000000000001 EUR = eq 0.000000000000000005 EUR
# what is exactly a fraction without an end is rounded, and so is a share of members
exactly a third of a billion EUR = approx 333333333.33 EUR
exactly a third of GDP = approx 33.33 percent:gdp
exactly half of the members = approx 50 percent:members
# groups of two digits before decimals
12,34,567.50 INR = eq 1234567.5 INR
1,00,000 crore USD = eq 1000000000000 USD
# words of a language that writes a comma before decimals
1,5 million de nations = eq 1500000 count:countries
# a currency before the number, behind other words or told twice
a total of EUR 5bn = eq 5000000000 EUR
a total of EUR -5bn = eq -5000000000 EUR
$5m dollars = eq 5000000 USD
£5m pounds = eq 5000000 GBP
€40 EURm = eq 40000000 EUR
$5m pesos MXN = eq 5000000 MXN
$5m USD:constant-2020 = eq 5000000 USD:constant-2020
EUR - 40bn = eq -40000000000 EUR
- 40bn EUR = eq -40000000000 EUR
# halves and quarters without a number before them
la moitié de 10bn EUR = eq 5000000000 EUR
quarter of 10bn EUR = eq 2500000000 EUR
quarter million EUR = eq 250000 EUR
# as many digits as a number may have
111111111111111111111111111111.111111111111111111 EUR = eq 111111111111111111111111111111.111111111111111111 EUR
# a point at the end
€5. = eq 5 EUR
EUR 5 . = eq 5 EUR
2 % of gross domestic product. = eq 2 percent:gdp
50 % of the members. = eq 50 percent:members
"""

REFUSED = """
# number words that do not go on
five six EUR => "six EUR" is no unit
twenty zero EUR => "zero EUR" is no unit
two hundred and odd trees => "and odd trees" is no unit
hundred EUR => has no number
one hundred hundred and five trees => "and five trees" is no unit
5 million thousand EUR => "thousand EUR" is no unit
5 k million EUR => "million EUR" is no unit
5bn EUR X => "X"
40 € bn => "bn"
5-m EUR => "-m EUR" is no unit
zwischen 5 EUR => is not a range of two amounts
1,5 million of euros => 1500000 EUR | 1500000000 EUR
# a billion in a language in which it is a million millions
anderthalb Billion Euro => 1500000000 EUR | 1500000000000 EUR
eine halbe Billion Euro => 500000000 EUR | 500000000000 EUR
# number words beside the currency
€t 40 => 40000 EUR | 40000000000000 EUR
MEUR million 40 => has no number
€mio. 40 USD => has two units, €mio. and "USD"
€m 40 MEUR => has two units, €m and "MEUR"
EURm 40 USD => has two units, EURm and "USD"
# a code that is none
5 Btc => "Btc" in "5 Btc" is no ISO 4217 currency code
# currencies that two words leave open, or that no two words say
kr 5m kroner => Swedish, Norwegian, Danish or Icelandic crowns | SEK, NOK, DKK or ISK
USD:constant-2020 5bn USD:constant-2015 => has two units
$5m pesos => the pesos of several states | MXN, ARS, CLP or another
5m riyals => the riyals of several states | SAR, QAR, OMR or another
"""


@pytest.mark.parametrize(("words", "said"), rows(UNDERSTOOD))
def test_seldom_words_say_one_quantity(words: str, said: str) -> None:
    quantity = read(words)
    assert f"{quantity.op} {plain(quantity.value)} {quantity.unit}" == said


@pytest.mark.parametrize(
    ("words", "said"),
    [line.split(" => ") for line in REFUSED.strip().splitlines() if not line.startswith("#")],
)
def test_seldom_words_are_refused_with_the_reason(words: str, said: str) -> None:
    with pytest.raises(UnclearWords) as refused:
        read(words)
    assert [piece for piece in said.split(" | ") if piece not in str(refused.value)] == [], str(refused.value)


@pytest.mark.parametrize(("characters", "is_too_long"), [(200, False), (201, True)])
def test_words_have_200_characters_at_most(characters: int, is_too_long: bool) -> None:
    with pytest.raises(UnclearWords) as refused:
        read("x" * characters)
    assert ("more than 200 characters" in str(refused.value)) == is_too_long


def test_every_letter_is_folded_but_the_kelvin_sign_and_the_dotted_capital_i() -> None:
    assert folded("5 \u212aX, \u0130STANBUL") == "5 \u212ax, \u0130stanbul"
    assert folded("5 \u0130X") == "5 \u0130x"
    assert folded("5 KX, ISTANBUL") == "5 kx, istanbul"
