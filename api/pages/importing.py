"""The page that imports a file: it is checked as `tracker import` does, and its script records or proposes what it has.

The check writes nothing. Recording goes over `POST /v1/events`, batch by batch, proposing over `POST /v1/proposals`,
fact by fact, with the key of whoever imports: what was sent twice is there once, and a file that is checked again after
a break has only what is left to record.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args
from uuid import uuid4

from litestar import Controller
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.types import ASGIApp
from pydantic_core import to_json

from api.http.bodies import put_aside
from api.http.contract import AnyRequest, Contract, Parameter, Reply, read, write
from api.http.parameters import Query, choice, flag, invalid
from api.http.problems import Malformed
from api.http.responses import BytesResponse, Redirect
from api.http.shutdown import until_disconnected
from api.http.streams import PIECE_BYTES, StreamedResponse
from api.http.system_clock import now
from api.imports.bounds import MAX_ROWS, MAX_WORKBOOK_BYTES
from api.imports.items import ImportProblem, UnreadableFile
from api.imports.releases import ReleaseDifference
from api.imports.sheet_layout import Encoding
from api.imports.sheet_map import MAX_MAP_BYTES, BadMap, SheetMap, parse_map, ready_map, ready_map_names
from api.pages.frame import PageRequest, page_contract
from api.services import Services
from tracker.application import Tracker
from tracker.points_in_time import read_day

if TYPE_CHECKING:
    from api.imports.checking import CheckedFile

BYTES = "application/octet-stream"
NDJSON = "application/x-ndjson"

MAX_PAGE_BYTES = MAX_WORKBOOK_BYTES + MAX_MAP_BYTES
"""Bytes of a file and its map on the page, at most: those of the largest workbook that is read. As many of CSV are some
500,000 rows; `tracker import` reads more from a file that lies on the server."""

MAX_PAGE_ROWS = MAX_ROWS
"""Rows, lines or activities of a file on the page, at most: as many as anywhere."""

MAX_SHOWN = 200
"""Problems, and rows of the difference, that one answer has at most; all are counted."""

_FILE_NAME = r"[^/\\\x00-\x1f]{1,200}\.(csv|tsv|xlsx|ndjson|jsonl|xml)"

PAGE_CONTRACT = page_contract("A page that imports a file of facts.")

CHECK_CONTRACT = Contract(
    needs="contributor",
    replies={200: Reply("A line of what a file has, and one for each batch of facts.", {NDJSON: {}}, {})},
    query=(
        Parameter("name", "The name of the file, whose ending tells its kind.", {"type": "string"}, is_needed=True),
        Parameter("map", "The name of a ready map.", {"enum": ready_map_names()}),
        Parameter("map_bytes", "How many bytes of the body are a map, before the file.", {"type": "integer"}),
        Parameter("sheet", "The sheet of a workbook.", {"type": "string"}),
        Parameter("encoding", "How a CSV file is written.", {"enum": list(get_args(Encoding))}),
        Parameter("ignore", "Columns that are not to be read, one a line.", {"type": "string"}),
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
    map_bytes: int
    sheet: str | None
    encoding: Encoding | None
    ignored: tuple[str, ...]
    released_on: date | None
    restate: bool
    first_map: bool


class _HungUp(Exception):
    """Whoever asked for the check is gone."""


class ImportPageController(Controller):
    """The page of imports, and the check that it asks for."""

    @read("/import", PAGE_CONTRACT)
    def page(self, request: AnyRequest, services: NamedDependency[Services]) -> ASGIApp:
        """A page that imports a file."""
        page = PageRequest(request, services)
        return Redirect(page.link()) if page.has_blanks else _draw(page)

    @write("/import", CHECK_CONTRACT, limit=MAX_PAGE_BYTES)
    async def check(self, request: AnyRequest, services: NamedDependency[Services]) -> StreamedResponse:
        """Check a file; nothing is written to the log. Files are checked one after the other."""
        query: Query = request.scope["state"]["query"]
        asked = _asked(query)
        aside = tempfile.TemporaryDirectory(prefix="tracker-import-")
        answer = Path(aside.name) / "answer"
        try:
            with services.import_room.taken() as share:
                body = Path(aside.name) / "body"
                await put_aside(request, BYTES, body, share)
                async with services.import_turn:
                    await _unless_hung_up(request, partial(_check, services.tracker, asked, body, answer))
        except BaseException:
            aside.cleanup()
            raise
        head = BytesResponse(b"", media_type=NDJSON, etag=f'"{uuid4().hex}"', cache_control="no-store")
        return StreamedResponse(head, _pieces(aside, answer))


async def _unless_hung_up(request: AnyRequest, check: Callable[[Callable[[], None]], None]) -> None:
    """Run a check in a thread, and stop it when the caller hangs up.

    Raises: Malformed if the caller did.
    """
    stop = threading.Event()

    def go_on() -> None:
        if stop.is_set():
            raise _HungUp

    gone = asyncio.ensure_future(until_disconnected(request.receive))
    gone.add_done_callback(lambda _: stop.set())
    try:
        await sync_to_thread(check, go_on)
    except _HungUp:
        raise Malformed("whoever sent the file has hung up") from None
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


def _pieces(aside: tempfile.TemporaryDirectory[str], answer: Path) -> Iterator[bytes]:
    """The answer in pieces; what was put aside is gone when they are sent."""
    with aside, answer.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _draw(page: PageRequest) -> BytesResponse:
    at = page.projected()
    html = page.render(
        "import.html",
        at,
        ready_maps=ready_map_names(),
        encodings=get_args(Encoding),
        max_megabytes=MAX_WORKBOOK_BYTES // 2**20,
    )
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
    return _Asked(
        name,
        ready,
        _map_bytes(query),
        query.get("sheet"),
        cast(Encoding | None, choice(query, "encoding", get_args(Encoding))),
        tuple(filter(None, query.get("ignore", "").split("\n"))),
        released_on,
        flag(query, "restate"),
        flag(query, "first_map"),
    )


def _map_bytes(query: Query) -> int:
    """Raises: InvalidParameter."""
    text = query.get("map_bytes", "0")
    if not re.fullmatch(r"[0-9]{1,7}", text) or int(text) > MAX_MAP_BYTES:
        raise invalid("map_bytes", f"is a number up to {MAX_MAP_BYTES}")
    return int(text)


def _check(tracker: Tracker, asked: _Asked, body: Path, answer: Path, go_on: Callable[[], None]) -> None:
    """Write the answer about a file that was put aside: a line of what was found, then a line for each batch."""
    # What reads workbooks is loaded with the first file: a server that checks none does without it.
    from api.imports.checking import CheckedFile, check_file
    from api.imports.files import ImportFile
    from api.imports.map_template import map_template
    from api.imports.spool import ItemSpool

    path = body.with_name(f"file{Path(asked.name).suffix.lower()}")
    own_map = _without_map(body, asked.map_bytes, path)
    with answer.open("wb") as out, ItemSpool(now) as spool:
        try:
            if asked.first_map:
                out.write(to_json({"map": map_template(path, asked.sheet, asked.encoding)}))
                return
            file = ImportFile(
                path, _mapping(asked, own_map), asked.sheet, asked.encoding, asked.ignored,
                asked.released_on or now().date(), MAX_PAGE_ROWS,
            )  # fmt: skip
            found = check_file(file, spool, tracker, now, restate=asked.restate, max_problems=MAX_SHOWN, go_on=go_on)
        except BadMap as bad:
            problems = [ImportProblem("the map", "", sentence) for sentence in bad.problems]
            found = CheckedFile(problems, len(problems))
        except UnreadableFile as unreadable:
            found = CheckedFile([ImportProblem(asked.name, "", str(unreadable))], 1)
        out.write(to_json(_answer(found)))
        for batch in found.batches:
            go_on()
            out.write(b"\n" + to_json({"key": batch.key, "lines": batch.lines.decode(), "rows": batch.rows}))


def _without_map(body: Path, map_bytes: int, file: Path) -> bytes:
    """The map at the beginning of a body; what is behind it becomes the file."""
    if not map_bytes:
        body.rename(file)
        return b""
    with body.open("rb") as given, file.open("wb") as rest:
        own_map = given.read(map_bytes)
        shutil.copyfileobj(given, rest)
    body.unlink()
    return own_map


def _mapping(asked: _Asked, own_map: bytes) -> SheetMap | None:
    if own_map:
        return parse_map(own_map)
    return None if asked.ready is None else parse_map(ready_map(asked.ready))


def _answer(found: CheckedFile) -> dict[str, Any]:
    return {
        "facts": found.facts,
        "recorded": found.recorded,
        "problems": [
            {"place": problem.place, "where": problem.where, "message": problem.message} for problem in found.problems
        ],
        "problems_total": found.problems_total,
        "left_out": found.left_out.first,
        "left_out_total": found.left_out.total,
        "remarks": found.remarks.first,
        "remarks_total": found.remarks.total,
        "difference": None if found.difference is None else _difference(found.difference),
    }


def _difference(difference: ReleaseDifference) -> dict[str, Any]:
    return {
        "new": difference.count("new"),
        "changed": difference.count("restated", "corrected", "reported again"),
        "by_hand": difference.count("by hand"),
        "vanished": difference.count("vanished"),
        "unchanged": difference.unchanged,
        "rows": [
            {"place": c.place, "key": c.key, "pledge": c.pledge, "change": c.kind, "what": c.what}
            for c in difference.first_not_new[:MAX_SHOWN]
        ],
        "rows_total": difference.counts.total() - difference.count("new"),
    }
