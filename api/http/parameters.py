"""Query parameters, read strictly: an unknown, repeated or invalid one is refused, never ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Literal, overload
from urllib.parse import parse_qsl

from api.http.contract import Parameter
from api.http.problems import InvalidParameter, UnknownParameter
from tracker.points_in_time import read_day

Query = Mapping[str, str]
"""Parameters by name. Several values of one stand in one text: with commas between, or a line each where they may have
commas themselves. No value has a line break."""

MAX_PARAMETERS = 250
"""Parameters of a query, at most."""

MAX_REPEATED = 20
"""Values of a parameter that may be given more than once, as the API describes it; the longer list with commas has no
bound but its length."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def parse(query_string: bytes, taken: Mapping[str, Parameter]) -> Query:
    """The parameters of a query string, each of them among those that are taken.

    Raises: UnknownParameter if one is not; InvalidParameter if one stands twice that may not, or is no plain line.
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
        parameter = taken.get(name)
        if parameter is None:
            known = ", ".join(sorted(taken)) or "none"
            raise UnknownParameter(f"{name[:80]!r} is not known here; known: {known}", parameter=name[:80])
        if len(value) > parameter.most or _CONTROL.search(value):
            raise invalid(name, f"is one line of at most {parameter.most} characters")
        if name not in query:
            query[name] = value
        elif parameter.repeats == "once":
            raise invalid(name, "is given twice")
        else:
            query[name] += ("," if parameter.repeats == "commas" else "\n") + value
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
    if not re.fullmatch(r"[0-9]{1,19}", text) or not low <= int(text) <= high:
        raise invalid(name, f"is a whole number from {low} {f'to {high}' if high < 10**17 else 'on'}")
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
    try:
        return read_day(text)
    except ValueError as wrong:
        raise invalid(name, str(wrong)) from None


def matching(query: Query, name: str, form: Literal["slug", "unit"], regex: str) -> str | None:
    """A word that the regular expression matches; `form` names it in the refusal.

    Raises: InvalidParameter if it does not match.
    """
    if (text := query.get(name)) is None:
        return None
    if not re.fullmatch(regex, text):
        raise invalid(name, f"is a {form}")
    return text
