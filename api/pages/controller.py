"""The pages for people: overview, pledge, audit, recording. One ES module makes them live; they are whole without."""

from __future__ import annotations

import re
from collections.abc import Callable

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp

from api.http.contract import AnyRequest, read
from api.http.problems import NotFound
from api.http.responses import BytesResponse, Redirect
from api.pages.audit import AUDIT_CONTRACT, draw_audit
from api.pages.compare import COMPARE_CONTRACT, draw_compare
from api.pages.frame import PageRequest, hashed_files, static_files
from api.pages.overview import OVERVIEW_CONTRACT, draw_overview
from api.pages.pledge import PLEDGE_CONTRACT, draw_pledge
from api.pages.pledge_picture import PictureRequest, draw_picture, picture_contract
from api.pages.pledge_record import PLEDGE_RECORD_CONTRACT, draw_pledge_record
from api.pages.proposals import QUEUE_CONTRACT, draw_queue
from api.pages.record import RECORD_CONTRACT, draw_record
from api.pages.statement import STATEMENT_CONTRACT, draw_statement
from api.resources.contracts import serves
from api.services import Services

_HASHED = re.compile("^[0-9a-f]{12}/")
"""The folder that stands before the files of a release in their addresses."""


class PageController(Controller):
    """The routes of the pages and of their static files."""

    @read("/", OVERVIEW_CONTRACT)
    def overview(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """All pledges and where they stand."""
        return _respond(PageRequest(request, services), draw_overview)

    @read("/compare", COMPARE_CONTRACT)
    def compare(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """What changed between two days."""
        return _respond(PageRequest(request, services), draw_compare)

    @read("/pledges/{pledge:str}", PLEDGE_CONTRACT)
    def pledge(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> ASGIApp:
        """One pledge, and everything that was said about it."""
        return _respond(PageRequest(request, services), draw_pledge, pledge)

    @read("/pledges/{pledge:str}/record", PLEDGE_RECORD_CONTRACT)
    def pledge_record(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> ASGIApp:
        """Everything that is on record of one pledge, event by event, with every figure and whether it counts."""
        return _respond(PageRequest(request, services), draw_pledge_record, pledge)

    @read("/pledges/{pledge:str}/picture.svg", picture_contract("svg"))
    def picture_svg(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> ASGIApp:
        """The pledge as a picture with its chart, source and date."""
        return _respond(PictureRequest(request, services), draw_picture, pledge)

    @read("/pledges/{pledge:str}/picture.png", picture_contract("png"))
    def picture_png(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> ASGIApp:
        """The same picture as PNG, drawn with the font that comes along."""
        page = PictureRequest(request, services)
        page.kind = "png"
        return _respond(page, draw_picture, pledge)

    @read("/pledges/{pledge:str}/statement", STATEMENT_CONTRACT)
    def statement(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> ASGIApp:
        """One pledge at a point on both clocks, with its events, their leaves and a checkpoint, to be printed."""
        return _respond(PageRequest(request, services), draw_statement, pledge)

    @read("/audit", AUDIT_CONTRACT)
    def audit(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """The log, and its replay against the projection."""
        return _respond(PageRequest(request, services), draw_audit)

    @read("/record", RECORD_CONTRACT)
    def record(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """A form to record a fact."""
        return _respond(PageRequest(request, services), draw_record)

    @read("/proposals", QUEUE_CONTRACT)
    def queue(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """What was proposed, for who decides on it."""
        return _respond(PageRequest(request, services), draw_queue)

    @read("/favicon.ico", serves("The icon.", {"image/svg+xml": {"type": "string"}}), threaded=False)
    def icon(self) -> BytesResponse:
        """The icon, at the address where a browser looks for it that opened an answer other than a page."""
        return static_files()["icon.svg"]

    @read("/assets/{name:path}", serves("A file of the pages.", {"*/*": {}}, "not_found"), threaded=False)
    def asset(self, name: FromPath[str]) -> BytesResponse:
        """Scripts and styles."""
        asked = str(name).lstrip("/")
        # An address with the hash of another release gives the file of this one, which nobody keeps.
        found = hashed_files().get(asked) or static_files().get(_HASHED.sub("", asked))
        if found is None:
            raise NotFound("there is no such file")
        return found


def _respond(page: PageRequest, draw: Callable[..., ASGIApp], *about: str) -> ASGIApp:
    """The page. A request with blank parameters, as forms without JavaScript send them, is redirected without them."""
    return Redirect(page.link()) if page.has_blanks else draw(page, *about)
