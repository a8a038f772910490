"""The values that facts are made of: dates with a precision, windows, parties, sources, groups, figures (DOMAIN §3)."""

from __future__ import annotations

import calendar
import hashlib
import re
import unicodedata
from datetime import date
from typing import Annotated, Any, Literal, Self

import pycountry
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tracker import quantity_words
from tracker.quantity import Quantity
from tracker.quantity_words_tables import UnclearWords
from tracker.units import SLUG, is_recorded
from tracker.visible_text import UNSEEN, unseen_in

Precision = Literal["day", "month", "quarter", "half", "year"]
Kind = Literal["money", "count", "ratio", "milestone", "qualitative"]
Stage = Literal["pledged", "committed", "allocated", "disbursed", "delivered", "unspecified"]
Basis = Literal["cumulative", "increment", "level"]
Nature = Literal["actual", "provisional", "estimate", "projection"]
Tier = Literal["official", "primary", "media", "other"]
Rank = Literal["preferred", "normal", "deprecated"]
MemberVerdict = Literal["met", "not_met", "not_applicable", "opted_out", "not_reported"]
Stance = Literal["supports", "qualifies", "doubts", "contradicts"]
Trajectory = Literal["ahead", "on_track", "behind", "unknown"]

STAGES: dict[Stage, int] = {"pledged": 0, "committed": 1, "allocated": 2, "disbursed": 3, "delivered": 3}
"""How firm each stage is; `unspecified` has no place in the order."""

TIERS: dict[Tier, int] = {"official": 0, "primary": 1, "media": 2, "other": 3}
COUNTRIES = frozenset(c.alpha_2 for c in pycountry.countries) | {"EU", "XK"}

FIRST_YEAR, LAST_YEAR = 1800, 2999
"""The years that a date may have."""

_YEAR = "(1[89]|2[0-9])[0-9]{2}"
_PLAIN = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_INK = r"[^\s\x00-\x1f\x7f]"
_TEXT = rf"^{_PLAIN}*{_INK}{_PLAIN}*$"
_SEEN = rf"[^\x00-\x1f{UNSEEN}]"
_SEEN_INK = rf"[^\s\x00-\x1f{UNSEEN}]"


def _one_line(value: str, info: ValidationInfo) -> str:
    if not is_recorded(info) and (character := unseen_in(value)):
        raise PydanticCustomError(
            "unseen_character", "{character} does not belong here: it is not seen on one line", {"character": character}
        )
    return value


OneLine = Annotated[
    str,
    Field(min_length=1, max_length=300, pattern=_INK),
    AfterValidator(_one_line),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 300, "pattern": rf"^{_SEEN}*{_SEEN_INK}{_SEEN}*$"}),
]
"""One line of text, at most 300 characters, not only spaces, and none that is not seen (`tracker.visible_text`)."""

Text = Annotated[str, Field(min_length=1, max_length=4000, pattern=_TEXT)]
"""Some paragraphs of plain text, at most 4,000 characters, not only spaces."""

Quote = Annotated[str, Field(min_length=1, max_length=300, pattern=_TEXT)]
Slug = Annotated[str, Field(pattern=f"^{SLUG}$", examples=["nato-ukraine-2024"])]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_URL = r"^https?://[^\s\x00-\x1f\x7f]+$"
Url = Annotated[
    str,
    Field(max_length=2000, pattern=_URL),
    AfterValidator(_one_line),
    WithJsonSchema({"type": "string", "maxLength": 2000, "pattern": rf"^https?://{_SEEN_INK}+$"}),
]

_EVENT_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
EventId = Annotated[str, Field(pattern=_EVENT_ID)]
EventReference = Annotated[
    str,
    Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$"),
    WithJsonSchema({"type": "string", "pattern": _EVENT_ID}),
]
"""The id of an event on the same pledge. Of whatever form, one that names none is `unknown_event`."""


def is_slug(value: object) -> bool:
    """Whether the value can be a pledge's id: 1 to 128 of a-z, 0-9 and -, the first a letter or digit."""
    return isinstance(value, str) and re.fullmatch(SLUG, value) is not None


def slug_of(title: str) -> str:
    """A slug made from a title: the same title gives the same slug, one without Latin letters a hash."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:128].rstrip("-")
    return slug or f"pledge-{hashlib.sha256(title.encode()).hexdigest()[:12]}"


_is_iso_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch


def _iso_date(value: Any) -> Any:
    if isinstance(value, str) and not _is_iso_date(value):
        raise PydanticCustomError("date", "a date is written YYYY-MM-DD")
    if not isinstance(value, (str, date)):
        raise PydanticCustomError("date", "a date is a JSON string, YYYY-MM-DD")
    return value


def _within_reach(value: date) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise PydanticCustomError("date", f"a date lies in the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


Day = Annotated[
    date,
    BeforeValidator(_iso_date),
    AfterValidator(_within_reach),
    WithJsonSchema({"type": "string", "format": "date", "pattern": f"^{_YEAR}-[0-9]{{2}}-[0-9]{{2}}$"}),
]
"""A calendar date, YYYY-MM-DD, without a time or a zone."""


def _quantity(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return quantity_words.read(value)
        except UnclearWords as unclear:
            raise PydanticCustomError("quantity_words", "{reason}", {"reason": str(unclear)}) from None
    return value


QuantityOrWords = Annotated[
    Quantity,
    BeforeValidator(_quantity, json_schema_input_type=Quantity | Annotated[str, Field(min_length=1, max_length=200)]),
]
"""A quantity, or the words that say it: "over 50bn EUR"."""


def last_day(day: date, precision: Precision) -> date:
    """The last day of the month, quarter, half or year of a day: when an imprecise date is in force (DOMAIN §2)."""
    match precision:
        case "day":
            return day
        case "month":
            month = day.month
        case "quarter":
            month = (day.month + 2) // 3 * 3
        case "half":
            month = 6 if day.month <= 6 else 12
        case "year":
            month = 12
    return date(day.year, month, calendar.monthrange(day.year, month)[1])


_PARTIAL = f"^{_YEAR}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?|-Q[1-4]|-H[12])?$"


def end_of(partial: str) -> date:
    """The last day that a partial date can mean: `2025-02` is 2025-02-28, `2025-H1` 2025-06-30."""
    if len(partial) == 10:
        return date.fromisoformat(partial)
    year, _, part = partial.partition("-")
    if not part:
        return date(int(year), 12, 31)
    month = int(part[1]) * 3 if part[0] == "Q" else int(part[1]) * 6 if part[0] == "H" else int(part)
    return date(int(year), month, calendar.monthrange(int(year), month)[1])


def _partial_date(value: str) -> str:
    try:
        if len(value) == 10:
            date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("partial_date", "there is no such day") from None
    return value


PartialDate = Annotated[str, Field(pattern=_PARTIAL, examples=["2025-02"]), AfterValidator(_partial_date)]
"""A date as precise as the source is: YYYY, YYYY-Hn, YYYY-Qn, YYYY-MM or YYYY-MM-DD."""


def _party_code(value: str, info: ValidationInfo) -> str:
    if re.fullmatch(r"[A-Z]{2}", value) and value not in COUNTRIES and not is_recorded(info):
        raise PydanticCustomError(
            "party_code", "{code} is no ISO 3166 alpha-2 code; a party that is no state has a slug", {"code": value}
        )
    return value


Code = Annotated[
    str,
    Field(examples=["BE", "NATO", "mark-rutte"]),
    AfterValidator(_party_code),
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,127}$"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": rf"^({'|'.join(sorted(COUNTRIES))}|(?![A-Z]{{2}}$)[A-Za-z0-9][A-Za-z0-9-]{{0,127}})$",
            "examples": ["BE", "NATO", "mark-rutte"],
        }
    ),
]
"""ISO 3166 alpha-2 for a state, any slug for the rest."""

Codes = Annotated[tuple[Code, ...], Field(max_length=500)]


KIND_UNITS: dict[Kind, str] = {
    "money": "it is in a currency",
    "count": "it is in count:<what>",
    "ratio": "it is in percent:<of what>",
    "milestone": "such a pledge has milestones, no target",
    "qualitative": "such a pledge has no target",
}


def fits_kind(quantity: Quantity, kind: Kind) -> bool:
    """Whether a quantity measures what pledges of the kind promise."""
    prefix = {"count": "count:", "ratio": "percent:"}.get(kind)
    if kind == "money":
        return not quantity.unit.startswith(("count:", "percent:"))
    return prefix is not None and quantity.unit.startswith(prefix)


class Value(BaseModel):
    """A frozen value; an unknown field is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Period(Value):
    """The time a figure covers, both days included; one end may be unknown."""

    start: Day | None = None
    end: Day | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.start is None and self.end is None:
            raise PydanticCustomError("period", "a period has a start or an end")
        if self.start and self.end and self.end < self.start:
            raise PydanticCustomError("period", "the period ends before it starts")
        return self


class Window(Value):
    """When the pledge is due: `end` is the earliest reading of the deadline, `latest` (default `end`) the latest.

    `text` keeps the words of the source: "this year", "within a year".
    """

    start: Day | None = None
    end: Day | None = None
    latest: Day | None = None
    text: OneLine | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start is None and self.end is None and self.latest is None and self.text is None:
            raise PydanticCustomError("window", "a window has a start, an end or words")
        days = [day for day in (self.start, self.end, self.latest) if day is not None]
        if days != sorted(days):
            raise PydanticCustomError("window", "a window goes from 'start' over 'end' to 'latest'")
        return self

    @property
    def earliest_deadline(self) -> date | None:
        """The earliest reading of the deadline."""
        return self.end or self.latest

    @property
    def deadline(self) -> date | None:
        """The latest reading of the deadline: overdue only after this day."""
        return self.latest or self.end


class Party(Value):
    """Who: a name, with an ISO 3166 alpha-2 code for a state or a slug for the rest."""

    name: OneLine
    code: Code | None = None


class Source(Value):
    """Where it is written. `origin` is what the publisher itself quotes; without it the publisher is the origin.

    `reference` is the publisher's own id of the one transaction that it reports.
    """

    publisher: OneLine
    title: OneLine | None = None
    url: Url | None = None
    published_on: PartialDate | None = None
    retrieved_on: Day | None = None
    locator: OneLine | None = None
    reference: OneLine | None = None
    origin: OneLine | None = None
    sha256: Sha256 | None = None
    archive_url: Url | None = None
    tier: Tier

    @property
    def quoted_origin(self) -> str:
        """What is quoted in the end: `origin`, or the publisher itself where none is given."""
        return self.origin or self.publisher


class NotApplicable(Value):
    """A member that the pledge does not apply to, and why."""

    member: Code
    reason: OneLine


class Group(Value):
    """Who is bound, and how their results add up to the pledge's."""

    rule: Literal["aggregate", "each_member", "count_at_least"]
    members: Codes
    not_applicable: Annotated[tuple[NotApplicable, ...], Field(max_length=500)] = ()
    opted_out: Codes = ()
    count: Annotated[int, Field(ge=1, le=500, strict=True)] | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if (self.rule == "count_at_least") != (self.count is not None):
            raise PydanticCustomError("group", "'count' goes with rule 'count_at_least', which needs it")
        if len(set(self.members)) != len(self.members):
            raise PydanticCustomError("group", "a member is named twice")
        aside = [*(n.member for n in self.not_applicable), *self.opted_out]
        if strangers := sorted(set(aside) - set(self.members)):
            raise PydanticCustomError("group", "{codes} not among the members", {"codes": ", ".join(strangers)})
        if len(set(aside)) != len(aside):
            raise PydanticCustomError("group", "a member is set aside twice")
        return self


class Figure(Value):
    """A reported quantity with its stage, basis, nature, period and attribution (DOMAIN §1).

    `equivalent` is what the source itself says that it comes to in another currency.
    """

    quantity: QuantityOrWords
    equivalent: QuantityOrWords | None = None
    stage: Stage = "unspecified"
    basis: Basis
    nature: Nature = "actual"
    period: Period | None = None
    attribution: OneLine = "all"
    final: Annotated[bool, Field(strict=True)] | None = None

    @model_validator(mode="after")
    def _has_an_equivalent_in_money(self) -> Self:
        if self.equivalent is not None and not self.quantity.measure == self.equivalent.measure == "money":
            raise PydanticCustomError("equivalent", "an equivalent says what money comes to in another currency")
        return self

    @property
    def series(self) -> tuple[str, str, str]:
        """(measure, stage, attribution): figures of one series are compared; who typed them has no part in it."""
        return (self.quantity.measure, self.stage, self.attribution)


class RecordedAs(Value):
    """Where a voided fact was recorded instead."""

    pledge: Slug
    event: EventId
