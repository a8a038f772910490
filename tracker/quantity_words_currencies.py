"""Currencies as people write them: a code, a sign, an English name, and number words tied to them (DOMAIN §3).

    EUR, €, euros          one currency
    $, dollars             several; `$` alone is the US dollar, "dollars" alone is refused
    AUD$, US $, $ … CAD    two of them together say which
    MNOK, M€, EURm         with a number word

What may be several currencies is kept as such until everything around the number is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from tracker.currencies import CODES
from tracker.quantity_words_numbers import folded
from tracker.quantity_words_tables import SCALES, UnclearWords

_FAMILIES: dict[str, dict[str, str]] = {
    "dollar dollars": {
        "USD": "us/u.s./u.s/us-/american/united states", "CAD": "canadian", "AUD": "australian",
        "NZD": "new zealand", "SGD": "singapore/singaporean", "HKD": "hong kong", "TWD": "taiwan/new taiwan/taiwanese",
        "JMD": "jamaican", "BBD": "barbadian/barbados", "BSD": "bahamian", "BZD": "belize", "BMD": "bermudian",
        "BND": "brunei", "FJD": "fijian/fiji", "GYD": "guyanese", "KYD": "cayman islands", "LRD": "liberian",
        "NAD": "namibian", "SBD": "solomon islands", "SRD": "surinamese", "TTD": "trinidad and tobago",
        "XCD": "east caribbean", "ZWL": "zimbabwean",
    },
    "pound pounds": {
        "GBP": "british/uk/sterling", "EGP": "egyptian", "LBP": "lebanese", "SYP": "syrian", "SDG": "sudanese",
        "SSP": "south sudanese", "FKP": "falkland islands", "GIP": "gibraltar", "IEP": "irish", "CYP": "cypriot/cyprus",
    },
    "franc francs franken": {
        "CHF": "swiss/schweizer", "XOF": "west african/west african cfa", "XAF": "central african/central african cfa",
        "XPF": "cfp", "FRF": "french", "BEF": "belgian", "LUF": "luxembourg", "RWF": "rwandan", "BIF": "burundian",
        "DJF": "djiboutian/djibouti", "GNF": "guinean", "KMF": "comorian", "CDF": "congolese",
    },
    "crown crowns krone kroner krona kronor kronas krones koruna korunas koruny": {
        "SEK": "swedish", "NOK": "norwegian", "DKK": "danish", "ISK": "icelandic", "CZK": "czech", "SKK": "slovak",
    },
    "peso pesos": {
        "MXN": "mexican", "ARS": "argentine/argentinian", "CLP": "chilean", "COP": "colombian", "PHP": "philippine",
        "UYU": "uruguayan", "DOP": "dominican", "CUP": "cuban",
    },
    "rupee rupees": {
        "INR": "indian", "PKR": "pakistani/pakistan", "LKR": "sri lankan/sri lanka", "NPR": "nepalese/nepali",
        "MUR": "mauritian/mauritius", "SCR": "seychelles/seychellois",
    },
    "dinar dinars": {
        "KWD": "kuwaiti", "IQD": "iraqi", "JOD": "jordanian", "BHD": "bahraini", "LYD": "libyan", "TND": "tunisian",
        "DZD": "algerian", "RSD": "serbian",
    },
    "dirham dirhams": {"AED": "uae/emirati/united arab emirates", "MAD": "moroccan"},
    "riyal riyals rial rials": {
        "SAR": "saudi/saudi arabian", "QAR": "qatari", "OMR": "omani", "YER": "yemeni", "IRR": "iranian",
    },
    "shilling shillings": {"KES": "kenyan/kenya", "UGX": "ugandan/uganda", "TZS": "tanzanian", "SOS": "somali"},
    "rouble roubles ruble rubles": {"RUB": "russian", "BYN": "belarusian"},
    "lira liras lire": {"TRY": "turkish", "ITL": "italian", "MTL": "maltese"},
    "won": {"KRW": "south korean/korean", "KPW": "north korean"},
    "mark marks": {"DEM": "german/deutsche/deutsch/d-", "BAM": "convertible/bosnian", "FIM": "finnish"},
    "leu lei": {"RON": "romanian", "MDL": "moldovan"},
    "manat manats": {"AZN": "azerbaijani", "TMT": "turkmen"},
    "kwacha kwachas": {"ZMW": "zambian", "MWK": "malawian"},
    "escudo escudos": {"PTE": "portuguese", "CVE": "cape verdean"},
    "schilling schillings": {"ATS": "austrian"},
}  # fmt: skip
"""The nouns that several states share, and the adjectives that tell which."""

_NAMES: dict[str, str] = {
    "EUR": "euro/euros", "GBP": "pound sterling/pounds sterling/sterling/livres sterling/stg",
    "USD": "dollars américains/dollar américain", "CHF": "francs suisses/franc suisse", "CAD": "dollars canadiens",
    "SEK": "schwedische kronen", "NOK": "norwegische kronen", "JPY": "yen/yens/japanese yen",
    "CNY": "yuan/renminbi/chinese yuan/yuan renminbi/chinese renminbi/rmb", "INR": "indische rupien",
    "UAH": "hryvnia/hryvnias/hryvnya/hryvnyas/ukrainian hryvnia/ukrainian hryvnias",
    "PLN": "zloty/zlotys/złoty/zlotych/polish zloty", "HUF": "forint/forints/hungarian forint",
    "BGN": "lev/leva/levs/bulgarian lev/bulgarian leva", "ALL": "lek/leks/albanian lek",
    "BRL": "real/reais/reals/brazilian real/brazilian reais", "ZAR": "rand/rands/south african rand",
    "NGN": "naira/nairas/nigerian naira", "GHS": "cedi/cedis/ghanaian cedi/ghanaian cedis",
    "ETB": "birr/birrs/ethiopian birr", "BWP": "pula", "GMD": "dalasi", "MZN": "metical/meticais/mozambican meticais",
    "THB": "baht/bahts/thai baht", "MYR": "ringgit/ringgits/malaysian ringgit",
    "IDR": "rupiah/rupiahs/indonesian rupiah", "VND": "dong/dongs/vietnamese dong",
    "MMK": "kyat/kyats/myanmar kyat/myanmar kyats", "KHR": "riel/riels/cambodian riel", "LAK": "kip",
    "BDT": "taka/takas/bangladeshi taka", "AFN": "afghani/afghanis", "KZT": "tenge/kazakh tenge",
    "GEL": "lari/georgian lari", "AMD": "dram/drams/armenian dram",
    "ILS": "shekel/shekels/israeli shekel/israeli shekels/new shekels/nis", "MDL": "moldovan leu",
    "PEN": "soles/peruvian soles", "BOB": "boliviano/bolivianos", "PYG": "guarani/guaranis", "GTQ": "quetzal/quetzales",
    "HNL": "lempira/lempiras", "CRC": "colones", "HTG": "gourde/gourdes/haitian gourdes",
    "VES": "bolivar/bolivars/bolivares/venezuelan bolivars", "ESP": "peseta/pesetas/spanish pesetas",
    "NLG": "guilder/guilders/dutch guilder", "GRD": "drachma/drachmas/greek drachmas", "LVL": "lats", "LTL": "litas",
    "EEK": "kroon/kroons", "HRK": "kuna/kunas/croatian kuna", "SIT": "tolar/tolars", "FIM": "markka",
    "MKD": "denar/denars", "DEM": "deutschmark/deutschmarks/d-mark/d-marks/dm", "MNT": "tugrik/tugriks",
    "BTN": "ngultrum", "MGA": "ariary", "ERN": "nakfa", "PGK": "kina", "XDR": "special drawing rights/sdr/sdrs",
}  # fmt: skip
"""Names that one currency has."""

_SIGNS: dict[str, str] = {
    "€": "EUR", "us$": "USD", "u.s.$": "USD", "c$": "CAD", "ca$": "CAD", "can$": "CAD", "cdn$": "CAD", "a$": "AUD",
    "au$": "AUD", "nz$": "NZD", "s$": "SGD", "hk$": "HKD", "nt$": "TWD", "r$": "BRL", "mx$": "MXN", "j$": "JMD",
    "gb£": "GBP", "e£": "EGP", "jp¥": "JPY", "cn¥": "CNY", "₴": "UAH", "₺": "TRY", "₩": "KRW", "₹": "INR", "₽": "RUB",
    "₱": "PHP", "₦": "NGN", "₫": "VND", "₪": "ILS", "฿": "THB", "₵": "GHS", "₡": "CRC", "₲": "PYG", "₸": "KZT",
    "₾": "GEL", "₼": "AZN", "₮": "MNT", "₭": "LAK", "៛": "KHR", "৳": "BDT", "zł": "PLN", "kč": "CZK", "sfr": "CHF",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Money:
    """What words say of a currency: the codes that it may be, and which it is if nothing else is said."""

    said: str
    codes: tuple[str, ...]
    default: str | None
    several: str = ""
    """What the codes have in common, in words."""
    factors: tuple[int, ...] = (1,)
    """The factor of a number word that is tied to it: M in MNOK."""
    has_scale: bool = False
    year: str | None = None
    """The year of its constant prices."""

    def together(self, other: Money) -> Money | None:
        """The currency that both say, None if there is none."""
        codes = tuple(code for code in self.codes if code in other.codes)
        default = next((code for code in (self.default, other.default) if code in codes), None)
        years = {year for year in (self.year, other.year) if year is not None}
        if not codes or (self.has_scale and other.has_scale) or len(years) == 2:
            return None
        scaled = self if self.has_scale else other
        narrow = self if len(self.codes) <= len(other.codes) else other
        said = f"{self.said} … {other.said}"
        return Money(said, codes, default, narrow.several, scaled.factors, scaled.has_scale, max(years, default=None))


class Currencies(NamedTuple):
    """What a sign or a name may stand for."""

    codes: tuple[str, ...]
    default: str | None
    """Which it is if nothing else is said."""

    several: str = ""
    """What the codes have in common, in words; a name with a default needs none."""


def _known() -> dict[str, Currencies]:
    """Every sign and name in lower case."""
    known: dict[str, Currencies] = {}
    for nouns, adjectives in _FAMILIES.items():
        several = f"the {nouns.split()[min(1, nouns.count(' '))]} of several states"
        for noun in nouns.split():
            default = next(iter(adjectives)) if len(adjectives) == 1 else None
            known[noun] = Currencies(tuple(adjectives), default, several)
            for code, words in adjectives.items():
                for adjective in words.split("/"):
                    name = f"{adjective}{noun}" if adjective.endswith("-") else f"{adjective} {noun}"
                    known[name] = Currencies((code,), code)
    for code, names in _NAMES.items():
        known |= {name: Currencies((code,), code) for name in names.split("/")}
    known |= {sign: Currencies((code,), code) for sign, code in _SIGNS.items()}
    known |= {"us $": known["us$"], "u.s. $": known["us$"]}
    dollars = (*_FAMILIES["dollar dollars"], *_FAMILIES["peso pesos"])
    known["$"] = Currencies(dollars, "USD")
    known["£"] = Currencies(tuple(_FAMILIES["pound pounds"]), "GBP")
    known["pounds"] = Currencies(known["£"].codes, None, "the pounds of several states, or a weight")
    known["¥"] = Currencies(("JPY", "CNY"), None, "yen or yuan")
    crowns = "Swedish, Norwegian, Danish or Icelandic crowns"
    known["kr"] = Currencies(("SEK", "NOK", "DKK", "ISK"), None, crowns)
    known["kr."] = known["kr"]
    for sign in ("rs", "rs."):
        known[sign] = Currencies(known["rupees"].codes, None, "the rupees of several states")
    for sign in ("fcfa", "cfa", "cfa franc", "cfa francs", "francs cfa"):
        known[sign] = Currencies(("XOF", "XAF"), None, "West or Central African CFA francs")
    return known


KNOWN = _known()
"""Signs and names of currencies, in lower case."""


def _marks() -> dict[str, re.Pattern[str]]:
    """For each first letter, the signs and names that start with it, each before what it begins with."""
    starting: dict[str, list[str]] = {}
    for name in sorted(KNOWN, reverse=True):
        starting.setdefault(name[0], []).append(re.escape(name) + (r"(?![^\W\d_])" if name[-1].isalpha() else ""))
    return {first: re.compile("|".join(names)) for first, names in starting.items()}


_MARKS = _marks()
_CONSTANT = re.compile(r"([A-Z]{3}):constant-((?:19|20)[0-9]{2})(?![0-9])")
_CODE = re.compile(r"[A-Za-z]{3}(?![^\W\d_])")
_TIED = re.compile(
    r"(k|K|mm|MM|mn|Mn|MN|[mM]io|[mM]rd|[mM]ds|[mM]ld|[mM]d|bn|Bn|BN|m|M|b|B|t|T)\.?"
    r"(?=[A-Z]{3}(?![A-Za-z])|[€$£₹¥]|[kK][rR](?![A-Za-z]))"
)
_TIED_CODE = re.compile(r"([A-Z]{3})(k|m|mn|mio|bn|mrd|b|M|K|B)(?![A-Za-z])")
_TIED_BEHIND = re.compile(r" ?(thousand|million|billion|trillion|mio|mrd|mln|bln|bn|mn|tn|k|m|b|t)\.?(?![^\W\d_])")


def currency(text: str) -> tuple[Money, str] | None:
    """The currency at the start of a text, with the number word tied to it, and what follows; None without one.

    Raises: UnclearWords if two signs stand together that no currency has.
    """
    if (match := _CONSTANT.match(text)) and match[1] in CODES:
        return Money(match[0], (match[1],), match[1], year=match[2]), text[match.end() :]
    found = _mark(text)
    if found is None:
        return _tied(text)
    money, rest = found
    if not money.said[-1].isalpha() and (match := _TIED_BEHIND.match(folded(rest))) and not rest.startswith(" "):
        return _scaled(money, match[1], money.said + match[0]), rest[match.end() :]
    gap = rest.removeprefix(" ")
    if (second := _mark(gap)) is not None:
        together = money.together(second[0])
        if together is None:
            raise UnclearWords(f'"{text}" has two units, {money.said} and "{second[0].said}"; give one')
        money, rest = together, second[1]
    return money, rest


def _tied(text: str) -> tuple[Money, str] | None:
    """A code or sign with a number word tied to it, before it (MNOK, M€) or behind it (EURm)."""
    match = _TIED.match(text)
    if match is not None and (found := _mark(text[match.end() :])) is not None:
        return _scaled(found[0], match[1], text[: len(text) - len(found[1])]), found[1]
    match = _TIED_CODE.match(text)
    if match is None or match[1] not in CODES:
        return None
    return _scaled(_of_code(match[1]), match[2], match[0]), text[match.end() :]


def before_number(money: Money, rest: str) -> tuple[Money, str]:
    """The currency with a number word that stands between it and the number: EUR million 40, €bn 40."""
    match = _TIED_BEHIND.match(folded(rest))
    if match is None or money.has_scale or not re.match(r" ?-?[0-9]", rest[match.end() :]):
        return money, rest
    return _scaled(money, match[1], money.said + rest[: match.end()]), rest[match.end() :]


def _scaled(money: Money, word: str, said: str) -> Money:
    factors = (10**3, 10**12) if word in ("T", "t") else SCALES[word.lower()]
    return Money(said, money.codes, money.default, money.several, factors, has_scale=True)


def _mark(text: str) -> tuple[Money, str] | None:
    """The sign, name or code at the start of a text."""
    marks = _MARKS.get(folded(text[:1]))
    if marks is not None and (match := marks.match(folded(text))):
        return Money(text[: match.end()], *KNOWN[match[0]]), text[match.end() :]
    if (match := _CODE.match(text)) and match[0].upper() in CODES:
        return _of_code(match[0]), text[3:]
    return None


def _of_code(code: str) -> Money:
    return Money(code, (code.upper(),), code.upper())
