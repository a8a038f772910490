"""Queries as they stand in addresses."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode


def encoded(query: Mapping[str, str | int], safe: str = "") -> str:
    """A query as it stands in an address; a text of several lines is a parameter that is given for each of them."""
    return urlencode([(name, value) for name, text in query.items() for value in str(text).split("\n")], safe=safe)
