"""The API as a page on which every call can be tried; a script draws it from the OpenAPI document."""

from __future__ import annotations

from functools import lru_cache

from litestar import Controller

from api.http.addresses import base_path
from api.http.contract import AnyRequest, read
from api.http.known_heads import Validity
from api.http.responses import BytesResponse
from api.pages.frame import HEADERS, HTML, render
from api.resources.contracts import serves


class SchemaPageController(Controller):
    """The API, described for people."""

    @read("/schema", serves("A page.", {"text/html": {"type": "string"}}), threaded=False)
    def page(self, request: AnyRequest) -> BytesResponse:
        """The API as a page on which every call can be tried."""
        return _page(base_path(request.scope))


@lru_cache(maxsize=8)
def _page(base: str) -> BytesResponse:
    """The page below a base path."""
    return BytesResponse(render("schema.html", base), media_type=HTML, validity=Validity(), headers=HEADERS)
