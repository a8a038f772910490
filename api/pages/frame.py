"""What all pages share: the clocks and links of a page, templates, the policy that they are sent with, static files."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, Undefined
from litestar import Request

from api import amounts, wording
from api.http import clocks, data_license, system_clock
from api.http.addresses import base_path, encoded
from api.http.contract import Contract, Parameter, Reply
from api.http.known_heads import Validity
from api.http.media import HTML_FORMAT
from api.http.parameters import Query
from api.http.responses import IMMUTABLE, NO_CACHE, BytesResponse
from api.pages.event_lines import event_line
from api.pages.rendering import PageContext, rendered
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.queries import Clocks
from tracker.event import stamp
from tracker.facts import FACT_TYPES

HTML = HTML_FORMAT.media_type
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No inline script or style, nothing from other machines, no framing."""

HEADERS = {"content-security-policy": POLICY, "vary": "Accept, Authorization"}
"""What every page is sent with."""

CLOCK_NAMES = ("as_of", "known_on", "known_at", "at_position")
"""The query parameters that set the two clocks of a page."""

_PLAINER = Reply("The same page without blank parameters.", {}, {"Location": "Its address."})


def page_contract(about: str, *query: Parameter, problems: tuple[str, ...] = ()) -> Contract:
    """The contract of a page for people; `problems` are the codes it may answer beside those of every page."""
    return Contract(
        needs="reader",
        replies={200: Reply(about, {"text/html": {"type": "string"}}, {}), 302: _PLAINER},
        query=(*query, *clocks.PAGE_CLOCKS),
        problems=("invalid_parameter", "unknown_parameter", *problems),
        tag="About",
    )


class PageRequest(ReadRequest):
    """One read of a page. Blank parameters count as not given: forms without JavaScript send them.

    `about_pledge`, `about_all` and `about_log` answer with HTML under the pages' policy.
    """

    def __init__(self, request: Request[Any, Any, Any], services: Services) -> None:
        self.services = services
        self.path: str = request.scope["path"]
        self.base = base_path(request.scope)
        self.caller = request.scope["state"].get("caller")
        given: Query = request.scope["state"]["query"]
        self.query = {name: value.strip() for name, value in given.items() if value.strip()}
        self.has_blanks = len(self.query) < len(given)
        self.format = "html"
        self.log = request.scope["state"]["log"]
        self._history = services.heads.history
        self._read_at = services.heads.log
        self._generation = services.heads.generation
        self.at = clocks.point(clocks.with_known_on(self.query), services.tracker.log, self._read_at)

    @property
    def cache_control(self) -> str:
        """A page changes with the release that made it, so it is asked for again each time."""
        return NO_CACHE

    @property
    def is_now(self) -> bool:
        """Both clocks are at the present."""
        return self.at.as_of == system_clock.today() and self.at.position is None

    @property
    def first_recorded_on(self) -> str | None:
        """The day of our first record; None while there is none."""
        first = self.services.tracker.log.recorded_at(1)
        return None if first is None else first.date().isoformat()

    def link(self, path: str | None = None, **changes: str | None) -> str:
        """This page's address with other parameters, None for a parameter to leave out.

        The address of another page (`path`) keeps the clocks of this one and no other parameter.
        """
        kept = self.query if path is None else {n: v for n, v in self.query.items() if n in CLOCK_NAMES}
        query = {name: value for name, value in {**kept, **changes}.items() if value}
        return f"{self.base}{quote(path or self.path)}{'?' if query else ''}{encoded(query, safe=':,')}"

    def pinned(self, clocks_: Clocks) -> str:
        """The address at which this page stays the same for ever: both clocks are named in it."""
        pinned = {"as_of": clocks_.as_of.isoformat(), "at_position": str(clocks_.position)}
        return self.link(known_on=None, known_at=None, **pinned)

    def render(self, template: str, clocks_: Clocks, **context: Any) -> bytes:
        """The page's HTML. `clocks_` are those that its footer names, and `pinned` its address for ever, if given."""
        return render(
            template,
            self.base,
            page=self,
            query=self.query,
            as_of=clocks_.as_of.isoformat(),
            today=system_clock.today().isoformat(),
            known_on=self._known_day(),
            known_at=None if self.at.known_at is None else stamp(self.at.known_at),
            position=clocks_.position,
            canonical=self.services.settings.public_url and self.absolute(self._whole_link()),
            license=self.services.settings.data_license,
            license_link=data_license.address(self.services.settings.data_license),
            **{"pinned": self.pinned(clocks_), **context},
        )

    def _response(self, body: bytes, validity: Validity | None, **more: Any) -> BytesResponse:
        sent = {**more, "headers": HEADERS}
        valid = self._unless_void(validity)
        return BytesResponse(body, media_type=HTML, validity=valid, cache_control=self.cache_control, **sent)

    def _whole_link(self) -> str:
        """The address of the page without what chooses a part of a chart: every part is the same page."""
        return self.link(**dict.fromkeys(("from", "to")))

    def _known_day(self) -> str:
        if self.at.known_at is not None:
            return self.at.known_at.date().isoformat()
        return system_clock.today().isoformat()


class _Absent(Undefined):
    """A member that a document does not have: it counts as false, and printing it is an error."""

    __str__ = Undefined._fail_with_undefined_error


def render(template: str, base: str, **context: Any) -> bytes:
    """The HTML of a template, encoded as UTF-8; its addresses are below the path `base`.

    A template makes an address of a path with `address`, and one of a static file with `asset`.
    """

    def address(path: str) -> str:
        return f"{base}{path}"

    context |= {"base": base, "address": address, "asset": lambda name: address(asset(name))}
    return rendered(environment().get_template(template), context).encode()


@cache
def environment() -> Environment:
    """The templates with their filters and globals; printing an unknown name is an error, and all text is escaped."""
    env = Environment(
        loader=PackageLoader("api.pages"), autoescape=True, undefined=_Absent, trim_blocks=True, lstrip_blocks=True
    )
    env.context_class = PageContext
    env.filters |= {"amount": amounts.amount, "count": amounts.count, "ratio": amounts.ratio}
    env.filters |= {"unit": amounts.unit_words, "event_line": event_line}
    env.filters |= {"day": wording.day, "instant": wording.instant, "span": wording.span, "stated": wording.stated}
    env.filters |= {
        "in_words": wording.in_words,
        "member": wording.member,
        "party": wording.party,
        "party_key": wording.party_key,
    }
    env.globals |= {"amounts": amounts, "wording": wording, "nbsp": wording.NBSP, "fact_types": " ".join(FACT_TYPES)}
    return env


@cache
def static_files() -> Mapping[str, BytesResponse]:
    """The files under `static` by their path, ready to be sent; a browser asks each time whether they are others."""
    return {name: _static_file(name, body, NO_CACHE) for name, body in _static_bytes().items()}


@cache
def hashed_files() -> Mapping[str, BytesResponse]:
    """The same files by their path below `asset_hash`, ready to be sent and kept for ever."""
    return {f"{asset_hash()}/{name}": _static_file(name, body, IMMUTABLE) for name, body in _static_bytes().items()}


@cache
def asset_hash() -> str:
    """The beginning of the SHA-256 of all static files: with one other byte their addresses are others."""
    digest = sha256()
    for name, body in sorted(_static_bytes().items()):
        digest.update(name.encode() + b"\0" + sha256(body).digest())
    return digest.hexdigest()[:12]


def asset(name: str) -> str:
    """The path of a static file, which is kept for ever. A script imports its neighbours below the same hash."""
    return f"/assets/{asset_hash()}/{name}"


@cache
def _static_bytes() -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}

    def collect(folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                collect(entry, f"{prefix}{entry.name}/")
            elif not entry.name.endswith(".md"):
                found[f"{prefix}{entry.name}"] = entry.read_bytes()

    collect(files("api.pages") / "static", "")
    return found


def _static_file(name: str, body: bytes, cache_control: str) -> BytesResponse:
    kind = mimetypes.guess_type(name)[0] or "text/plain; charset=utf-8"
    if kind.startswith("text/") and "charset" not in kind:
        kind += "; charset=utf-8"
    policy = {"Content-Security-Policy": "default-src 'none'"} if kind == "image/svg+xml" else None
    return BytesResponse(body, media_type=kind, headers=policy, cache_control=cache_control)
