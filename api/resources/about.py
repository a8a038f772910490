"""What is open to all: health, the types of problems, the OpenAPI document and the page that draws it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from litestar import Controller, Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath
from pydantic_core import to_json

from api.http.cache import BytesResponse, Validity
from api.http.contract import JSON, read, ref
from api.http.problems import RETRY_AFTER, STATUS, NotFound, address, catalogue
from api.pages.problems import explained, wants_page
from api.resources.contracts import serves
from api.services import Services
from tracker.errors import TrackerError, Unavailable

HTML = "text/html; charset=utf-8"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
_SHOWN = 20
"""Parked events that readiness names; the log of the projector has all, with the reasons."""

_STATIC = {"schema.css": "text/css; charset=utf-8", "schema.js": "text/javascript; charset=utf-8"}
_HEALTH = {JSON: ref("Health")}
_PAGE_TYPE = {"text/html": {"type": "string"}}
_VARY = {"Vary": "Accept"}


class HealthController(Controller):
    """For whoever restarts us and whoever sends us traffic."""

    path = "/health"

    @read("/live", serves("The process runs.", _HEALTH), threaded=False)
    def live(self) -> Response[bytes]:
        """Whether the process answers; no store is asked."""
        return _plain({"status": "live"})

    @read("/ready", serves("The store is there and the projection is near the log.", _HEALTH, "unavailable"))
    def ready(self, services: NamedDependency[Services]) -> Response[bytes]:
        """Whether the store answers and the projection is not far behind the log. Parked events are shown.

        What the log had when this process began must be there: a server never answers 404 for a pledge it was given.
        """
        try:
            services.tracker.log.ping()
            progress = services.timeline.progress()
            parked = services.timeline.parked()[:_SHOWN] if progress.parked else []
        except TrackerError:
            raise Unavailable("the store does not answer") from None
        ready = progress.lag <= services.settings.max_lag and progress.position >= services.heads.at_start
        report: dict[str, Any] = {
            "status": "ready" if ready else "not_ready",
            "store": "reachable",
            "head": progress.head,
            "position": progress.position,
            "lag": progress.lag,
            "max_lag": services.settings.max_lag,
            "heartbeat": progress.heartbeat,
            "parked": progress.parked,
            "parked_events": [{"position": p.position, "pledge": p.pledge} for p in parked],
        }
        return _plain(report, 200 if ready else 503)


class ProblemController(Controller):
    """The addresses that problems name as their type."""

    path = "/problems"

    @read("/", serves("Every type of problem.", {JSON: {"type": "object"}, **_PAGE_TYPE}), threaded=False)
    def some(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What can go wrong, and what to do then. A browser is shown a page."""
        kinds = [_problem(code, cls) for code, cls in sorted(catalogue().items())]
        return explained(kinds) if wants_page(request) else _plain({"items": kinds}, headers=_VARY)

    @read(
        "/{code:str}",
        serves("A type of problem.", {JSON: ref("ProblemType"), **_PAGE_TYPE}, "not_found"),
        threaded=False,
    )
    def one(self, request: Request[Any, Any, Any], code: FromPath[str]) -> Response[bytes]:
        """What happened, and what to do. A browser is shown a page."""
        cls = catalogue().get(code)
        if cls is None:
            raise NotFound(f"there is no type of problem called {code[:80]!r}")
        kind = _problem(code, cls)
        return explained([kind]) if wants_page(request) else _plain(kind, headers=_VARY)


class SchemaController(Controller):
    """The API, described for programs and for people."""

    @read("/schema/openapi.json", serves("OpenAPI 3.1.", {JSON: {"type": "object"}}), threaded=False)
    def openapi(self, request: Request[Any, Any, Any]) -> BytesResponse:
        """The OpenAPI 3.1 document of this API."""
        document: BytesResponse = request.app.state.openapi
        return document

    @read("/schema", serves("A page.", {"text/html": {"type": "string"}}), threaded=False)
    def page(self) -> BytesResponse:
        """The API as a page on which every call can be tried."""
        return _PAGE

    @read("/static/{name:str}", serves("A file of the pages.", {"*/*": {}}, "not_found"), threaded=False)
    def static(self, name: FromPath[str]) -> BytesResponse:
        """Scripts and styles of our own pages."""
        found = _FILES.get(name)
        if found is None:
            raise NotFound(f"there is no file {name[:80]!r}")
        return found


def _file(folder: str, name: str, media_type: str, **headers: str) -> BytesResponse:
    body = files("api.pages").joinpath(folder, name).read_bytes()
    return BytesResponse(body, media_type=media_type, holds=Validity(), headers=headers)


_PAGE = _file("templates", "schema.html", HTML, **{"content-security-policy": PAGE_POLICY})
_FILES = {name: _file("static", name, media_type) for name, media_type in _STATIC.items()}


def _plain(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    own = {"Cache-Control": "no-store", **(headers or {})} | ({"Retry-After": RETRY_AFTER} if status == 503 else {})
    return Response(to_json(value), status_code=status, media_type=JSON, headers=own)


def _problem(code: str, cls: type[TrackerError]) -> dict[str, object]:
    about = " ".join((cls.__doc__ or "").split())
    return {"code": code, "type": address(code), "title": cls.title, "status": STATUS[code], "about": about}
