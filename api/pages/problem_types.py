"""The types of problems, at the addresses that problem documents name: JSON, or a page for a browser."""

from __future__ import annotations

from litestar import Controller, Response
from litestar.params import FromPath

from api.http.addresses import base_path
from api.http.contract import JSON, AnyRequest, read, ref
from api.http.problems import STATUS, NotFound, address, catalogue
from api.http.responses import uncached_json
from api.pages.problems import problem_types_page, wants_page
from api.resources.contracts import serves
from tracker.errors import TrackerError

_PAGE_TYPE = {"text/html": {"type": "string"}}
_VARY = {"Vary": "Accept"}


class ProblemController(Controller):
    """The addresses that problem documents name as their type."""

    path = "/problems"

    @read("/", serves("Every type of problem.", {JSON: {"type": "object"}, **_PAGE_TYPE}), threaded=False)
    def some(self, request: AnyRequest) -> Response[bytes]:
        """What can go wrong, and what to do then. A browser is shown a page."""
        base = base_path(request.scope)
        kinds = [_problem_type(code, cls, base) for code, cls in sorted(catalogue().items())]
        if wants_page(request):
            return problem_types_page(kinds, base)
        return uncached_json({"items": kinds}, headers=_VARY)

    @read(
        "/{code:str}",
        serves("A type of problem.", {JSON: ref("ProblemType"), **_PAGE_TYPE}, "not_found"),
        threaded=False,
    )
    def one(self, request: AnyRequest, code: FromPath[str]) -> Response[bytes]:
        """What happened, and what to do. A browser is shown a page."""
        cls = catalogue().get(code)
        if cls is None:
            raise NotFound(f"there is no type of problem called {code[:80]!r}")
        base = base_path(request.scope)
        kind = _problem_type(code, cls, base)
        return problem_types_page([kind], base) if wants_page(request) else uncached_json(kind, headers=_VARY)


def _problem_type(code: str, cls: type[TrackerError], base: str) -> dict[str, object]:
    about = " ".join((cls.__doc__ or "").split())
    return {"code": code, "type": f"{base}{address(code)}", "title": cls.title, "status": STATUS[code], "about": about}
