"""What must hold of every answer, whoever asked for what."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256

from attack.callers import Caller
from attack.inputs import INJECTED, MARK, Attack
from attack.wire import Answer

MAX_REFUSAL_BYTES = 64 * 1024
"""Bytes of a refusal, at most."""

FRAMED = ("/embed/", "/v1/pledges/{pledge}/badge")
"""What the routes begin with that other sites may show in a frame."""

DRAWN = ("text/html", "image/svg+xml", "application/atom+xml", "application/xml", "text/xml")
"""Media types in which markup is drawn or read as such."""

_INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)(?![^>]*application/ld\+json)[^>]*>", re.IGNORECASE)
_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_HANDLER = re.compile(
    rb"<[a-z][^\s<>\"']*+(?:\s++(?!on)[^\s=<>\"']++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'>]++))?)*+\s++on[a-z]+\s*=",
    re.IGNORECASE,
)
_SCRIPT_ADDRESS = re.compile(rb"(?:href|src|action)\s*=\s*[\"']?\s*(?:javascript|data:text|vbscript):", re.IGNORECASE)
_LEAKS = (b"Traceback (most recent call last)", b"root:x:0:0", b"site-packages", b"sqlite3.", b"sqlalchemy", b"psycopg")


def broken(caller: Caller, attack: Attack, answer: Answer, *, public_read: bool) -> Iterator[str]:
    """A sentence for all that does not hold."""
    status, headers, body = answer
    if status == 0:
        yield "no answer"
        return
    if status >= 500 and not (status == 503 and attack.route.template.startswith("/health/")):
        yield f"{status}: {body[:300]!r}"
    yield from _of_roles(caller, attack, status, public_read=public_read)
    if headers.get("x-content-type-options") != "nosniff" or "referrer-policy" not in headers:
        yield f"no security headers: {headers}"
    if "x-frame-options" not in headers and not attack.route.template.startswith(FRAMED):
        yield "may be framed"
    if INJECTED in headers:
        yield "a header was injected"
    if any(leak in body for leak in _LEAKS) and answer.media_type not in ("text/javascript", "application/javascript"):
        yield f"it tells too much: {next(leak for leak in _LEAKS if leak in body)!r}"
    if status >= 400:
        yield from _of_a_refusal(answer)
    if answer.media_type in DRAWN:
        yield from _of_markup(answer)


def _of_roles(caller: Caller, attack: Attack, status: int, *, public_read: bool) -> Iterator[str]:
    if not attack.keyed:  # what stands in Authorization is no key: nothing but what is open, or public without one
        if status < 400 and attack.route.role is not None and not (public_read and attack.route.role == "reader"):
            yield f"{status} without a key"
        return
    may = caller.may(attack.route, public_read=public_read)
    # HEAD is the GET of the address, which another route may answer, for another role.
    own = attack.method == "" or (attack.method == "HEAD" and attack.route.method == "GET")
    if may:
        if attack.routed and status in (401, 403):
            yield f"{status} for what is allowed to {caller.name}"
    elif attack.routed and status != caller.refusal:
        yield f"{status} and not {caller.refusal} for what is not allowed to {caller.name}"
    elif status < 400 and own and attack.kind != "other addresses":
        yield f"{status} for what is not allowed to {caller.name}"


def _of_a_refusal(answer: Answer) -> Iterator[str]:
    if len(answer.body) > MAX_REFUSAL_BYTES:
        yield f"a refusal of {len(answer.body)} bytes"
    if answer.media_type == "application/problem+json" and answer.body:
        problem = json.loads(answer.body)
        if problem.get("status") != answer.status or not problem.get("code"):
            yield f"a problem that does not say what it is: {answer.body[:300]!r}"
    elif answer.body and answer.media_type not in ("text/html", "application/json"):
        yield f"a refusal as {answer.media_type}"


def _of_markup(answer: Answer) -> Iterator[str]:
    policy = answer.headers.get("content-security-policy", "")
    if answer.media_type in ("text/html", "image/svg+xml") and "default-src" not in policy and answer.status == 200:
        yield f"{answer.media_type} without a policy"
    if MARK[:3].encode() in answer.body:
        at = answer.body.index(MARK[:3].encode())
        yield f"markup came back as markup: {answer.body[max(0, at - 60) : at + 60]!r}"
    for pattern in (_INLINE_SCRIPT, _HANDLER, _SCRIPT_ADDRESS):
        if found := pattern.search(_without_allowed_scripts(answer.body, policy)):
            yield f"a script in the page: {found[0][:200]!r}"


def _without_allowed_scripts(body: bytes, policy: str) -> bytes:
    """The page without the scripts that its policy names by their hash: nobody else's has that hash."""

    def kept(script: re.Match[bytes]) -> bytes:
        digest = b64encode(sha256(script[1]).digest()).decode()
        return b"" if f"'sha256-{digest}'" in policy else script[0]

    return _SCRIPT.sub(kept, body)
