"""The filters and the cursor of lists."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints, TypeAdapter
from pydantic_core import from_json, to_json

from api.http.clocks import ReadClocks
from api.http.log_ids import beyond_the_log
from api.http.parameters import Query, day, invalid
from api.http.system_clock import now
from api.resources.contracts import FILTERS, STATUS_MEMBERS
from api.resources.names import FLAG_NAMES, KINDS, STATUSES, TYPE_NAMES
from api.resources.read_request import ReadRequest
from projections.queries import Clocks, Filters, is_page_start
from tracker.log.guard import must_be_this_log
from tracker.log.recorder import LogRecorder
from tracker.log.rows import MAX_POSITION
from tracker.units import SLUG, UNIT
from tracker.values import FIRST_YEAR, LAST_YEAR

_NAMES = tuple(parameter.name for parameter in FILTERS)


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("before or after all years") from None


_Line = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
_FIELDS: TypeAdapter[tuple[date, bool, bool, AwareDatetime | None, int, str, str | None, str]] = TypeAdapter(
    tuple[
        date,
        bool,
        bool,
        Annotated[AwareDatetime, AfterValidator(_in_utc)] | None,
        Annotated[int, Field(ge=0, le=MAX_POSITION)],
        Annotated[str, StringConstraints(max_length=128)],
        _Line | None,
        Annotated[str, StringConstraints(pattern=f"^(?:{SLUG})$")],
    ],
    config=ConfigDict(strict=True),
)
"""What stands in a cursor, type by type: whoever makes one up is told so. Its length is bounded with the query's."""


def filters(query: Query) -> Filters:
    """The filters that a query names.

    Raises: InvalidParameter if a value cannot be one.
    """
    return Filters(
        status=_some(query, "status", STATUSES),
        flag=_some(query, "flag", FLAG_NAMES),
        kind=_some(query, "kind", KINDS),
        pledgor=_named(query, "pledgor"),
        beneficiary=_named(query, "beneficiary"),
        party=_named(query, "party"),
        part_of=_matching(query, "part_of", "slugs", SLUG),
        rating=_named(query, "rating"),
        rubric=_named(query, "rubric"),
        tag=_matching(query, "tag", "slugs", SLUG),
        unit=_matching(query, "unit", "units", UNIT),
        pledge=_matching(query, "pledge", "slugs", SLUG),
        due_before=day(query, "due_before"),
        q=query.get("q") or None,
    )


def types(query: Query) -> tuple[str, ...]:
    """The types of facts that a query names; none if it takes all.

    Raises: InvalidParameter if one is none.
    """
    return _some(query, "type", TYPE_NAMES)


def fields(query: Query) -> tuple[str, ...]:
    """The members of each status that a query keeps; none if it keeps all.

    Raises: InvalidParameter if one is no member of a status.
    """
    return _some(query, "fields", STATUS_MEMBERS)


def shortened(document: bytes, kept: tuple[str, ...]) -> bytes:
    """A status document with these members only, in its own order."""
    return to_json({name: value for name, value in from_json(document).items() if name in kept})


def given_filters(query: Query, *names: str) -> dict[str, str]:
    """The filters of a query, and the parameters in `names`, as they were given."""
    return {name: query[name] for name in (*_NAMES, *names) if name in query}


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: the clocks of the first page, frozen, and the last row of the page before."""

    at: ReadClocks
    position: int
    after: tuple[str | None, str]
    log: str
    """The id of the log that the page is of."""

    def write(self, question: Mapping[str, str]) -> str:
        """The cursor as the caller gets it; `question` are the filters and the order of its list, and of no other."""
        at = self.at
        known_at = None if at.known_at is None else at.known_at.isoformat()
        fields = [at.as_of.isoformat(), at.dated, at.numbered, known_at, self.position, self.log, *self.after]
        text = json.dumps(fields, separators=(",", ":")).encode()
        return urlsafe_b64encode(_checksum(text, question) + text).rstrip(b"=").decode()

    @classmethod
    def read(cls, query: Query, question: Mapping[str, str], log: str, recorder: LogRecorder) -> Cursor | None:
        """The cursor of a query, with clocks that the log of id `log` has reached; None if the query has none.

        Raises: InvalidParameter if no page of this list gave it; OtherLog if it is one of another log.
        """
        if (given := query.get("cursor")) is None:
            return None
        refused = invalid("cursor", "is not one that this list gave; begin again without it")
        try:
            raw = urlsafe_b64decode(given.encode("ascii") + b"=" * (-len(given) % 4))
        except (NotBase64, ValueError):
            raise refused from None
        checksum, text = raw[:8], raw[8:]
        if _checksum(text, question) != checksum:
            raise refused
        try:
            as_of, dated, numbered, known_at, position, of_log, key, pledge = _FIELDS.validate_json(text)
        except ValueError:
            raise refused from None
        if not FIRST_YEAR <= as_of.year <= LAST_YEAR or (known_at is not None and known_at > now()):
            raise refused
        if not is_page_start(question["sort"], key, pledge):
            raise refused
        must_be_this_log(log, of_log)
        if position > (head := recorder.head()):
            raise beyond_the_log("cursor", head, log)
        return cls(ReadClocks(as_of, position, known_at, dated, numbered), position, (key, pledge), of_log)

    def must_be_at(self, given: ReadClocks, query: Query) -> None:
        """The clocks are frozen in the cursor: the query may leave them out or repeat them, not change them.

        Raises: InvalidParameter at the first clock that differs.
        """
        same = {
            "as_of": given.as_of == self.at.as_of,
            "known_at": given.known_at == self.at.known_at,
            "at_position": given.position == self.position,
        }
        for name, holds in same.items():
            if name in query and not holds:
                raise invalid(name, "is not the one that the cursor was given for; leave it out or begin again")


@dataclass(frozen=True, slots=True)
class Page:
    """Where a page of a list begins, and the question that its cursors are for."""

    read: ReadRequest
    question: Mapping[str, str]
    after: tuple[str | None, str] | None

    def following(self, clocks: Clocks, last: tuple[str | None, str] | None) -> str | None:
        """The cursor of the page behind the row `last`, at the clocks of this one; None behind the last page."""
        if last is None:
            return None
        frozen = replace(self.read.at, position=clocks.position)
        return Cursor(frozen, clocks.position, last, self.read.log).write(self.question)


def page_of(read: ReadRequest, question: Mapping[str, str], sort: str = "pledge") -> Page:
    """The page that a read asks for. A read with a cursor is at the cursor's clocks from here on.

    Raises: InvalidParameter or OtherLog as `Cursor.read` and `Cursor.must_be_at`.
    """
    question = {**question, "sort": sort}
    cursor = Cursor.read(read.query, question, read.log, read.services.tracker.log)
    if cursor is not None:
        cursor.must_be_at(read.at, read.query)
        read.at = cursor.at
    return Page(read, question, None if cursor is None else cursor.after)


def _checksum(text: bytes, question: Mapping[str, str]) -> bytes:
    """A checksum over the cursor and its question, which finds a slip and a cursor of another list."""
    key = json.dumps(sorted(question.items())).encode()
    return hashlib.blake2b(text, key=hashlib.sha256(key).digest(), digest_size=8).digest()


def _some(query: Query, name: str, of: tuple[str, ...]) -> tuple[str, ...]:
    if (text := query.get(name)) is None:
        return ()
    words = tuple(text.split(","))
    if not set(words) <= set(of):
        raise invalid(name, f"is one or more of {', '.join(of)}, separated by commas")
    return words


def _named(query: Query, name: str) -> tuple[str, ...]:
    if (text := query.get(name)) is None:
        return ()
    names = tuple(line.strip() for line in text.split("\n"))
    if not all(names):
        raise invalid(name, "is a code or a name")
    return names


def _matching(query: Query, name: str, what: str, regex: str) -> tuple[str, ...]:
    if (text := query.get(name)) is None:
        return ()
    words = tuple(text.split(","))
    if not all(re.fullmatch(regex, word) for word in words):
        raise invalid(name, f"is one or more {what}, separated by commas")
    return words
