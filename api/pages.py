"""The pages for people: overview, pledge, audit, recording. One ES module makes them live; they are whole without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Controller, Request
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.types import ASGIApp

from api import pages_audit, pages_forms, pages_overview, pages_pledge
from api.contract import read
from api.pages_frame import Page, static_files
from api.parts import Parts
from api.polling import Answer, Redirect
from api.problems import NotFound
from api.vocabulary import serves

Asking = Request[Any, Any, Any]


class PageController(Controller):
    """What a browser is shown."""

    @read("/", pages_overview.CONTRACT)
    def overview(self, request: Asking, parts: NamedDependency[Parts]) -> ASGIApp:
        """All pledges and where they stand."""
        return _shown(Page(request, parts), pages_overview.overview)

    @read("/pledges/{pledge:str}", pages_pledge.CONTRACT)
    def pledge(self, request: Asking, parts: NamedDependency[Parts], pledge: FromPath[str]) -> ASGIApp:
        """One pledge, and everything that was said about it."""
        return _shown(Page(request, parts), pages_pledge.pledge, pledge)

    @read("/audit", pages_audit.CONTRACT)
    def audit(self, request: Asking, parts: NamedDependency[Parts]) -> ASGIApp:
        """The log, and its replay against the projection."""
        return _shown(Page(request, parts), pages_audit.audit)

    @read("/record", pages_forms.CONTRACT)
    def record(self, request: Asking, parts: NamedDependency[Parts]) -> ASGIApp:
        """A form to record a fact."""
        return _shown(Page(request, parts), pages_forms.record)

    @read("/favicon.ico", serves("The icon.", {"image/svg+xml": {"type": "string"}}), threaded=False)
    def icon(self) -> Answer:
        """The icon, where a browser looks that was told of none: it opened an answer that is no page."""
        return static_files()["icon.svg"]

    @read("/assets/{name:path}", serves("A file of the pages.", {"*/*": {}}, "not_found"), threaded=False)
    def asset(self, name: FromPath[str]) -> Answer:
        """Scripts and styles."""
        found = static_files().get(str(name).lstrip("/"))
        if found is None:
            raise NotFound("there is no such file")
        return found


def _shown(page: Page, draw: Callable[..., Answer], *about: str) -> ASGIApp:
    """The page; a form without JavaScript sends blank fields too, and is sent on to the address without them."""
    return Redirect(page.link()) if page.has_blanks else draw(page, *about)
