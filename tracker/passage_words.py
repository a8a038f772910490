"""What a passage of a source says: its amounts and its days, each as it stands there.

An amount is the longest run of words that `quantity_words` reads as one quantity; what it refuses, and what may be read
in two ways, is not found. A day is one that is written with its month in letters (English) or as ISO 8601 has it:
10/11/2025 is two days, so it is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from tracker.quantity import Quantity
from tracker.quantity_words import UnclearWords, read
from tracker.quantity_words_currencies import currency
from tracker.quantity_words_numbers import folded, numeral, share

MAX_PASSAGE = 8_000
"""Characters of a passage that is looked through, at most."""

MAX_FOUND_AMOUNTS = 40
"""Amounts that are found in one passage, and as many days, at most: the first ones."""

_MAX_NUMBERS = 120
"""Numbers of a passage that are looked at, at most."""

_MAX_TRIES = 2_000
"""Runs of words of a passage that are tried, at most, a run once more for each dash in it: each may be a range's."""

_WORDS_BEFORE, _WORDS_BEHIND = 5, 8
"""Words that may stand before and behind the number of an amount."""

_WORD = re.compile(r"\S+")
_DASHES = re.compile("[-\u2010-\u2015\u2212]")
_EDGE_BEFORE, _EDGE_BEHIND = "([{“„«\"'‘", ")]}”“»\"',;:!?…’"
_STOPS = frozenset(
    "in for on by since with at as was were is are be been has have had will would should could that which who while"
    " this last next during per until before after under and or but against towards toward into within than the".split()
)
"""Words at which an amount ends; a joint of a range is none where a number follows it."""

_JOINTS = frozenset({"and", "to", "or"})
_BARE_YEAR = re.compile(r"(?:19|20)\d\d")
_MONTHS = "january february march april may june july august september october november december".split()
_NAME = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?P<year>(?:1[89]|2\d)\d\d)(?!\d)"
_NUMBER = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_DATES = [
    re.compile(rf"(?<!\d){_NUMBER} (?:of )?{_NAME},? {_YEAR}", re.IGNORECASE),
    re.compile(rf"(?<![^\W\d_]){_NAME} {_NUMBER},? {_YEAR}", re.IGNORECASE),
    re.compile(rf"(?<![\d-]){_YEAR}-(?P<number>0[1-9]|1[0-2])-(?P<day>[0-3]\d)(?![\d-])"),
    re.compile(rf"(?<![^\W\d_]){_NAME},? (?:of )?{_YEAR}", re.IGNORECASE),
    re.compile(rf"(?<![^\W\d_])(?P<part>[QH][1-4])[ -]{_YEAR}"),
    re.compile(rf"(?<![\d-]){_YEAR}[ -](?P<part>[QH][1-4])(?![\w-])"),
    re.compile(rf"(?P<words>first|second|third|fourth) (?P<unit>quarter|half) (?:of )?{_YEAR}", re.IGNORECASE),
]
_ORDINALS = ("first", "second", "third", "fourth")


@dataclass(frozen=True, slots=True)
class FoundAmount:
    """An amount of a passage as it stands there, the words that say it to our readers, and the quantity."""

    text: str
    words: str
    quantity: Quantity


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A day, month, quarter, half of a passage: the words that say it, and the partial date (`values.PartialDate`)."""

    text: str
    partial: str


def amounts_in(passage: str, units: frozenset[str] = frozenset()) -> list[FoundAmount]:
    """The amounts of a passage in its order, each way of saying one once.

    `units` are those that the pledge has: with `count:homes` among them "4,500 homes" is an amount.
    """
    passage = passage[:MAX_PASSAGE]
    taken = [span for span, _ in _dates(passage)]
    words = [match.span() for match in _WORD.finditer(passage)]
    counted = {unit.removeprefix("count:").replace("-", " "): unit for unit in units if unit.startswith("count:")}
    found: dict[str, FoundAmount] = {}
    tries = _Tries()
    free = looked_at = 0
    for number, (start, end) in enumerate(words):
        if number < free or looked_at == _MAX_NUMBERS or len(found) == MAX_FOUND_AMOUNTS:
            continue
        if any(start < last and first < end for first, last in taken) or not _has_number(passage[start:end]):
            continue
        looked_at += 1
        read_here = _amount_at(passage, words, number, free, counted, tries)
        if read_here is not None:
            free, amount = read_here
            found.setdefault(amount.text, amount)
    return list(found.values())


def dates_in(passage: str) -> list[FoundDate]:
    """The days of a passage in its order, each way of saying one once."""
    found = {text: FoundDate(text, partial) for (_, text), partial in _texts(passage[:MAX_PASSAGE])}
    return list(found.values())[:MAX_FOUND_AMOUNTS]


def _texts(passage: str) -> Iterator[tuple[tuple[int, str], str]]:
    for (start, end), partial in sorted(_dates(passage)):
        yield (start, passage[start:end]), partial


def _has_number(word: str) -> bool:
    """Whether a number stands in a word, in digits or letters, behind a currency or not; a year is none."""
    bare = word.lstrip(_EDGE_BEFORE).rstrip(_EDGE_BEHIND + ".")
    if not bare or _BARE_YEAR.fullmatch(bare):
        return False
    if any(letter.isdigit() for letter in bare):
        return True
    low = folded(bare)
    return numeral(low) is not None or share(low) is not None or (currency(bare) is not None and len(bare) <= 3)


class _Tries:
    """Our reader of amounts, for so many runs of words: how long it takes is bounded, whatever the passage."""

    def __init__(self) -> None:
        self._left = _MAX_TRIES

    def read(self, words: str) -> Quantity | None:
        """The quantity that the words are; None if they are none, and once no try is left."""
        if not words or self._left <= 0:
            return None
        self._left -= 1 + len(_DASHES.findall(words))
        try:
            return read(words)
        except UnclearWords:
            return None


def _amount_at(
    passage: str, words: list[tuple[int, int]], number: int, free: int, counted: Mapping[str, str], tries: _Tries
) -> tuple[int, FoundAmount] | None:
    """The amount around a number, and the index of the word behind it."""
    last = _last_word(passage, words, number)
    for first in range(max(free, number - _WORDS_BEFORE), number + 1):
        if first < number and passage[words[first][0] : words[number][0]].count("\n\n"):
            continue
        for behind in range(last, number - 1, -1):
            text = passage[words[first][0] : words[behind][1]].lstrip(_EDGE_BEFORE)
            for said in dict.fromkeys((text.rstrip(_EDGE_BEHIND + "."), text.rstrip(_EDGE_BEHIND))):
                for each in (said, _with_unit(said, counted)):
                    if (quantity := tries.read(each)) is None:
                        continue
                    return behind + 1, FoundAmount(" ".join(said.split()), " ".join(each.split()), quantity)
    return None


def _with_unit(said: str, counted: Mapping[str, str]) -> str:
    """The same words with the unit in place of the noun at their end; no words where no known noun stands there."""
    low = said.lower()
    noun = next((noun for noun in counted if low.endswith(f" {noun}")), None)
    return "" if noun is None else f"{said[: -len(noun)]}{counted[noun]}"


def _last_word(passage: str, words: list[tuple[int, int]], number: int) -> int:
    """The last word that may belong to the amount of a number: before a stop, or at the end of a clause."""
    last = number
    for index in range(number + 1, min(len(words), number + 1 + _WORDS_BEHIND)):
        before, word = passage[slice(*words[index - 1])], passage[slice(*words[index])]
        if before[-1] in ".;:!?" and not (before.endswith(".") and word[0].islower()):
            break
        if before.endswith(","):
            break
        low = word.lower().strip(_EDGE_BEFORE + _EDGE_BEHIND + ".")
        is_joint = low in _JOINTS and index + 1 < len(words) and _has_number(passage[slice(*words[index + 1])])
        goes_on = is_joint or (low == "or" and _is_suffix(passage, words, index)) or (low == "the" and before == "of")
        if low in _STOPS and not goes_on:
            break
        last = index
    return last


def _is_suffix(passage: str, words: list[tuple[int, int]], index: int) -> bool:
    """Whether "or more", "or less" begins here."""
    following = passage[slice(*words[index + 1])].lower() if index + 1 < len(words) else ""
    return following.rstrip(_EDGE_BEHIND + ".") in ("more", "less", "fewer", "above")


def _dates(passage: str) -> Iterator[tuple[tuple[int, int], str]]:
    """The places of the days of a passage with what they say; the more precise one where two overlap."""
    taken: list[tuple[int, int]] = []
    for pattern in _DATES:
        for match in pattern.finditer(passage):
            span = match.span()
            if any(span[0] < last and first < span[1] for first, last in taken):
                continue
            partial = _partial(match.groupdict())
            if partial is not None:
                taken.append(span)
                yield span, partial


def _partial(groups: dict[str, str | None]) -> str | None:
    """The partial date of a match; None if there is no such day."""
    year = groups["year"]
    if part := groups.get("part"):
        return f"{year}-{part.upper()}" if part[0].upper() == "Q" or int(part[1]) <= 2 else None
    if words := groups.get("words"):
        number = _ORDINALS.index(words.lower()) + 1
        is_half = (groups["unit"] or "").lower() == "half"
        return None if is_half and number > 2 else f"{year}-{'H' if is_half else 'Q'}{number}"
    name = (groups.get("month") or "").lower()
    month = int(groups.get("number") or 0) or next(i for i, m in enumerate(_MONTHS, 1) if m.startswith(name[:3]))
    if (day := groups.get("day")) is None:
        return f"{year}-{month:02}"
    try:
        return date(int(year or 0), month, int(day)).isoformat()
    except ValueError:
        return None
