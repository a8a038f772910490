"""Quantities in words: "over €50bn", "at least 2 % of GDP", "two-thirds of Allies", "2 million rounds of 155 mm".

A quantity reads `[bound] amount`, where the bound is one of the phrases of DOMAIN §3 ("at least", "more than",
"nearly", …; `≥ > ≤ < ~` too) or a suffix ("or more", "or less"), and the amount is a number with an optional scale
(`k m mn bn tn` or the word) and a unit: a currency symbol or code, `%` of something, `count:<slug>`,
`percent:<slug>`, or one of the countable nouns below. Where two readings are possible it refuses, and says why.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal

from pydantic import ValidationError

from tracker.quantity import BOUND_ROUNDING, EXACT, Op, Quantity
from tracker.units import CURRENCIES, is_labelled


class UnclearWords(ValueError):
    """The words do not say one quantity; the message says what is missing or what the two readings are."""


_ASCII = re.IGNORECASE | re.ASCII
"""Letters are folded as ASCII has them: the long s and the dotless i are not letters of a unit."""

_BOUNDS: list[tuple[str, Op]] = [
    (r"at least|(?:a )?minimum of|no(?:t)? (?:less|fewer) than|≥|>=", "ge"),
    (r"more than|over|exceeding|in excess of|above|greater than|>", "gt"),
    (r"up to|at most|no(?:t)? more than|(?:a )?maximum of|≤|<=", "le"),
    (r"under|less than|fewer than|below|<", "lt"),
    (r"about|around|some|approximately|approx\.?|roughly|circa|ca\.|~|≈", "approx"),
    (r"nearly|almost|close to", "nearly"),
    (r"exactly|precisely", "eq"),
]
_PREFIX = [(re.compile(rf"(?:{words})(?=[\s0-9€$£₴-])\s*", _ASCII), op) for words, op in _BOUNDS]
_SUFFIX: list[tuple[re.Pattern[str], Op]] = [
    (re.compile(r"\s+(?:or more|and more|and above|at least)$", _ASCII), "ge"),
    (re.compile(r"\s+(?:or less|or fewer|at most)$", _ASCII), "le"),
]

_SYMBOLS = {
    "€": "EUR",
    "US$": "USD",
    "C$": "CAD",
    "CA$": "CAD",
    "A$": "AUD",
    "AU$": "AUD",
    "NZ$": "NZD",
    "$": "USD",
    "£": "GBP",
    "₴": "UAH",
    "₺": "TRY",
    "₩": "KRW",
    "₹": "INR",
}
_NAMES = {
    "euro": "EUR",
    "euros": "EUR",
    "us dollar": "USD",
    "us dollars": "USD",
    "u.s. dollars": "USD",
    "pounds sterling": "GBP",
    "hryvnia": "UAH",
    "hryvnias": "UAH",
    "zloty": "PLN",
    "zlotys": "PLN",
    "swedish kronor": "SEK",
    "norwegian kroner": "NOK",
    "danish kroner": "DKK",
    "swiss francs": "CHF",
    "canadian dollars": "CAD",
    "australian dollars": "AUD",
    "japanese yen": "JPY",
}
_UNCLEAR_MONEY = {
    "¥": "yen or yuan",
    "kr": "Swedish, Norwegian, Danish or Icelandic crowns",
    "dollar": "the dollars of several states",
    "dollars": "the dollars of several states",
    "pounds": "the pounds of several states, or a weight",
    "crowns": "the crowns of several states",
    "kroner": "Norwegian or Danish crowns",
    "francs": "the francs of several states",
    "pesos": "the pesos of several states",
    "rubles": "Russian or Belarusian roubles",
}
_SCALES = {
    "": 0,
    "k": 3,
    "thousand": 3,
    "m": 6,
    "mn": 6,
    "mln": 6,
    "mio": 6,
    "million": 6,
    "millions": 6,
    "bn": 9,
    "bln": 9,
    "billion": 9,
    "billions": 9,
    "tn": 12,
    "trn": 12,
    "trillion": 12,
    "trillions": 12,
}
_COUNTED = {
    r"(?:155[- ]?(?:mm|millimet(?:er|re)s?) (?:artillery )?(?:rounds|shells))": "count:155mm-rounds",
    r"(?:(?:artillery )?(?:rounds|shells) of 155[- ]?(?:mm|millimet(?:er|re)s?)(?: (?:artillery )?"
    r"(?:shells|rounds|ammunition))?)": "count:155mm-rounds",
    r"(?:artillery )?(?:rounds|shells)": "count:rounds",
    r"(?:nato )?allies|allied (?:countries|nations)": "count:allies",
    r"(?:member (?:states|nations|countries)|members)": "count:members",
    r"(?:countries|states|nations)": "count:countries",
    r"trees": "count:trees",
    r"troops|soldiers": "count:troops",
}
_WHOLES = {
    "gdp": "gdp",
    "gross domestic product": "gdp",
    "economic output": "gdp",
    "allies": "members",
    "nato allies": "members",
    "members": "members",
    "member states": "members",
    "nato members": "members",
    "the members": "members",
}
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
).split()
_PARTS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}
_FRACTION = re.compile(
    rf"(?:(?P<count>a|one|two|three|four|five|six|seven|eight|nine)[\s-]+)?(?P<part>{'|'.join(_PARTS)})s?"
    r"(?:\s+(?:of\s+)?(?P<rest>.+))?",
    re.I,
)
_NUMBER = r"-?[0-9](?:[0-9.,'\u2019]| (?!155[- ]?m))*[0-9]|-?[0-9]"
_SYMBOL = rf"(?:{'|'.join(re.escape(s) for s in sorted([*_SYMBOLS, '¥'], key=len, reverse=True))}|[A-Z]{{3}})"
_SCALE = rf"(?:(?:{'|'.join(sorted((s for s in _SCALES if s), key=len, reverse=True))})(?![A-Za-z]))"
_AMOUNT = re.compile(
    rf"(?P<minus>-)?(?P<symbol>{_SYMBOL})?\s*"
    rf"(?P<number>{_NUMBER}|(?:{'|'.join(_SMALL)})(?![A-Za-z]))\s*"
    rf"(?P<scale>{_SCALE})?\s*"
    r"(?P<unit>.*)",
    _ASCII | re.S,
)
_RANGE = re.compile(rf"(-?{_SYMBOL}?\s?(?:{_NUMBER})\s?{_SCALE}?)(?:\s?[-–—]\s?| to )(-?{_SYMBOL}?\s?[0-9].*)", _ASCII)
_TOTAL = re.compile(
    rf"^(?:a total of|[Aa]ll|the|a|an)\s+(?=(?:{_SYMBOL}\s?)?(?:[0-9]|(?:{'|'.join(_SMALL)})\b))", re.ASCII
)
_PER_TIME = re.compile(
    r"\s+(?:per|a|each|every)\s+(?:year|month|week|day|annum|quarter)$|\s+(?:annually|yearly|monthly)$", _ASCII
)
_ARTICLES = re.compile(r"^(?:the|its|their|our|all|a|national)\s+", _ASCII)


def read(words: str) -> Quantity:
    """The one quantity that the words say, with the words kept as `text`.

    Raises: UnclearWords if a unit is missing, a number can be read in two ways, or the words are not a quantity.
    """
    said = " ".join(words.replace("\u2212", "-").split())
    if not said:
        raise UnclearWords('there are no words; write an amount with its unit, such as "over 50bn EUR"')
    if len(said) > 200:
        raise UnclearWords("more than 200 characters; give the quantity alone and put the rest into 'summary'")
    try:
        quantity = _read(said)
        return Quantity(op=quantity.op, value=quantity.value, upper=quantity.upper, unit=quantity.unit, text=said)
    except ValidationError as error:
        reason = error.errors()[0]
        problem = "more than 30 digits or 12 decimal places" if reason["type"] == "decimal_string" else reason["msg"]
        raise UnclearWords(f'"{said}": {problem}') from None


def _read(said: str) -> Quantity:
    if match := re.fullmatch(r"between (.+?) and (.+)|from (.+?) to (.+)", said, _ASCII):
        low, high = (match[1], match[2]) if match[1] else (match[3], match[4])
        return _between(low, high)
    if match := _RANGE.fullmatch(said):
        return _between(match[1], match[2])
    op, rest = _bound(said)
    return _amount(rest, op)


def _bound(said: str) -> tuple[Op | None, str]:
    for pattern, op in _PREFIX:
        if match := pattern.match(said):
            rest = said[match.end() :]
            if any(p.match(rest) for p, _ in _PREFIX):
                raise UnclearWords(f'"{said}" has two bounds; keep the one that the source means')
            return op, rest
    for pattern, op in _SUFFIX:
        if match := pattern.search(said):
            return op, said[: match.start()]
    return None, said


def _between(low: str, high: str) -> Quantity:
    """Both ends in one unit; what one end leaves out it takes from the other: "10–12bn EUR", "€10–12bn"."""
    own, other = _AMOUNT.fullmatch(low), _AMOUNT.fullmatch(high)
    if own is None or other is None:
        raise UnclearWords(f'"{low}" to "{high}" is not a range of two amounts')
    unit = (own["symbol"] or own["unit"], other["symbol"] or other["unit"])
    units = {_unit(None, word.strip(), f"{low} to {high}") for word in unit if word} or {_unit(None, "", high)}
    if len(units) == 2:
        raise UnclearWords(f"two units, {' and '.join(sorted(units))}; a range has one")
    lower, upper = _value(own, own["scale"] or other["scale"], low), _value(other, other["scale"], high)
    return Quantity(op="between", value=lower, upper=upper, unit=units.pop())


def _amount(said: str, op: Op | None) -> Quantity:
    if fraction := _FRACTION.fullmatch(said):
        return _fraction(fraction, op)
    if match := _PER_TIME.search(said):
        raise UnclearWords(f'"{said}" is an amount per time; give the amount alone, and the time as window or period')
    match = _AMOUNT.fullmatch(_TOTAL.sub("", said))
    if match is None:
        raise UnclearWords(f'"{said}" has no number; write an amount with its unit, such as "at least 40bn EUR"')
    value = _value(match, match["scale"], said)
    unit = _unit(match["symbol"], match["unit"].strip(), said)
    return Quantity(op=op or "eq", value=value, unit=unit)


def _fraction(match: re.Match[str], op: Op | None) -> Quantity:
    """The share of an amount, or in percent of what is named.

    What is no finite decimal is rounded to two places: a bound to the side that keeps it true ("more than two-thirds":
    over 66.66 %), the rest to the nearest, as `approx`.
    """
    count = (match["count"] or "a").lower()
    parts = _PARTS[match["part"].lower()]
    share = Decimal(_SMALL.index(count) if count != "a" else 1)
    rest = (match["rest"] or "").strip()
    if re.search(r"[0-9]", rest):
        whole = _amount(_ARTICLES.sub("", rest), None)
        amount, unit = EXACT.multiply(whole.value, share), whole.unit
    elif not rest or rest.lower().startswith(("which", "it", "that", "the total", "from")):
        amount, unit = share * 100, "percent:total"
    else:
        amount, unit = share * 100, f"percent:{_whole(rest)}"
    value = EXACT.divide(amount, parts)
    if value != value.quantize(Decimal("1e-12"), context=EXACT):
        value = value.quantize(Decimal("0.01"), rounding=BOUND_ROUNDING.get(op or "eq", ROUND_HALF_EVEN), context=EXACT)
        op = op if op not in (None, "eq") else "approx"
    return Quantity(op=op or ("approx" if unit == "percent:members" else "eq"), value=value, unit=unit)


def _value(amount: re.Match[str], scale: str | None, said: str) -> Decimal:
    number = _number(amount["number"], said)
    if amount["minus"]:
        if number.is_signed():
            raise UnclearWords(f'"{said}" has two minus signs')
        number = number.copy_negate()
    return number.scaleb(_SCALES[(scale or "").lower()], EXACT)


def _number(digits: str, said: str) -> Decimal:
    """The number, English style: comma or space between thousands, a point before decimals."""
    if digits.lower() in _SMALL:
        return Decimal(_SMALL.index(digits.lower()))
    text = digits.replace("\u2019", "'")
    whole, point, decimals = text.partition(".")
    if any(c in decimals for c in ".,' "):
        raise UnclearWords(
            f'"{digits}" can be read in two ways; write 1500000 or 1,500,000, and decimals after a point'
        )
    for separator in ",' ":
        if separator in whole:
            if not re.fullmatch(rf"-?\d{{1,3}}(?:{re.escape(separator)}\d{{3}})+", whole):
                raise UnclearWords(f'"{digits}" in "{said}" may be a decimal comma or thousands; write 1.5 or 1,500')
            whole = whole.replace(separator, "")
    if decimals and len(decimals) > 12:
        raise UnclearWords(f'"{digits}" has more than 12 decimal places')
    if len(whole.lstrip("-")) > 30:
        raise UnclearWords(f'"{digits}" has more than 30 digits')
    return Decimal(f"{whole}{point}{decimals}")


def _unit(symbol: str | None, unit: str, said: str) -> str:
    unit = re.sub(r"\s*\((?:[^()]*\d[^()]*)\)$", "", unit)
    if symbol is not None:
        if unit and unit.upper() != _currency(symbol, said):
            raise UnclearWords(f'"{said}" has two units, {symbol} and "{unit}"; give one')
        return _currency(symbol, said)
    lower = unit.lower()
    if not unit:
        raise UnclearWords(
            f'"{said}" has no unit; name the currency ("50bn EUR") or what is counted ("2m count:trees")'
        )
    if is_labelled(unit):
        return unit
    if unit in _SYMBOLS or lower in _NAMES or lower in _UNCLEAR_MONEY or re.fullmatch(r"[A-Za-z]{3}", unit):
        for pattern, counted in _COUNTED.items():
            if re.fullmatch(pattern, lower):
                return counted
        return _currency(unit, said)
    if match := re.fullmatch(r"(?:%|per ?cent|percent)(?:\s+(?P<whole>.+))?", lower):
        if not match["whole"]:
            raise UnclearWords(f'"{said}": percent of what? Write "2 % of GDP" or "2 percent:gdp"')
        return f"percent:{_whole(re.sub(r'^of +', '', match['whole']))}"
    for pattern, counted in _COUNTED.items():
        if re.fullmatch(pattern, lower):
            return counted
    raise UnclearWords(
        f'"{unit}" is no unit; use a currency code, or "count:<what>" or "percent:<of what>" in lower case'
    )


def _currency(symbol: str, said: str) -> str:
    if symbol.lower() in _UNCLEAR_MONEY:
        raise UnclearWords(f'"{symbol}" in "{said}" may be {_UNCLEAR_MONEY[symbol.lower()]}; write the ISO 4217 code')
    code = _SYMBOLS.get(symbol.upper()) or _NAMES.get(symbol.lower()) or symbol.upper()
    if code not in CURRENCIES:
        raise UnclearWords(f'"{symbol}" in "{said}" is no ISO 4217 currency code')
    return code


def _whole(words: str) -> str:
    """The slug of what a percentage is of."""
    name = words.strip().lower().rstrip(".")
    while (shorter := _ARTICLES.sub("", name)) != name:
        name = shorter
    name = _WHOLES.get(name, name)
    slug = re.sub(r"[^a-z0-9]+", "-", name).strip("-")
    if not slug or len(name.split()) > 5:
        raise UnclearWords(f'"{words}": name what the percentage is of in a few words, such as "percent:gdp"')
    return slug
