"""The API as a page on which every call can be tried; a script draws it from the OpenAPI document."""

from __future__ import annotations

from importlib.resources import files

from litestar import Controller

from api.http.contract import read
from api.http.known_heads import Validity
from api.http.responses import BytesResponse
from api.pages.frame import HTML
from api.resources.contracts import serves

SCHEMA_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page: its own script and style, calls of this API, and no form."""


class SchemaPageController(Controller):
    """The API, described for people."""

    @read("/schema", serves("A page.", {"text/html": {"type": "string"}}), threaded=False)
    def page(self) -> BytesResponse:
        """The API as a page on which every call can be tried."""
        return _PAGE


_PAGE = BytesResponse(
    files("api.pages").joinpath("templates", "schema.html").read_bytes(),
    media_type=HTML,
    validity=Validity(),
    headers={"content-security-policy": SCHEMA_POLICY},
)
