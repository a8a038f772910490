"""The address of the OpenAPI document."""

from __future__ import annotations

from litestar import Controller

from api.http.addresses import base_path
from api.http.contract import JSON, AnyRequest, read
from api.http.responses import BytesResponse
from api.resources.contracts import serves


class SchemaController(Controller):
    """The API, described for programs."""

    @read("/schema/openapi.json", serves("OpenAPI 3.1.", {JSON: {"type": "object"}}), threaded=False)
    def openapi(self, request: AnyRequest) -> BytesResponse:
        """The OpenAPI 3.1 document of this API."""
        document: BytesResponse = request.app.state.openapi(base_path(request.scope))
        return document
