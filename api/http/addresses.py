"""Addresses of this service: below the path at which it is mounted, and queries as they stand in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

BASE = "base_path"
"""The name in a request's state of the path below which this service is reached, such as `/tracker`."""


def base_path(scope: Any) -> str:
    """The path below which the readers of a request reach this service; empty at the root of a host."""
    return str((scope.get("state") or {}).get(BASE, ""))


def address(scope: Any, path: str) -> str:
    """A path of this service as the reader of a request asks for it: below `base_path`."""
    return f"{base_path(scope)}{path}"


def encoded(query: Mapping[str, str | int], safe: str = "") -> str:
    """A query as it stands in an address; a text of several lines is a parameter that is given for each of them."""
    return urlencode([(name, value) for name, text in query.items() for value in str(text).split("\n")], safe=safe)
