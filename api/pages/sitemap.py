"""What search engines read: which pages there are, and which of them are worth looking at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from litestar import Controller
from litestar.di import NamedDependency

from api.formats.xml_text import xml_text
from api.http.addresses import address
from api.http.contract import AnyRequest, Contract, Parameter, Reply, read
from api.http.known_heads import Validity
from api.http.media import MediaFormat
from api.http.parameters import integer
from api.http.problems import NotFound
from api.http.responses import BytesResponse
from api.resources.contracts import serves
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.queries import Clocks, Filters

MAX_SITEMAP_ADDRESSES = 50_000
"""Addresses in one sitemap, at most (sitemaps.org); of more there is an index."""

XML_FORMAT = MediaFormat("xml", "application/xml")

_PAGES = ("/", "/parties", "/deadlines", "/about/rules", "/developers", "/schema")
_NOT_CRAWLED = ("/record", "/import", "/proposals", "/audit", "/v1/", "/ledger/", "/*?")
"""What crawlers are asked to leave out: forms, the API, and every page with a query, of which there is no end."""

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEEDS_AN_ADDRESS = "a sitemap has absolute addresses, and this service was not told its own: see TRACKER_PUBLIC_URL"

SITEMAP_CONTRACT = Contract(
    needs="reader",
    replies={200: Reply("A sitemap, or the index of several.", {XML_FORMAT.media_type: {"type": "string"}}, {})},
    query=(Parameter("part", "The number of one of several.", {"type": "integer", "minimum": 1, "maximum": 1_000}),),
    problems=("invalid_parameter", "unknown_parameter", "not_found"),
    tag="About",
    formats=(XML_FORMAT,),
)


class SitemapController(Controller):
    """The sitemap, and what crawlers are asked."""

    @read("/robots.txt", serves("What crawlers are asked.", {"text/plain": {"type": "string"}}), threaded=False)
    def robots(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """What crawlers are asked to leave out, and where the sitemap is. Only the root of a host has such a file."""
        settings = services.settings
        lines = ["User-agent: *"]
        if not settings.public_read:
            lines.append("Disallow: /")
        else:
            lines += [f"Disallow: {address(request.scope, path)}" for path in _NOT_CRAWLED]
            if settings.public_url:
                lines += ["", f"Sitemap: {settings.public_address('/sitemap.xml')}"]
        body = "\n".join([*lines, ""]).encode()
        return BytesResponse(body, media_type="text/plain; charset=utf-8", validity=Validity())

    @read("/sitemap.xml", SITEMAP_CONTRACT)
    def sitemap(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The address of every page that is worth finding: pledges, parties, tags, and the pages about the tracker."""
        if not services.settings.public_url:
            raise NotFound(_NEEDS_AN_ADDRESS)
        read = ReadRequest(request, services)
        clocks = read.projected()
        paths = list(_paths(services, clocks))
        parts = -(-len(paths) // MAX_SITEMAP_ADDRESSES)
        asked = integer(read.query, "part", 1, 1_000, 1)
        if asked > parts:
            raise NotFound(f"the sitemap has {parts} parts")
        if parts > 1 and "part" not in read.query:
            body = _index(read.absolute(read.address(f"/sitemap.xml?part={part}")) for part in range(1, parts + 1))
        else:
            first = (asked - 1) * MAX_SITEMAP_ADDRESSES
            shown: Sequence[str] = paths[first : first + MAX_SITEMAP_ADDRESSES]
            body = _sitemap(read.absolute(read.address(path)) for path in shown)
        return read.about_all(clocks.position, body)


def _paths(services: Services, clocks: Clocks) -> Iterator[str]:
    timeline = services.timeline
    yield from _PAGES
    for _, party in sorted(timeline.parties(clocks).items()):
        yield f"/parties/{quote(party.document()['key'])}"
    for tag in sorted(one["key"] for one in timeline.facets(Filters(), clocks)["tag"]):
        yield f"/tags/{tag}"
    names = {pledge for some in timeline.stored_names(clocks) for pledge in some}
    yield from (f"/pledges/{pledge}" for pledge in sorted(names))


def _sitemap(addresses: Iterable[str]) -> bytes:
    return _written("urlset", (f"<url><loc>{xml_text(one)}</loc></url>" for one in addresses))


def _index(addresses: Iterable[str]) -> bytes:
    return _written("sitemapindex", (f"<sitemap><loc>{xml_text(one)}</loc></sitemap>" for one in addresses))


def _written(name: str, lines: Iterable[str]) -> bytes:
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{_NAMESPACE}">'
    return "\n".join([head, *lines, f"</{name}>", ""]).encode()
