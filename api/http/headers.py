"""Headers of requests and responses: the value of one, entity tags, the policy of a page that has one style only."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING

from api.http.addresses import encoded

if TYPE_CHECKING:  # a projector logs, too, and does without Litestar
    from litestar.types import Scope

SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]
"""Headers of every response, whoever makes it."""

NOT_FRAMED = (b"x-frame-options", b"DENY")
"""The header of every response that other sites may not show in a frame."""

_ENTITY_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


def header(scope: Scope, name: bytes) -> bytes | None:
    """The value of a request header, by its name in small letters; several are joined by commas (RFC 9110 §5.3)."""
    found = [value for given, value in scope["headers"] if given == name]
    return b", ".join(found) if found else None


def client_address(scope: Scope) -> str:
    """The address of the client, by which refused keys are counted."""
    client = scope["client"]
    return "" if client is None else client[0]


def entity_tag(body: bytes, version: int | None = None, *, log: str = "") -> str:
    """The strong entity tag of some bytes, beginning with the pledge's version if there is one: `"<version>.<hash>"`.

    Equal tags mean equal bytes of one log, which `log` is the id of.
    """
    digest = hashlib.blake2b(body, digest_size=9, key=log.encode()).hexdigest()
    return f'"{digest}"' if version is None else f'"{version}.{digest}"'


def entity_tags(given: bytes, *, else_any: str = "*") -> list[str]:
    """The opaque tags in an If-Match or If-None-Match header, without quotes; `*` stands for `else_any`."""
    text = given.decode("latin-1").strip()
    return [else_any] if text == "*" else _ENTITY_TAG.findall(text)


def next_link(path: str, query: Mapping[str, str | int]) -> str:
    """The `Link` header that leads to the next page of a list (RFC 8288); `path` is an address."""
    return f'<{path}?{encoded(query)}>; rel="next"'


def style_only_policy(style: str, more: str = "") -> dict[str, str]:
    """The Content-Security-Policy of a page that loads nothing and has this very style; `more` is added to it."""
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {"Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'{more}"}
