"""The words of amounts, by language: bounds, number words, fractions, what is counted (DOMAIN §3, Words).

All words are in lower case. A number word has one factor, or two where people mean two numbers by it.
"""

from __future__ import annotations

from fractions import Fraction

from tracker.quantity import Op


class UnclearWords(ValueError):
    """The words do not say one quantity; the message says what is missing or what the two readings are."""


_SOMEWHAT = "(?:(?:just|slightly|a little|well|far) )?"
BOUNDS: dict[Op, tuple[str, ...]] = {
    "ge": (
        "at (?:the very )?least", r"(?:an? )?(?:absolute )?min(?:imum|\.)?(?: of)?", "not? (?:less|fewer|lower) than",
        "not (?:under|below)", "≥", ">=", "mindestens", "wenigstens", "au moins", "au minimum",
    ),
    "gt": (
        f"{_SOMEWHAT}(?:more than|over|above)", "exceeding", "in excess of", "upwards? of", "greater than", ">",
        "mehr als", "über", "plus de", "plus d'",
    ),
    "le": (
        "up to", "at (?:the very )?most", "not? (?:more|higher|greater) than", "not (?:over|above|exceeding|to exceed)",
        r"(?:a )?max(?:imum|\.)?(?: of)?", "≤", "<=", "bis zu", "höchstens", "maximal", "jusqu'à", "au plus",
        "au maximum",
    ),
    "lt": (
        f"{_SOMEWHAT}(?:under|less than|fewer than|below)", "<", "unter", "weniger als", "moins de", "moins d'",
    ),
    "approx": (
        "about", "around", "some", "approximately", r"approx(?:\.|imate)?", "roughly", "circa", r"ca\.?", r"c\.", "~",
        "≈", "rund", "etwa", "ungefähr", "environ",
    ),
    "nearly": ("nearly", "almost", "close to", "nahezu", "fast", "knapp", "près de", "près d'", "presque"),
    "eq": ("exactly", "precisely", "genau", "exactement"),
}  # fmt: skip
"""What stands before an amount, as patterns, and the bound that it is."""

SUFFIXES: list[tuple[str, Op]] = [
    (r"(?:or|and) (?:more|above|higher|over|up|upwards?)|at least|minimum|oder mehr|ou plus", "ge"),
    (r"(?:or|and) (?:less|fewer|below|lower|under)|at (?:the )?most|maximum|oder weniger|ou moins", "le"),
]
"""What stands behind an amount."""

_ENGLISH_SCALES = {
    "hundred": 2,
    "k": 3,
    "thousand": 3,
    "m": 6,
    "mm": 6,
    "mn": 6,
    "mln": 6,
    "million": 6,
    "millions": 6,
    "b": 9,
    "bn": 9,
    "bln": 9,
    "billion": 9,
    "billions": 9,
    "t": 12,
    "tn": 12,
    "trn": 12,
    "trillion": 12,
    "trillions": 12,
}
_SOUTH_ASIAN_SCALES = {"lakh": 5, "lakhs": 5, "lac": 5, "lacs": 5, "crore": 7, "crores": 7, "cr": 7}
_COMMA_SCALES = {
    # German
    "hundert": 2, "tausend": 3, "tsd": 3, "mio": 6, "millionen": 6, "mrd": 9, "mia": 9, "milliarde": 9,
    "milliarden": 9, "billionen": 12, "billiarde": 15, "billiarden": 15, "trillionen": 18,
    # French
    "mille": 3, "md": 9, "mds": 9, "milliard": 9, "milliards": 9,
    # Dutch
    "duizend": 3, "miljoen": 6, "miljard": 9, "biljoen": 12,
    # Norwegian, Danish, Swedish
    "tusen": 3, "tusind": 3, "mill": 6, "millioner": 6, "miljon": 6, "miljoner": 6, "milliarder": 9, "miljarder": 9,
    "biljoner": 12,
    # Spanish, Portuguese, Italian
    "millón": 6, "millones": 6, "milhão": 6, "milhões": 6, "milione": 6, "milioni": 6, "miliardo": 9, "miliardi": 9,
    # Polish
    "tys": 3, "milion": 6, "miliony": 6, "milionów": 6, "mld": 9, "miliard": 9, "miliardy": 9, "miliardów": 9,
}  # fmt: skip
_DOUBTFUL_SCALES = {"bio": (9, 12), "mil": (3, 6), "billones": (9, 12), "bilhão": (9, 12), "bilhões": (9, 12)}
"""A billion of traders and a German "Billion"; a Spanish thousand and a million cut short; and so on."""

SCALES: dict[str, tuple[int, ...]] = {
    **{word: (10**power,) for word, power in (_ENGLISH_SCALES | _SOUTH_ASIAN_SCALES | _COMMA_SCALES).items()},
    **{word: tuple(10**power for power in powers) for word, powers in _DOUBTFUL_SCALES.items()},
    "dozen": (12,),
}
"""The factors that a number word may stand for."""

LONG_SCALES = {"billion": 10**12, "billions": 10**12, "trillion": 10**18, "trillions": 10**18}
"""What these words are in French and German, where they are not what they are in English."""

ABBREVIATED = frozenset(word for word in SCALES if len(word) <= 3 and word not in ("lac", "mil")) | {"lacs"}
"""Scales that neither stack nor follow a hyphen: "5 k m" is nothing."""

COMMA_WORDS = frozenset(_COMMA_SCALES) | (frozenset(_DOUBTFUL_SCALES) - {"mil"})
"""Number words of languages that write a comma before decimals."""

SOUTH_ASIAN_WORDS = frozenset(_SOUTH_ASIAN_SCALES)
"""Number words of the languages that write 12,34,567."""

_ENGLISH_UNITS = "zero one two three four five six seven eight nine".split()
_GERMAN_UNITS = "null eins zwei drei vier fünf sechs sieben acht neun".split()
_FRENCH_UNITS = "zéro un deux trois quatre cinq six sept huit neuf".split()
UNITS: dict[str, int] = {
    word: value for words in (_GERMAN_UNITS, _FRENCH_UNITS, _ENGLISH_UNITS) for value, word in enumerate(words)
} | {"ein": 1, "eine": 1, "einen": 1, "einer": 1, "une": 1}
"""0 to 9."""

TEENS: dict[str, int] = {
    word: value
    for words in (
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        "zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
        "dix onze douze treize quatorze quinze seize",
    )
    for value, word in enumerate(words.split(), start=10)
}
"""10 to 19."""

TENS: dict[str, int] = {
    word: value * 10
    for words in (
        "twenty thirty forty fifty sixty seventy eighty ninety",
        "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
        "vingt trente quarante cinquante soixante",
    )
    for value, word in enumerate(words.split(), start=2)
}
"""20 to 90."""

COMPOUNDS: dict[str, int] = {
    f"{unit}und{ten}": TENS[ten] + value
    for value, unit in enumerate("ein zwei drei vier fünf sechs sieben acht neun".split(), start=1)
    for ten in "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig".split()
}
"""German 21 to 99, which are one word."""

HUNDREDS = frozenset({"hundred", "hundert", "cent", "cents"})
"""The word that makes hundreds of the number before it."""

ENGLISH_CARDINALS = frozenset(_ENGLISH_UNITS) | frozenset(
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty"
    " seventy eighty ninety hundred and a an".split()
)
"""The words of an English cardinal; any other is of a language in which a billion is a million millions."""

HALVES: dict[str, Fraction] = {
    "anderthalb": Fraction(3, 2),
    "eineinhalb": Fraction(3, 2),
    "zweieinhalb": Fraction(5, 2),
    "dreieinhalb": Fraction(7, 2),
    "viereinhalb": Fraction(9, 2),
}
"""German numbers with a half."""

ENGLISH_PARTS: dict[str, int] = {
    "half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4,
    "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8,
    "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10,
}  # fmt: skip
"""The English words of fractions and how many parts make a whole."""

PARTS: dict[str, int] = ENGLISH_PARTS | {
    "halbe": 2, "halben": 2, "halber": 2, "halbes": 2, "hälfte": 2, "drittel": 3, "viertel": 4, "fünftel": 5,
    "zehntel": 10,
    "demi": 2, "demie": 2, "moitié": 2, "tiers": 3, "quart": 4, "quarts": 4, "cinquième": 5, "dixième": 10,
}  # fmt: skip
"""The words of fractions, German and French ones included."""

VULGAR: dict[str, Fraction] = {
    "½": Fraction(1, 2), "⅓": Fraction(1, 3), "⅔": Fraction(2, 3), "¼": Fraction(1, 4), "¾": Fraction(3, 4),
    "⅕": Fraction(1, 5), "⅖": Fraction(2, 5), "⅗": Fraction(3, 5), "⅘": Fraction(4, 5), "⅙": Fraction(1, 6),
    "⅚": Fraction(5, 6), "⅛": Fraction(1, 8), "⅜": Fraction(3, 8), "⅝": Fraction(5, 8), "⅞": Fraction(7, 8),
}  # fmt: skip
"""Fractions that are one character."""

MAGNITUDES = (
    "tens hundreds thousands dozens scores millions billions trillions lakhs crores several many few dutzende hunderte"
    " tausende millionen milliarden dizaines centaines milliers milliards"
).split()
"""Words that say an order of magnitude and no number, where no number stands before them."""

COUNTED: dict[str, str] = {
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
"""Nouns that are counted, as patterns, and their units; everything else is written `count:<slug>`."""

WHOLES: dict[str, str] = {
    "gdp": "gdp", "gross domestic product": "gdp", "economic output": "gdp", "bip": "gdp",
    "bruttoinlandsprodukts": "gdp", "bruttoinlandsprodukt": "gdp", "pib": "gdp", "produit intérieur brut": "gdp",
    "gni": "gni", "gross national income": "gni", "bne": "gni", "bruttonationaleinkommens": "gni", "rnb": "gni",
    "allies": "members", "nato allies": "members", "members": "members", "member states": "members",
    "nato members": "members", "the members": "members",
}  # fmt: skip
"""What a percentage is of, and its slug; everything else becomes one."""
