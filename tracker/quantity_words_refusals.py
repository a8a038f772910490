"""Words that say more than one quantity, or none, and where the rest of what they say belongs (DOMAIN §3)."""

from __future__ import annotations

import re

from tracker.quantity_words_tables import MAGNITUDES, UnclearWords

_TIMES = "year|yr|annum|month|week|day|decade|jahr|monat|an|année|mois"
_PER_TIME = re.compile(
    r"(?<!within)(?<! in)(?<!for)(?<!over)(?<!during)"
    rf" (?:per|a|an|each|every|pro|im|par) (?:(?:single|calendar|fiscal|financial) )?(?:{_TIMES})(?![^\W\d_])"
    rf"|(?<!^n) ?/ ?(?:{_TIMES}|a|y|m|mo)(?![^\W\d_])|(?<![^\W\d_])(?:p\. ?a\.?|pa|annually|yearly|monthly|weekly|daily"
    r"|annual|jährlich|monatlich|annuels?|mensuels?)(?![^\W\d_])"
)
_PER_QUARTER = re.compile(r"[0-9nk€$£a-z] (?:per|each|every) quarter(?![^\W\d_])|[0-9].* a quarter$")
_PER_OTHER = re.compile(r" (?:per (?!cent)|pro )([^\W\d_]+)")
_DURATION = re.compile(
    r"(?<![^\W\d_])(?:over|in|within|for|during|across|throughout|after|über|innerhalb|binnen|sur|pendant|en)"
    r"(?: [^ ]+){0,4}? (?:years?|yrs?|months?|weeks?|days?|decades?|jahren?|monaten?|ans|années|mois)(?![^\W\d_])"
)
_DATED = re.compile(
    r"(?<!than)(?<=[0-9a-z€$£%)])"
    r" (?:by|in|until|till|through|since|before|after|from|for|during|ab|seit|d'ici|en|avant"
    r"|bis(?= (?:ende )?[0-9]{4}$))"
    r" (?:the )?(?:end of |early |late |ende |mid-?|fy ?|fiscal year |financial year |calendar year )*"
    r"(?:19|20)[0-9]{2}(?:(?:-|–|/| to | and )[0-9]{2,4})?(?![0-9.,'])(?! (?:prices|[^\W\d_]*dollars|euros|us))"
)
_YEARS = re.compile(r"[a-z€$£%] ?(?:\()?(?:over |in |for )?(?:19|20)[0-9]{2}(?:-|–| to )(?:19|20)?[0-9]{2}\)?$")
_MAGNITUDE = re.compile(
    rf"(?:(?:a|the|some|over|about|around|up to|at least|more than|nearly|almost) )*(?:{'|'.join(MAGNITUDES)})"
    r"(?![^\W\d_])"
)


def must_be_timeless(said: str, low: str) -> None:
    """Refuse an amount per time and one with a date: they belong into `recurrence`, `window` and `period`.

    Raises: UnclearWords if the words say a time.
    """
    when = _DURATION.search(low) or _DATED.search(low) or _YEARS.search(low)
    if _PER_TIME.search(low) or _PER_QUARTER.search(low):
        how = "give the amount alone, and how often as 'recurrence' (every year, quarter or month)"
        ends = ", with its start and end instead of a 'window'" if when else ""
        raise UnclearWords(f'"{said}" is an amount per time; {how}{ends}')
    if match := _PER_OTHER.search(low):
        raise UnclearWords(f'"{said}" is a rate per {match[1]}; give the amount, or count:<what> that is of a rate')
    if when:
        how = "give the amount alone, and the time as 'window' of the pledge or 'period' of the figure"
        time = said[when.start() : when.end()].strip()
        raise UnclearWords(f'"{said}" has a time beside the amount, "{time}"; {how}')


def no_number(said: str, low: str) -> UnclearWords:
    """What to answer where there is no number."""
    if match := _MAGNITUDE.match(low):
        how = "is an order of magnitude; write the number that the source gives, or leave the quantity out"
        return UnclearWords(f'"{said}" has no number: "{match[0]}" {how}')
    if match := re.match(r"([A-Z]{3}) ?-?[0-9]", said):
        return UnclearWords(f'"{match[1]}" in "{said}" is no ISO 4217 currency code')
    how = 'write an amount with its unit, such as "at least 40bn EUR"'
    return UnclearWords(f'"{said}" has no number; {how}')


def left_over(rest: str, said: str) -> UnclearWords:
    """What to answer where words stand behind the amount: another amount, or something that is none."""
    if re.search(r"[0-9]", rest):
        pieces = f'"{said.removesuffix(rest).strip()}" and "{rest}"'
        if re.match(r"[(\[=≈]|or |i\.e|das sind|soit ", rest):
            how = "give the first as the quantity, and what the source itself says it comes to as its 'equivalent'"
        else:
            how = "record each as a figure of its own, or give their sum if the source does"
        return UnclearWords(f'"{said}" has two amounts, {pieces}; {how}')
    how = "give the amount alone and put the rest into 'summary'"
    return UnclearWords(f'"{rest}" stands behind the amount in "{said}"; {how}')
