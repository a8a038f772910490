"""Captures: copies of sources, put and fetched by the hash of their bytes."""

from __future__ import annotations

from litestar import Controller, Response
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import FromPath
from pydantic_core import to_json

from api.archive import ENDINGS, MAX_CAPTURE_BYTES, UNNAMED, Archive, media_type_of, pieces
from api.http.addresses import address
from api.http.bodies import read_bytes
from api.http.contract import JSON, AnyRequest, Contract, Reply, put, read, ref
from api.http.log_ids import LOG, LOG_HEADER, log_of_write
from api.http.problems import Malformed, UnsupportedMediaType
from api.http.responses import BytesResponse
from api.http.streams import StreamedResponse
from api.resources.contracts import IF_NONE_MATCH
from api.services import Services
from tracker.log.guard import must_be_this_log

SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'"
"""The policy under which a copy is shown by a browser that does so in spite of its disposition."""

PRIVATE = "private, no-cache"
"""A copy is not for everybody's caches; its bytes never change."""

_BYTES = {"type": "string", "format": "binary"}

PUT_CAPTURE = Contract(
    needs="monitor",
    replies={
        201: Reply("The copy is kept.", {JSON: ref("Capture")}, {}),
        200: Reply("The copy was there already.", {JSON: ref("Capture")}, {}),
    },
    headers=(LOG_HEADER,),
    body={**dict.fromkeys(ENDINGS, _BYTES), UNNAMED: _BYTES},
    problems=(
        *("malformed", "unknown_parameter", "other_log", "too_large", "unsupported_media_type", "no_archive"),
        "rate_limited",
    ),
    writes=True,
)
GET_CAPTURE = Contract(
    needs="auditor or monitor",
    replies={
        200: Reply(
            "The bytes, as an attachment of their media type.",
            {},
            {"ETag": "The tag of these bytes.", "Content-Disposition": "An attachment, named by its hash."},
        )
    },
    query=(LOG,),
    headers=(IF_NONE_MATCH,),
    problems=("other_log", "unknown_parameter", "capture_not_found", "no_archive"),
    keyed=True,
)


class CaptureController(Controller):
    """The archive of sources."""

    path = "/v1/captures"

    @put("", PUT_CAPTURE, limit=MAX_CAPTURE_BYTES)
    async def put_capture(self, request: AnyRequest, services: NamedDependency[Services]) -> Response[bytes]:
        """Keep a copy of a source. Its hash goes into a SourceCaptured."""
        must_be_this_log(services.tracker.log.guard.log, log_of_write(request.scope))
        archive = Archive(services.settings.archive_directory)
        archive.find("")  # 503 before the body is read
        with services.body_room.taken() as share:
            media_type, body = await read_bytes(request, *ENDINGS, UNNAMED, share=share)
            if not body:
                raise Malformed("the body is empty: send the bytes of the source")
            known = media_type_of(body) if media_type == UNNAMED else media_type
            if known is None:
                raise UnsupportedMediaType("these bytes do not say what they are: name their type", accepted=[*ENDINGS])
            kept, is_new = await sync_to_thread(archive.put, body, known)
        told = to_json({"sha256": kept.sha256, "media_type": kept.media_type, "bytes": kept.bytes})
        headers = {"Cache-Control": "no-store", "Location": address(request.scope, f"/v1/captures/{kept.sha256}")}
        return Response(told, status_code=201 if is_new else 200, media_type=JSON, headers=headers)

    @read("/{sha256:str}", GET_CAPTURE)
    def get_capture(self, services: NamedDependency[Services], sha256: FromPath[str]) -> StreamedResponse:
        """Get the bytes of a copy."""
        found = Archive(services.settings.archive_directory).get(sha256)
        head = BytesResponse(
            b"",
            media_type=found.media_type,
            etag=f'"{found.sha256}"',
            cache_control=PRIVATE,
            headers={
                "content-disposition": f'attachment; filename="{found.path.name}"',
                "content-security-policy": SANDBOX,
            },
        )
        return StreamedResponse(head, pieces(found.path))
