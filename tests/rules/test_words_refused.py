"""Phrasings that are refused, each with what the refusal says: both readings where there are two (DOMAIN §3, Words).

Behind `=>` stand the pieces of the message, separated by `|`.
"""

import re

import pytest

from tests.rules.test_words_table import UNDERSTOOD, rows
from tracker.quantity_words import read
from tracker.quantity_words_tables import UnclearWords

REFUSED = """
# one separator and three digits, or one comma
200.000 EUR => 200000 EUR | 200 EUR
1.500 EUR => 1500 EUR | 1.5 EUR
1.375 EUR => 1375 EUR | 1.3750 EUR
€1.500 => 1500 EUR | 1.5 EUR
$200.000 => 200000 USD | 200 USD
over 200.000 EUR => over 200000 EUR | over 200 EUR
at least 1.500 trees => at least 1500 count:trees | at least 1.5 count:trees
1.500 million EUR => 1500000000 EUR | 1500000 EUR
$1.375 billion => 1375000000000 USD | 1375000000 USD
1.500 Mrd. Euro => 1500000000000 EUR | 1500000000 EUR
1,500 Mrd. Euro => 1500000000000 EUR | 1500000000 EUR
1,500 milliards d'euros => 1500000000000 EUR | 1500000000 EUR
1,500 millones de euros => 1500000000 EUR | 1500000 EUR
-1.500 EUR => -1500 EUR | -1.5 EUR
3.681 % of GDP => 3681 percent:gdp | 3.6810 percent:gdp
$1,5 => 1.5 USD | 1500 USD
1,5 EUR => 1.5 EUR | 1500 EUR
1,50 EUR => 1.5 EUR | 1500 EUR
12,5 EUR => 12.5 EUR | 12500 EUR
€1,25 => 1.25 EUR | 1250 EUR
1,2345 EUR => 1.2345 EUR | 12345 EUR
1,5 million euros => 1500000 EUR | 1500000000 EUR
1,5bn EUR => 1500000000 EUR | 1500000000000 EUR
nearly 1,5m EUR => nearly 1500000 EUR | nearly 1500000000 EUR
2,5 % of GDP => 2.5 percent:gdp | 2500 percent:gdp
2,5 mln zł => 2500000 PLN | 2500000000 PLN
between 1.500 and 2.000 EUR => 1500 EUR | 1.5 EUR
half of 1.500 EUR => 750 EUR | 0.75 EUR
# two numbers in words, one after the other
one hundred twenty-three four million euros => "four million euros" is no unit
one hundred twelve five million EUR => "five million EUR" is no unit
one hundred five twenty million EUR => "twenty million EUR" is no unit
zero five million euros => "five million euros" is no unit
null fünf Millionen Euro => "fünf Millionen Euro" is no unit
# number words that are two numbers
2 bio EUR => 2000000000 EUR | 2000000000000 EUR
5 mil EUR => 5000 EUR | 5000000 EUR
2 billions d'euros => 2000000000 EUR | 2000000000000 EUR
deux billions d'euros => 2000000000 EUR | 2000000000000 EUR
eine Billion Euro => 1000000000 EUR | 1000000000000 EUR
2 billones de euros => 2000000000 EUR | 2000000000000 EUR
5 bilhões de reais => 5000000000 BRL | 5000000000000 BRL
1 trillion de dollars américains => 1000000000000 USD | 1000000000000000000 USD
TEUR 40 => 40000 EUR | 40000000000000 EUR
40 TEUR => 40000 EUR | 40000000000000 EUR
# separators in no order
1,23 4 EUR => "1,23 4" is no number | groups of three
12,34,567 EUR => "12,34,567" is no number | groups of three
1.2.3 EUR => "1.2.3" is no number | groups of three
1,2,3 EUR => "1,2,3" is no number
1.23.456 EUR => "1.23.456" is no number
1,234.567.8 EUR => is no number
5 3 EUR => "5 3" is no number
1234,567,890 EUR => is no number
1'23 EUR => is no number
0,000,000 EUR => is no number
--5 EUR => two minus signs
-€-5 => two minus signs
# too long, or none
1234567890123456789012345678901 EUR => more than 30 digits before the point
999999999999999999999999999999bn EUR => more than 30 digits before the point
0.1234567890123456789 EUR => 18 after it
1234567890123456789012345678901234567890123456789 EUR => more than 30 digits before the point and 18 after it
under 0 EUR => no amount is under 0
up to -5 EUR => no amount is up to -5
nearly 0 EUR => no amount is nearly 0
between 12 and 10bn EUR => 'upper' lies below 'value'
# no number
EUR => has no number
over => has no number
billions of euros => "billions" | order of magnitude
hundreds of millions of dollars => "hundreds" | order of magnitude
tens of billions of euros => "tens" | order of magnitude
several million euros => "several" | order of magnitude
a few million euros => "a few" | order of magnitude
many countries => "many" | order of magnitude
dozens of countries => "dozens" | order of magnitude
thousands of troops => "thousands" | order of magnitude
over millions of euros => order of magnitude
million euros => has no number
euros => has no number
at least => has no number
a euro => has no number
Milliarden Euro => has no number
centaines de millions d'euros => order of magnitude
no money => has no number
tbd => has no number
an estimated EUR => has no number
n/a => has no number
٣ EUR => has no number
5E9 EUR => has an exponent
# no unit
40bn => has no unit; name the currency
half a million => has no unit; name the currency
50 million => has no unit; name the currency
40+ bn => has no unit; name the currency
all 32 => has no unit
5 lakh crore => has no unit
ten thousand => has no unit
between 10 and 12bn => has no unit
-5 => has no unit
# currencies that are several
¥5 => yen or yuan | JPY | CNY
5 dollars => the dollars of several states | USD, CAD, AUD
5bn kr => Swedish, Norwegian, Danish or Icelandic crowns | SEK, NOK, DKK or ISK
mkr 40 => Swedish, Norwegian, Danish or Icelandic crowns
5 pounds => the pounds of several states, or a weight | GBP, EGP
5 francs => the francs of several states | CHF, XOF, XAF
5m pesos => the pesos of several states | MXN
5m rupees => the rupees of several states | INR
Rs 5m => the rupees of several states | INR
5m dinars => the dinars of several states | KWD
5m crowns => the crowns of several states | SEK, NOK, DKK or another
5m kroner => the crowns of several states | SEK, NOK, DKK or another
5m rubles => the roubles of several states | RUB or BYN
5m dirhams => the dirhams of several states | AED or MAD
5m CFA francs => West or Central African CFA francs | XOF or XAF
5m FCFA => West or Central African CFA francs | XOF or XAF
5m francs CFA => West or Central African CFA francs | XOF or XAF
5m CFA => West or Central African CFA francs | XOF or XAF
1 CFA franc => West or Central African CFA francs | XOF or XAF
5m won => the won of several states | KRW or KPW
5m lira => the liras of several states | TRY
5m marks => the marks of several states | DEM
5m shillings => the shillings of several states | KES
5m lei => the lei of several states | RON or MDL
5m constant 2020 dollars => the dollars of several states | USD, CAD, AUD
A $50 million => an article or the "A" of A$
# no currency, or two
5 BTC => "BTC" in "5 BTC" is no ISO 4217 currency code
XYZ 5 => "XYZ" in "XYZ 5" is no ISO 4217 currency code
5m XXX => is no ISO 4217 currency code
EUR 5 USD => has two units, EUR and "USD"
$5m EUR => has two units, $ and "EUR"
A$5m CAD => has two units
£5m USD => has two units
€5m Swiss francs => has two units
EUR$5m => has two units
between 5 EUR and 6 USD => two units, EUR and USD
€5m count:trees => has two units
MNOK 40 million => has two number words
EUR million 5 bn => has two number words
40 million MEUR => has two number words
5bn USD:constant-1820 => no unit
5bn USD:constant-2020 (2021 prices) => has two amounts
# two amounts
around $100m (€92m) => two amounts | 'equivalent'
€40 billion ($44 billion) => two amounts | 'equivalent'
approximately $1.3 trillion (€1.1 trillion) => two amounts | 'equivalent'
€92m or $100m => two amounts | 'equivalent'
€92m = $100m => two amounts | 'equivalent'
50 million Euros in loans and €10m in grants => two amounts | a figure of its own
€5bn $6bn => has two units
€5bn and $6bn => two amounts | a figure of its own
€5bn plus €2bn => two amounts | a figure of its own
€5bn, €2bn of it new => two amounts
EUR 5m + EUR 3m => two amounts
5m EUR; 3m USD => two amounts
2 million 500 EUR => two amounts
over 10 to 12bn EUR => two amounts
# more than the amount
50 million euros in loans => "in loans" stands behind the amount | 'summary'
€5bn in aid => "in aid" stands behind the amount
€5bn of military aid => "of military aid" stands behind the amount
€5bn (loans) => "(loans)" stands behind the amount
€5bn approx => "approx" stands behind the amount
5m EUR new money => "new money" stands behind the amount
€5bn in constant prices => "in constant prices" stands behind the amount
an extra €5bn => has no number
# time
€1bn/yr => amount per time | 'recurrence'
€1bn / year => amount per time | 'recurrence'
€40bn a year => amount per time | 'recurrence'
100bn USD per year => amount per time | 'recurrence'
100bn USD per annum => amount per time | 'recurrence'
100bn USD each year => amount per time | 'recurrence'
100bn USD every year => amount per time | 'recurrence'
100bn USD p.a. => amount per time | 'recurrence'
100bn USD annually => amount per time | 'recurrence'
100bn USD yearly => amount per time | 'recurrence'
€5m a month => amount per time | 'recurrence'
5 EUR per month => amount per time | 'recurrence'
€5m per quarter => amount per time | 'recurrence'
€5m a quarter => amount per time | 'recurrence'
an annual €5m => amount per time | 'recurrence'
5 Mio. Euro pro Jahr => amount per time | 'recurrence'
5 Mio. Euro jährlich => amount per time | 'recurrence'
2 milliards d'euros par an => amount per time | 'recurrence'
at least $100bn a year from 2020 to 2025 => amount per time | 'recurrence' | instead of a 'window'
up to USD 50 million over five years => "over five years" | 'window'
USD 50 million over 5 years => "over 5 years" | 'window'
USD 50 million over the next three years => "over the next three years" | 'window'
€5bn in two years => 'window'
€5bn within a year => 'window'
€5bn within 18 months => 'window'
€5bn for five years => 'window'
€5bn by 2030 => by 2030 | 'window'
€5bn by the end of 2030 => 'window'
€5bn by mid-2026 => 'window'
€5bn in 2024 => in 2024 | 'window'
€5bn for 2024 => 'window'
€5bn in FY2024 => 'window'
€5bn from 2021 to 2027 => 'window'
€5bn since 2022 => 'window'
€5bn until 2027 => 'window'
€5bn through 2027 => 'window'
€5bn 2021-2027 => 'window'
€5bn (2021–2027) => 'window'
2 % of GDP by 2024 => 'window'
1,5 Mrd. Euro bis 2030 => 'window'
over five years => 'window'
5 Mio. Euro über drei Jahren => 'window'
# other rates
€50 per tonne => a rate per tonne
$2 per person => a rate per person
5 EUR per head => a rate per head
# percentages
2% of GDP by 2024 and beyond => 'window'
20 % => percent of what?
nearly 20 per cent => percent of what?
half a percent => percent of what?
at least 55 % below 1990 levels => 'baseline' | percent:below-baseline
55 % below 1990 => 'baseline' | percent:below-baseline
20 % above 2010 levels => 'baseline' | percent:above-baseline
20 % less than in 2010 => 'baseline' | percent:below-baseline
40 % lower than business as usual => 'baseline' | percent:below-baseline
30 % more than last year => 'baseline' | percent:above-baseline
5 percentage points => the difference of two percentages
2 percent points of GDP => the difference of two percentages
10 % of €40bn => a share of an amount
10 % of 40bn EUR => a share of an amount
2 % of a billion euros => a share of an amount
2% of what the members of the alliance earn => in a few words
50 % of 2019 => in a few words
half of three-quarters => a share of an amount
# fractions
half a billion => has no unit; name the currency
half of a billion => has no unit; name the currency
half of billions of euros => a share of an amount
half of the euros => a share of an amount
half euros => half of what?
half EUR => half of what?
a third party => half of what?
two-thirds majority => half of what?
half of percent:gdp => in a few words
# bounds
over about 5 EUR => has two bounds
at least over 5 EUR => has two bounds
over €5bn or more => has two bounds
at least 40+ bn EUR => has two bounds
up to about 5 EUR => has two bounds
between 40+ and 50bn EUR => has two bounds
between a few and many EUR => is not a range of two amounts
# units
5 km => is no unit
5t EUR => T | trillion | thousand | tonnes
5 tonnes => count:tonnes
5 years => 'window'
2 mm EUR => mm is a millimetre
one billion citizens => "citizens" is no unit | count:citizens
5 million people => count:people
5 count:Trees => is no unit
5 thouſand EUR => is no unit
5K EUR => is no unit
5 k m EUR => is no unit
"""


def refusals() -> list[tuple[str, list[str]]]:
    lines = (line for line in REFUSED.strip().splitlines() if not line.startswith("#"))
    pairs = (line.split(" => ") for line in lines)
    return [(words, [piece.strip() for piece in said.split(" | ")]) for words, said in pairs]


@pytest.mark.parametrize(("words", "said"), refusals())
def test_words_that_do_not_say_one_quantity_are_refused_with_the_reason(words: str, said: list[str]) -> None:
    with pytest.raises(UnclearWords) as refused:
        read(words)
    assert [piece for piece in said if piece not in str(refused.value)] == [], str(refused.value)


def test_every_reading_that_a_refusal_offers_can_be_written() -> None:
    offered = 0
    for words, _ in refusals():
        with pytest.raises(UnclearWords) as refused:
            read(words)
        if match := re.search('" may be (.+); write the one that the source means', str(refused.value)):
            for reading in match[1].split(" or "):
                assert str(read(reading)) == reading
                offered += 1
    assert offered > 60


def test_the_tables_have_400_phrasings_none_of_them_twice() -> None:
    words = [words for words, _ in (*rows(UNDERSTOOD), *refusals())]
    assert len(words) == len(set(words)) >= 400
    assert len(refusals()) >= 200
