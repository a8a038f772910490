"""Numbers as people write and spell them: 1,500.25 and 1.500,25, two and a half, half a, fünfundzwanzig, 5 lakh crore.

A number is kept with its possible values: whether a separator stands before decimals or between thousands is known only
with the words around it. Nothing is ever guessed: what has two values is refused with both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from tracker.quantity import DECIMALS, DIGITS
from tracker.quantity_words_tables import (
    ABBREVIATED,
    COMMA_WORDS,
    COMPOUNDS,
    ENGLISH_CARDINALS,
    ENGLISH_PARTS,
    HALVES,
    HUNDREDS,
    LONG_SCALES,
    PARTS,
    SCALES,
    SOUTH_ASIAN_WORDS,
    TEENS,
    TENS,
    UNITS,
    VULGAR,
    UnclearWords,
)

_DIGITS = re.compile(r"[0-9](?:[0-9]|[.,'](?=[0-9])| (?=[0-9])(?!155[- ]?m|[0-9]{1,2}/[0-9]))*")
_LETTERS = re.compile(r"[ -]?([^\W\d_]+)")
_VULGAR = re.compile(rf" ?([{''.join(VULGAR)}])|[ -]([1-9])/([1-9][0-9]?)(?![0-9/])")
_SLASH = re.compile(r"([1-9][0-9]?)/([1-9][0-9]?)(?![0-9/])")
_AND_PART = re.compile(
    rf" (?:and|und|et) ((?:a|an|one|two|three|ein|eine|un|une|trois) )?({'|'.join(PARTS)})(?![^\W\d_])"
)
_PLUS = re.compile(r" ?\+|-plus(?![^\W\d_])")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number without its scale: digits as they are written, or a value that words say."""

    digits: str = ""
    value: Fraction = Fraction(0)
    is_share: bool = False
    """Whether it is a fraction, or has one: half, 2½."""
    is_english: bool = True

    def values(self, *, decimal_comma: bool, south_asian: bool) -> tuple[Fraction, ...]:
        """What the number may be: one value, or two that the words around it do not tell apart.

        Raises: UnclearWords if the separators are in no order that a number has.
        """
        if not self.digits:
            return (self.value,)
        found = digit_values(self.digits, decimal_comma=decimal_comma, south_asian=south_asian)
        return tuple(value + self.value for value in found)


@dataclass(frozen=True, slots=True)
class Scale:
    """The number words behind a number, multiplied: a million, lakh crore."""

    factors: tuple[int, ...] = (1,)
    is_said: bool = False
    decimal_comma: bool = False
    south_asian: bool = False


def folded(text: str) -> str:
    """The text in lower case, of the same length: the Kelvin sign is no k, and the dotted capital I no i."""
    if "\u212a" in text or "\u0130" in text:
        return "".join(c if c in "\u212a\u0130" else c.lower() for c in text)
    return text.lower()


def digit_values(digits: str, *, decimal_comma: bool, south_asian: bool) -> tuple[Fraction, ...]:
    """The values that digits with separators may have, the likelier in English first (DOMAIN §3).

    `decimal_comma` is whether the words around the number are of a language that writes one, `south_asian` whether
    groups of two digits may be meant. One point and three digits are two numbers, and so is one comma before any other
    number of digits in English, where it may be a slip in the thousands.

    Raises: UnclearWords if there is no such number, or one of more digits than can be recorded.
    """
    if len(re.sub(r"[^0-9]", "", digits)) > DIGITS + DECIMALS:
        raise UnclearWords(f'"{digits}" has more than {DIGITS} digits before the point and {DECIMALS} after it')
    grouped = _grouped(digits, south_asian)
    found = [grouped] if grouped is not None else []
    lone = re.fullmatch(r"([0-9]+)([.,])([0-9]+)", digits)
    for point in ".,":
        whole, _, decimals = digits.partition(point)
        if digits.count(point) != 1 or not decimals.isdigit() or (value := _grouped(whole, south_asian)) is None:
            continue
        if point == "," and grouped is not None and not decimal_comma:
            continue
        found.append(value + Fraction(int(decimals), 10 ** len(decimals)))
    if lone and lone[2] == "," and grouped is None and not decimal_comma and re.fullmatch("[1-9][0-9]{0,2}", lone[1]):
        found.append(Fraction(int(lone[1] + lone[3].ljust(3, "0"))))
    if not found:
        problem = "thousands stand in groups of three, with one kind of separator between them"
        raise UnclearWords(f'"{digits}" is no number: {problem}; write 1500000 or 1,500,000')
    return tuple(found)


def _grouped(digits: str, south_asian: bool) -> Fraction | None:
    """The whole number with thousands in groups, None if they are not."""
    for separator in (",", ".", "'", " "):
        if separator in digits:
            between = re.escape(separator)
            south = rf"|[1-9][0-9]?(?:{between}[0-9]{{2}})*{between}[0-9]{{3}}" if south_asian else ""
            if not re.fullmatch(rf"[1-9][0-9]{{0,2}}(?:{between}[0-9]{{3}})+{south}", digits):
                return None
            return Fraction(int(digits.replace(separator, "")))
    return Fraction(int(digits))


def numeral(text: str) -> tuple[Numeral, str] | None:
    """The number at the start of a text in lower case, and what follows it; None if there is none."""
    if (part := share(text)) is not None:
        return _share_that_counts(*part)
    if match := _DIGITS.match(text):
        rest = text[match.end() :]
        extra, rest = _and_a_part(rest) if match[0].isdigit() else (None, rest)
        return Numeral(digits=match[0], value=extra or Fraction(0), is_share=extra is not None), rest
    if match := re.match(rf"({'|'.join(HALVES)})(?![^\W\d_])", text):
        return Numeral(value=HALVES[match[1]], is_share=True, is_english=False), text[match.end() :]
    if (found := _cardinal(text)) is None:
        return None
    value, is_english, rest = found
    extra, rest = _and_a_part(rest)
    return Numeral(value=value + (extra or 0), is_share=extra is not None, is_english=is_english), rest


def _and_a_part(rest: str) -> tuple[Fraction | None, str]:
    """The fraction that follows a number: 2½, 2 1/2, two and a half."""
    if match := _VULGAR.match(rest):
        return VULGAR[match[1]] if match[1] else Fraction(int(match[2]), int(match[3])), rest[match.end() :]
    if match := _AND_PART.match(rest):
        return Fraction(UNITS.get((match[1] or "one").strip(), 1), PARTS[match[2]]), rest[match.end() :]
    return None, rest


def share(text: str) -> tuple[Fraction, bool, str] | None:
    """The fraction at the start of a text, whether it is English, and what follows it: half, two-thirds, 3/4, ¾."""
    if text[:1] in VULGAR:
        return VULGAR[text[0]], True, text[1:]
    if match := _SLASH.match(text):
        return Fraction(int(match[1]), int(match[2])), True, text[match.end() :]
    count, at = 1, 0
    if (first := re.match(r"([^\W\d_]+)[ -]", text)) and (first[1] in UNITS or first[1] in ("a", "die", "la", "le")):
        count, at = UNITS.get(first[1], 1), first.end()
    part = re.compile(r"[^\W\d_]+").match(text, at)
    is_ordinal = part is not None and at == 0 and part[0] in ENGLISH_PARTS and part[0] not in ("half", "quarter")
    if part is None or part[0] not in PARTS or count == 0 or is_ordinal:
        return None
    return Fraction(count, PARTS[part[0]]), part[0] in ENGLISH_PARTS, text[part.end() :]


def _share_that_counts(value: Fraction, is_english: bool, rest: str) -> tuple[Numeral, str] | None:
    """A fraction of a number word or of a percent, which is a number: half a billion, a quarter of a million, ½ %."""
    match = re.match(r"[ -](?:(?:of )?(?:an?|one|ein(?:e|er)?|une?) )?(?=([^\W\d_]+))|(?= ?(%))", rest)
    if match is None or not (match[2] or match[1] in SCALES or re.match("per ?cent|pct|prozent", rest[match.end() :])):
        return None
    behind = rest[match.end() :]
    return Numeral(value=value, is_share=True, is_english=is_english), behind


def _cardinal(text: str) -> tuple[Fraction, bool, str] | None:
    """The number below a thousand at the start of a text, or `a` before a number word: one hundred and fifty."""
    value: int | None = None
    is_english, at = True, 0
    while match := _LETTERS.match(text, at):
        word = match[1]
        if at == 0 and match.start(1) != 0:
            break
        if value is None and word in ("a", "an"):
            behind = _LETTERS.match(text, match.end())
            if behind is None or (behind[1] not in SCALES and behind[1] not in HUNDREDS):
                break
            value = 1
        elif word in ("and", "und", "et") and value is not None and value >= 100 and value % 100 == 0:
            behind = _LETTERS.match(text, match.end())
            if behind is None or not any(behind[1] in table for table in (UNITS, TEENS, TENS)):
                break
        elif (larger := _with(value, word)) is not None:
            behind = _LETTERS.match(text, match.end())
            if value is None and word in HUNDREDS and (behind is None or behind[1] not in SCALES):
                break
            value = larger
        else:
            break
        is_english = is_english and word in ENGLISH_CARDINALS
        at = match.end()
    return None if value is None else (Fraction(value), is_english, text[at:])


def _with(value: int | None, word: str) -> int | None:
    """The number that a word makes of the number before it; None if it does not go on."""
    if word in HUNDREDS:
        return 100 if value is None else value * 100 if 1 <= value < 100 else None
    is_open = value is None or (value >= 100 and value % 100 == 0)
    small = UNITS.get(word)
    if small is not None:
        follows_ten = value is not None and value % 10 == 0 and value % 100 >= 20
        return (value or 0) + small if is_open or (follows_ten and small > 0) else None
    for table in (TEENS, TENS, COMPOUNDS):
        if word in table and is_open:
            return (value or 0) + table[word]
    return None


def plus(text: str) -> tuple[bool, str]:
    """Whether the text starts with the sign of "or more", and what follows it: 40+ bn, 40-plus."""
    match = _PLUS.match(text)
    return match is not None, text[match.end() :] if match else text


def scale(original: str, number: Numeral) -> tuple[Scale, str]:
    """The number words at the start of a text, multiplied, and what follows them in lower case.

    Full words stack if they grow: 5 lakh crore, ten thousand million. A `t` is a trillion only as a capital, `mm` a
    million only as capitals.
    """
    text = folded(original)
    factors: tuple[int, ...] = (1,)
    at, words = 0, list[str]()
    while match := re.compile(r"[ -]?([^\W\d_]+)").match(text, at):
        word = match[1]
        if word not in SCALES or (word in ("t", "mm") and not original[match.start(1) : match.end(1)].isupper()):
            break
        if (words and (word in ABBREVIATED or words[-1] in ABBREVIATED or SCALES[word][0] < factors[-1])) or (
            word in ABBREVIATED and match[0].startswith("-")
        ):
            break
        here = SCALES[word]
        if word in LONG_SCALES and _is_long(number, text, match.end()):
            here = (*here, LONG_SCALES[word])
        if words == ["mil"]:
            factors = (1000,)
        factors = tuple(before * factor for before in factors for factor in here)
        words.append(word)
        at = match.end() + (word in _DOTTED and text[match.end() : match.end() + 1] == ".")
    said = set(words)
    return Scale(factors, bool(words), bool(said & COMMA_WORDS), bool(said & SOUTH_ASIAN_WORDS)), original[at:]


_DOTTED = ABBREVIATED | {"mill"}
"""Number words that may end in a point."""


def _is_long(number: Numeral, text: str, end: int) -> bool:
    """Whether the language around a billion is one in which it is a million millions."""
    return not number.is_english or re.compile(r" d'| de ").match(text, end) is not None
