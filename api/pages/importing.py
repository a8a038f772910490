"""The page that imports a file: it is checked as `tracker import` does, and its script records it batch by batch.

The check writes nothing. Recording goes over `POST /v1/events` with the key of whoever imports: a batch that was sent
twice is recorded once, and a file that is checked again after a break has only what is left.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litestar import Controller, Response
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic_core import to_json

from api.http.bodies import read_bytes
from api.http.clocks import now
from api.http.contract import JSON, AnyRequest, Contract, Parameter, Reply, read, write
from api.http.parameters import Query, flag, invalid
from api.http.responses import BytesResponse, Redirect
from api.imports.items import ImportProblem, UnreadableFile
from api.imports.releases import ReleaseDifference
from api.imports.sheet_map import MAX_MAP_BYTES, BadMap, SheetMap, parse_map, ready_map, ready_map_names
from api.pages.frame import PageRequest, page_contract
from api.services import Services
from tracker.application import Tracker
from tracker.points_in_time import read_day

if TYPE_CHECKING:
    from api.imports.checking import CheckedFile

BYTES = "application/octet-stream"

MAX_PAGE_BYTES = 8 * 2**20
"""Bytes of a file and its map on the page, at most: it is checked in the memory of the server."""

MAX_PAGE_ROWS = 20_000
"""Rows, lines or activities of a file on the page, at most; `tracker import` takes more."""

MAX_SHOWN = 200
"""Problems, and rows of the difference, that one answer has at most; all are counted."""

MAX_NAMED = 20
"""Rows that are left out, and remarks, that one answer names at most."""

_FILE_NAME = r"[^/\\\x00-\x1f]{1,200}\.(csv|tsv|xlsx|ndjson|jsonl|xml)"

PAGE_CONTRACT = page_contract("A page that imports a file of facts.")

CHECK_CONTRACT = Contract(
    needs="monitor",
    replies={200: Reply("What a file has: problems, a difference, batches.", {JSON: {}}, {})},
    query=(
        Parameter("name", "The name of the file, whose ending tells its kind.", {"type": "string"}, is_needed=True),
        Parameter("map", "The name of a ready map.", {"enum": ready_map_names()}),
        Parameter("map_bytes", "How many bytes of the body are a map, before the file.", {"type": "integer"}),
        Parameter("sheet", "The sheet of a workbook.", {"type": "string"}),
        Parameter("released_on", "The day of a release.", {"type": "string", "format": "date"}),
        Parameter("restate", "Record what a release says otherwise.", {"type": "boolean"}),
        Parameter("first_map", "Answer a first map for the file instead.", {"type": "boolean"}),
    ),
    body={BYTES: {}},
    problems=("invalid_parameter", "unknown_parameter", "unsupported_media_type", "too_large"),
    tag="About",
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of a file."""

    name: str
    ready: str | None
    sheet: str | None
    released_on: date | None
    restate: bool
    first_map: bool


class ImportPageController(Controller):
    """The page of imports, and the check that it asks for."""

    @read("/import", PAGE_CONTRACT)
    def page(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """A page that imports a file."""
        page = PageRequest(request, services)
        return Redirect(page.link()) if page.has_blanks else _draw(page)

    @write("/import", CHECK_CONTRACT, limit=MAX_PAGE_BYTES)
    async def check(self, request: AnyRequest, services: NamedDependency[Services]) -> Response[bytes]:
        """Check a file; nothing is written."""
        query: Query = request.scope["state"]["query"]
        asked = _asked(query)
        map_bytes = _map_bytes(query)
        with services.body_room.taken() as share:
            _, body = await read_bytes(request, BYTES, share=share)
            async with services.body_room.turn(share):
                answer = await sync_to_thread(_checked, services.tracker, asked, body, map_bytes)
        return Response(answer, status_code=200, media_type=JSON, headers={"Cache-Control": "no-store"})


def _draw(page: PageRequest) -> BytesResponse:
    at = page.projected()
    html = page.render("import.html", at, ready_maps=ready_map_names())
    return page.about_log(page.services.tracker.log.head() if page.at.position is None else at.position, html)


def _asked(query: Query) -> _Asked:
    """Raises: InvalidParameter."""
    name = query.get("name", "")
    if not re.fullmatch(_FILE_NAME, name, re.IGNORECASE):
        raise invalid("name", "is the name of a file that ends in .csv, .tsv, .xlsx, .ndjson, .jsonl or .xml")
    ready = query.get("map")
    if ready is not None and ready not in ready_map_names():
        raise invalid("map", f"is one of {', '.join(ready_map_names())}")
    released_on = None
    if (text := query.get("released_on")) is not None:
        try:
            released_on = read_day(text)
        except ValueError as wrong:
            raise invalid("released_on", str(wrong)) from None
    return _Asked(name, ready, query.get("sheet"), released_on, flag(query, "restate"), flag(query, "first_map"))


def _map_bytes(query: Query) -> int:
    """Raises: InvalidParameter."""
    text = query.get("map_bytes", "0")
    if not re.fullmatch(r"[0-9]{1,7}", text) or int(text) > MAX_MAP_BYTES:
        raise invalid("map_bytes", f"is a number up to {MAX_MAP_BYTES}")
    return int(text)


def _checked(tracker: Tracker, asked: _Asked, body: bytearray, map_bytes: int) -> bytes:
    """The answer about a file that is put aside for the time of the check."""
    # What reads workbooks is loaded with the first file: a server that checks none does without it.
    from api.imports.checking import CheckedFile, check_file
    from api.imports.map_template import map_template

    with tempfile.TemporaryDirectory(prefix="tracker-import-") as directory:
        path = Path(directory) / f"file{Path(asked.name).suffix.lower()}"
        path.write_bytes(memoryview(body)[map_bytes:])
        own_map = bytes(body[:map_bytes])
        body.clear()
        try:
            if asked.first_map:
                return to_json({"map": map_template(path, asked.sheet)})
            mapping = _mapping(asked, own_map)
            found = check_file(
                path, tracker, now, mapping=mapping, sheet=asked.sheet, released_on=asked.released_on,
                restate=asked.restate, max_rows=MAX_PAGE_ROWS,
            )  # fmt: skip
        except BadMap as bad:
            found = CheckedFile(problems=[ImportProblem("the map", "", sentence) for sentence in bad.problems])
        except UnreadableFile as unreadable:
            found = CheckedFile(problems=[ImportProblem(asked.name, "", str(unreadable))])
    return to_json(_answer(found))


def _mapping(asked: _Asked, own_map: bytes) -> SheetMap | None:
    if own_map:
        return parse_map(own_map)
    return None if asked.ready is None else parse_map(ready_map(asked.ready))


def _answer(found: CheckedFile) -> dict[str, Any]:
    return {
        "facts": found.facts,
        "recorded": found.recorded,
        "problems": [
            {"place": problem.place, "where": problem.where, "message": problem.message}
            for problem in found.problems[:MAX_SHOWN]
        ],
        "problems_total": len(found.problems),
        "left_out": found.left_out[:MAX_NAMED],
        "left_out_total": len(found.left_out),
        "remarks": found.remarks[:MAX_NAMED],
        "remarks_total": len(found.remarks),
        "difference": None if found.difference is None else _difference(found.difference),
        "batches": [{"key": batch.key, "facts": batch.facts, "lines": batch.lines.decode()} for batch in found.batches],
    }


def _difference(difference: ReleaseDifference) -> dict[str, Any]:
    told = [change for change in difference.changes if change.kind != "new"]
    return {
        "new": difference.count("new"),
        "changed": difference.count("restated", "corrected", "reported again"),
        "by_hand": difference.count("by hand"),
        "vanished": difference.count("vanished"),
        "unchanged": difference.unchanged,
        "rows": [
            {"place": c.place, "key": c.key, "pledge": c.pledge, "change": c.kind, "what": c.what}
            for c in told[:MAX_SHOWN]
        ],
        "rows_total": len(told),
    }
