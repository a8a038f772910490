"""Bad inputs of every kind, for every parameter, name in a path, header and body that a route has."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

from api.resources.list_filters import _checksum
from attack.wire import Header
from tests.support.api import SOURCE, made, progress
from tests.support.routes import FILLED, STREAM, Route

MARK = "<zq onx=1>"
"""Markup that MUST NOT stand as markup in any answer."""

INJECTED = "zq-injected"
"""The name of a header that no answer may have."""

VALUES: dict[str, tuple[str, ...]] = {
    "wrong type": (
        "true", "-1", "1e9", "9" * 30, "1.5", "[]", "{}", "null", "NaN", "Infinity", "0x10", "9999-99-99", "0000-00-00",
        "-0001-01-01", "2024-01-01T00:00:00", "2024-01-01T00:00:00%2B99:99", "10000-01-01", "2024-02-30", "١٢٣",
    ),
    "huge": ("a" * 8000, "1" * 6000, "%20" * 2500, "," * 6000),
    "deep": ("[" * 3000, "%7B%22a%22:" * 800, "(" * 5000),
    "NUL and bidi": ("%00", "a%00b", "%E2%80%AEabc", "%E2%80%8B", "%EF%BB%BFa", "%C2%85", "a%0Ab", "%1B%5B2J", "%7F"),
    "broken encoding": ("%ff%fe", "%c0%af", "%", "%zz", "%u0041", "%ED%A0%80", "%F4%90%80%80", "\xff"),
    "SQL": (
        "'", "' OR '1'='1", "1; DROP TABLE stored_events;--", "%25' UNION SELECT sha256 FROM access_keys--", "\\'; --",
        "$$", "%25s%25n", "a' || pg_sleep(10) || '",
    ),
    "markup": (f'"{MARK}', f"'{MARK}", f"</title>{MARK}", "javascript:zq", "{{7*7}}", "${7*7}", "%3Czq%20onx%3D1%3E"),
    "header injection": (f"x%0d%0a{INJECTED}:%201", f"x%0a{INJECTED}:%201", f"x%E5%98%8A%E5%98%8D{INJECTED}:%201"),
    "traversal": ("../../etc/passwd", "..%5c..%5cetc%5cpasswd", "....//....//etc/passwd", "file:///etc/passwd"),
}  # fmt: skip
"""Values for a parameter or a name in a path, by kind; `%xx` is sent as it stands."""

_DEEP = b"[" * 100_000
_FLOOD = tuple((b"x-%d" % number, b"a" * 500) for number in range(90))

HEADERS: dict[str, tuple[Header, ...]] = {
    "wrong type": (
        (b"if-none-match", b"W/*"), (b"if-none-match", b'"a'), (b"if-match", b"not a tag"), (b"accept", b"///;q=x,,"),
        (b"accept", b"application/x-zq"), (b"accept-datetime", b"yesterday"), (b"range", b"bytes=-1"),
        (b"last-event-id", b"-1"), (b"last-event-id", b"9" * 40), (b"prefer", b"respond-async;wait=x"),
        (b"tracker-log", b"no-log"), (b"content-type", b"a/b;charset=utf-7"), (b"expect", b"100-continue"),
        (b"accept-datetime", b"Wed, 99 Feb 99999 99:99:99 GMT"), (b"tracker-min-position", b"x"),
    ),
    "huge": (
        (b"accept", b"a/b," * 2000), (b"if-none-match", b'"a",' * 2000), (b"cookie", b"a=b;" * 2000),
        (b"idempotency-key", b"k" * 8000), (b"x-forwarded-for", b"1.2.3.4," * 1000),
    ),
    "NUL and bidi": (
        (b"idempotency-key", b"\xe2\x80\xae"), (b"idempotency-key", b"a\tb"), (b"accept", b"\xff\xfe"),
        (b"last-event-id", b"\xe2\x80\x8b1"), (b"if-none-match", b'"\x80\xff"'),
    ),
    "SQL": ((b"idempotency-key", b"' OR 1=1 --"), (b"tracker-log", b"'; DROP TABLE log --"), (b"last-event-id", b"1'")),
    "markup": (
        (b"accept", b'text/html,"' + MARK.encode()), (b"referer", b"http://x/" + MARK.encode()),
        (b"user-agent", MARK.encode()), (b"idempotency-key", MARK.encode()), (b"host", MARK.encode()),
    ),
    "other ways": (
        (b"x-http-method-override", b"DELETE"), (b"x-original-url", b"/v1/replay"), (b"x-rewrite-url", b"/v1/replay"),
        (b"x-forwarded-for", b"127.0.0.1"), (b"x-forwarded-proto", b"https"), (b"x-role", b"admin"),
        (b"x-remote-user", b"admin"), (b"upgrade", b"websocket"), (b"upgrade", b"h2c"), (b"cookie", b"key=admin"),
        (b"content-encoding", b"gzip"),
    ),
}  # fmt: skip
"""Headers by kind."""

AUTHORIZATIONS = (
    b"", b"Bearer", b"Bearer ", b"Basic YWRtaW46YWRtaW4=", b"Bearer " + b"a" * 8000, b"Bearer \xff\xfe", b"bearer null",
    b"Bearer ctk_000000000000_" + b"0" * 64 + b"_00000000", b"Bearer ' OR 1=1--", b"Bearer a, Bearer b", b"Digest x",
    b"Bearer 000000000000." + b"A" * 43,
)  # fmt: skip
"""What stands in `Authorization` and is no key."""

ASTRAY = (
    b"/v1/pledges/aid-2024%2fevents", b"/v1%2Freplay", b"/assets/../../pyproject.toml", b"/assets/..%2f..%2fapp.py",
    b"/assets/%2e%2e/%2e%2e/etc/passwd", b"/assets//etc/passwd", b"//v1/pledges", b"/v1//replay", b"/v1/./replay",
    b"/v1/pledges/../replay", b"/v1/pledges/%2e%2e/replay", b"/v1/replay;x=1", b"/v1/replay/", b"/V1/replay",
    b"/v1/replay%00", b"/v1/replay%20", b"/v1/replay.json", b"http://localhost/v1/replay", b"/.env", b"/.git/config",
    b"/tracker.db", b"/%252e%252e/etc/passwd", b"/v1/\xc0\xaf", b"/" + b"a/" * 5000, b"/v1/pledges/" + b"%61" * 3000,
    b"/%3Czq%20onx=1%3E", b"/v1/pledges/%22%3E%3Czq%20onx=1%3E", b"/docs", b"/admin", b"/debug", b"*",
    b"/v1/replay?compare=true#x", b"/v1/replay\\..\\", b"/\xe2\x80\xae",
)  # fmt: skip
"""Addresses beside the routes."""

METHODS = ("DELETE", "PUT", "PATCH", "TRACE", "OPTIONS", "HEAD", "BREW", "get", "PROPFIND", "A" * 200)
"""Methods that are tried on each route."""


class Attack(NamedTuple):
    """One request of a kind. A `routed` one reaches its route, so that whoever may not use it is told so."""

    kind: str
    route: Route
    target: bytes
    headers: tuple[Header, ...] = ()
    body: bytes | None = None
    method: str = ""
    routed: bool = True
    keyed: bool = True
    """Whether the caller's key is sent along."""

    @property
    def is_endless(self) -> bool:
        """Whether an answer with 200 has no end."""
        return self.route.template == STREAM


def attacks(route: Route) -> Iterator[Attack]:
    """Every bad input of a route, and what is right of it."""
    right = _right_body(route)
    yield Attack("none: as it should be", route, _bytes(route.valid), *right)
    for kind, values in VALUES.items():
        for value in values:
            for target in _targets(route, value):
                yield Attack(kind, route, target, *right)
    for kind, headers in HEADERS.items():
        for header in headers:
            own = tuple(pair for pair in right[0] if pair[0] != header[0])
            routed = header[0] not in (b"upgrade", b"host")
            yield Attack(kind, route, _bytes(route.valid), (*own, header), right[1], routed=routed)
    yield Attack("huge", route, _bytes(route.valid), (*right[0], *_FLOOD), right[1])
    yield Attack("unknown or twice", route, _with(route.valid, "zq=1"), *right)
    for name in route.parameters("query"):
        yield Attack("unknown or twice", route, _with(route.valid, f"{name}=1&{name}=2"), *right)
    if "cursor" in route.parameters("query"):
        for cursor in _cursors():
            yield Attack("cursors", route, _with(route.valid, f"cursor={cursor}"), *right)
    for no_key in AUTHORIZATIONS:
        yield Attack(
            "other keys", route, _bytes(route.valid), (*right[0], (b"authorization", no_key)), right[1],
            routed=False, keyed=False,
        )  # fmt: skip
    for method in METHODS:
        if method != route.method:
            yield Attack("other methods", route, _bytes(route.valid), right[0], right[1], method, routed=False)
    for address in ASTRAY:
        yield Attack("other addresses", route, address, *right, routed=False)
    for media_type in route.media_types:
        for kind, body in _bodies(media_type, route):
            yield Attack(kind, route, _bytes(route.valid), ((b"content-type", media_type.encode()),), body)


def _bytes(target: str) -> bytes:
    return quote(target, safe="%/?&=:,{}[]()'\"<>;$\\|#+-*!@^~`").encode().replace(b" ", b"%20")


def _with(address: str, query: str) -> bytes:
    return _bytes(f"{address}{'&' if '?' in address else '?'}{query}")


def _targets(route: Route, value: str) -> Iterator[bytes]:
    for name in route.parameters("query"):
        yield _with(route.valid.partition("?")[0], f"{name}={value}")
    if "%2f" in value.lower() or "/" in value or "?" in value or "#" in value:
        return
    for name in route.parameters("path"):
        yield _bytes(route.template.replace(f"{{{name}}}", value.replace("%", "%25") if value == "%" else value))


def _right_body(route: Route) -> tuple[tuple[Header, ...], bytes | None]:
    if not route.media_types:
        return (), None
    return ((b"content-type", route.media_types[0].encode()),), json.dumps(_right_value(route)).encode()


def _right_value(route: Route) -> Any:
    """A body of the shape that the route reads, which is refused for what the log has."""
    item = {"pledge": FILLED["pledge"], "fact": made()}
    if "{proposal}" in route.template:
        return _ON_PROPOSALS[route.template.rpartition("/")[2]]
    if "{pledge}" in route.template:
        return progress("1 EUR", figure={"basis": "increment"})
    return [item] if route.template == "/v1/events" else item


_ON_PROPOSALS: dict[str, Any] = {
    "accept": {"revision": 2},
    "decline": {"reason": MARK},
    "return": {"reason": MARK},
    "revise": {"fact": made(), "note": MARK},
    "withdraw": {"reason": MARK},
}
"""A body for each act on a proposal."""


def _bodies(media_type: str, route: Route) -> Iterator[tuple[str, bytes]]:
    right = json.dumps(_right_value(route)).encode()
    yield from (("wrong type", body) for body in (b"", b"null", b"1", b'"a"', b"[]", b"{}", b"[null]", b"[[]]"))
    yield from (("wrong type", body) for body in (right[:-1], right + b"x", b"{'a':1}", b"<a/>", b"a=b", b"\x00" * 100))
    yield from (("wrong type", body) for body in (b"[NaN]", b"[1e999]", b"[" + b"9" * 5000 + b"]", b'{"a":1,"a":2}'))
    yield from (("deep", body) for body in (_DEEP, b'{"a":' * 50_000, b"[" * 900 + b"]" * 900))
    yield from (("huge", body) for body in (b'["' + b"a" * 60_000 + b'"]', b" " * 60_000, b"{}" * 20_000))
    wide = {"type": "StatementMade", **{f"f{number}": 1 for number in range(3_000)}}
    yield "huge", json.dumps(_placed(route, wide)).encode()
    broken = (
        b'["\xff"]',
        b'["\\ud800"]',
        b'["\xed\xa0\x80"]',
        b"\xef\xbb\xbf" + right,
        right.decode().encode("utf-16"),
    )
    yield from (("broken encoding", body) for body in broken)
    for kind, texts in _TEXTS.items():
        for text in texts:
            for field in _TEXT_FIELDS:
                yield kind, json.dumps(_placed(route, _fact(route) | _nested(field, text))).encode()
    values: tuple[Any, ...] = (None, 1, -1.5, True, [], {}, "a" * 5000, {"a": {"a": []}}, [None], "__proto__")
    for field in _fact(route):
        for value in values:
            yield "wrong type", json.dumps(_placed(route, _fact(route) | {field: value})).encode()


_TEXTS = {
    "NUL and bidi": ("a\x00b", "a\u202eb", "a\u200bb", "a\x1b[2J", "\ufeffa", "a\u2028b"),
    "SQL": ("'); DROP TABLE stored_events; --", "a' || (SELECT sha256 FROM access_keys) || '"),
    "markup": (MARK, f'"{MARK}', f"]]>{MARK}", f"--><!--{MARK}", f"</script>{MARK}", "=HYPERLINK(1)", "javascript:zq"),
    "traversal": ("../../etc/passwd", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data"),
}
_TEXT_FIELDS = ("title", "summary", "quote", "type", "stated_on", "source/publisher", "source/url", "speaker/name")


def _fact(route: Route) -> dict[str, Any]:
    return progress("1 EUR", figure={"basis": "increment"}) if "{pledge}" in route.template else made()


def _placed(route: Route, fact: dict[str, Any]) -> Any:
    """The fact where the route reads it."""
    if "{pledge}" in route.template:
        return fact
    if "{proposal}" in route.template:
        return {"fact": fact} if route.template.endswith("/revise") else {"reason": fact.get("summary", fact)}
    item = {"pledge": "zq-attack", "fact": fact}
    return [item] if route.template == "/v1/events" else item


def _nested(field: str, text: str) -> dict[str, Any]:
    outer, _, inner = field.partition("/")
    if not inner:
        return {outer: text}
    return {outer: (SOURCE if outer == "source" else {"name": "a"}) | {inner: text}}


def _cursors() -> Iterator[str]:
    """Made-up cursors, with the checksum that a real one has too: it is no secret."""
    forms: tuple[Any, ...] = (
        [], {}, None, 1, "a", [1] * 7, [None] * 7, [[]] * 7, ["2024-01-01", None, 1, 1, "a", "b", "c"],
        ["2024-01-01", "2024-01-01T00:00:00", True, True, 5, "a", "b"], ["9999-12-31", "x\x00", -1, 2**70, {}, [], 1.5],
    )  # fmt: skip
    texts = [json.dumps(form).encode() for form in forms]
    texts += [b"[" * 3000, b'{"a":' * 600, b"\xff\xfe", b"[NaN]", b"", b"nul", b"[1e999]"]
    for text in texts:
        for sort in ("", "pledge"):
            question = {"sort": sort} if sort else {}
            yield urlsafe_b64encode(_checksum(text, question) + text).rstrip(b"=").decode()
    yield from ("a", "====", "%00", "../", "a" * 5000, urlsafe_b64encode(b"\x00" * 40).decode())
