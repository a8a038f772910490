"""Query parameters, read strictly: an unknown, repeated or invalid one is refused, never ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Literal, overload
from urllib.parse import parse_qsl

from api.http.problems import InvalidParameter, UnknownParameter
from tracker.values import FIRST_YEAR, LAST_YEAR

Query = Mapping[str, str]
MAX_VALUE_CHARACTERS, MAX_CURSOR_CHARACTERS = 300, 4096
"""Characters of a parameter's value, at most; a cursor is the answer to an earlier request and may be longer."""

MAX_PARAMETERS = 50
"""Parameters of a query, at most."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def parse(query_string: bytes, names: frozenset[str]) -> Query:
    """The parameters of a query string, each at most once and among `names`.

    Raises: UnknownParameter if a name is not in `names`; InvalidParameter if one stands twice or is no plain line.
    """
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except UnicodeDecodeError:
        raise InvalidParameter("the query is not percent-encoded UTF-8", parameter="") from None
    except ValueError:
        raise InvalidParameter("the query has too many parameters", parameter="") from None
    query: dict[str, str] = {}
    for name, value in pairs:
        if name not in names:
            taken = ", ".join(sorted(names)) or "none"
            raise UnknownParameter(f"{name[:80]!r} is not known here; known: {taken}", parameter=name[:80])
        if name in query:
            raise invalid(name, "is given twice")
        if len(value) > (MAX_CURSOR_CHARACTERS if name == "cursor" else MAX_VALUE_CHARACTERS) or _CONTROL.search(value):
            raise invalid(name, f"is one line of at most {MAX_VALUE_CHARACTERS} characters")
        query[name] = value
    return query


def invalid(name: str, why: str) -> InvalidParameter:
    """The refusal of a parameter's value."""
    return InvalidParameter(f"'{name}' {why}", parameter=name)


@overload
def integer(query: Query, name: str, low: int, high: int, default: int) -> int: ...
@overload
def integer(query: Query, name: str, low: int, high: int, default: None = None) -> int | None: ...
def integer(query: Query, name: str, low: int, high: int, default: int | None = None) -> int | None:
    """A whole number between two bounds, both included.

    Raises: InvalidParameter if it is none.
    """
    if (text := query.get(name)) is None:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text) or not low <= int(text) <= high:
        raise invalid(name, f"is a whole number from {low} to {high}" if high < 10**17 else "is a whole number")
    return int(text)


def flag(query: Query, name: str) -> bool:
    """True or false, false by default.

    Raises: InvalidParameter if it is neither.
    """
    return choice(query, name, ("true", "false"), "false") == "true"


@overload
def choice(query: Query, name: str, of: tuple[str, ...], default: str) -> str: ...
@overload
def choice(query: Query, name: str, of: tuple[str, ...], default: None = None) -> str | None: ...
def choice(query: Query, name: str, of: tuple[str, ...], default: str | None = None) -> str | None:
    """One of the words in `of`.

    Raises: InvalidParameter if it is none of them.
    """
    if (text := query.get(name)) is None:
        return default
    if text not in of:
        raise invalid(name, f"is one of {', '.join(sorted(of))}" if len(of) < 50 else "is none that is known here")
    return text


@overload
def day(query: Query, name: str, default: date) -> date: ...
@overload
def day(query: Query, name: str, default: None = None) -> date | None: ...
def day(query: Query, name: str, default: date | None = None) -> date | None:
    """A date, YYYY-MM-DD, in the years that facts may have.

    Raises: InvalidParameter if it is none.
    """
    if (text := query.get(name)) is None:
        return default
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            found = date.fromisoformat(text)
        except ValueError:
            found = date.min
        if FIRST_YEAR <= found.year <= LAST_YEAR:
            return found
    raise invalid(name, f"is a date, YYYY-MM-DD, in the years {FIRST_YEAR} to {LAST_YEAR}")


def matching(query: Query, name: str, form: Literal["slug", "unit"], regex: str) -> str | None:
    """A word that the regular expression matches; `form` names it in the refusal.

    Raises: InvalidParameter if it does not match.
    """
    if (text := query.get(name)) is None:
        return None
    if not re.fullmatch(regex, text):
        raise invalid(name, f"is a {form}")
    return text
