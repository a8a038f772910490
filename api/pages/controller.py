"""The pages for people: overview, pledge, audit, recording. One ES module makes them live; they are whole without."""

from __future__ import annotations

from collections.abc import Callable

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp

from api.http.contract import AnyRequest, read
from api.http.problems import NotFound
from api.http.responses import BytesResponse, Redirect
from api.pages import audit as audit_page
from api.pages import overview as overview_page
from api.pages import pledge as pledge_page
from api.pages import record as record_page
from api.pages.frame import PageRequest, static_files
from api.resources.contracts import serves
from api.services import Services


class PageController(Controller):
    """What a browser is shown."""

    @read("/", overview_page.CONTRACT)
    def overview(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """All pledges and where they stand."""
        return _shown(PageRequest(request, services), overview_page.overview)

    @read("/pledges/{pledge:str}", pledge_page.CONTRACT)
    def pledge(self, request: AnyRequest, services: NamedDependency[Services], pledge: FromPath[str]) -> ASGIApp:
        """One pledge, and everything that was said about it."""
        return _shown(PageRequest(request, services), pledge_page.pledge, pledge)

    @read("/audit", audit_page.CONTRACT)
    def audit(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """The log, and its replay against the projection."""
        return _shown(PageRequest(request, services), audit_page.audit)

    @read("/record", record_page.CONTRACT)
    def record(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """A form to record a fact."""
        return _shown(PageRequest(request, services), record_page.record)

    @read("/favicon.ico", serves("The icon.", {"image/svg+xml": {"type": "string"}}), threaded=False)
    def icon(self) -> BytesResponse:
        """The icon, where a browser looks that was told of none: it opened an answer that is no page."""
        return static_files()["icon.svg"]

    @read("/assets/{name:path}", serves("A file of the pages.", {"*/*": {}}, "not_found"), threaded=False)
    def asset(self, name: FromPath[str]) -> BytesResponse:
        """Scripts and styles."""
        found = static_files().get(str(name).lstrip("/"))
        if found is None:
            raise NotFound("there is no such file")
        return found


def _shown(page: PageRequest, draw: Callable[..., BytesResponse], *about: str) -> ASGIApp:
    """The page; a form without JavaScript sends blank fields too, and is sent on to the address without them."""
    return Redirect(page.link()) if page.has_blanks else draw(page, *about)
