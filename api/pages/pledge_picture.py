"""The picture of one pledge at its address: SVG or PNG, for slides, for papers, and for what is shown of a link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api import wording
from api.http.contract import Contract, Reply
from api.http.headers import style_only_policy
from api.http.known_heads import Validity
from api.http.media import MediaFormat
from api.http.responses import BytesResponse
from api.pages.chart import chart_data
from api.pages.charts import charts_of, picture_drawings
from api.pages.frame import PageRequest, page_contract
from api.pages.picture import STYLE, picture
from api.pages.pledge import SeenPledge, look_at
from api.pages.pledge_story import named_members
from api.pages.png import png

PICTURE_FORMATS = {"svg": MediaFormat("svg", "image/svg+xml"), "png": MediaFormat("png", "image/png")}


def picture_contract(kind: str) -> Contract:
    """The contract of a picture of a pledge."""
    page = page_contract("A picture.", problems=("pledge_not_found",))
    content: dict[str, Any] = {PICTURE_FORMATS[kind].media_type: {"type": "string"}}
    return Contract(
        needs=page.needs,
        replies={**page.replies, 200: Reply("A picture of the pledge with its chart, source and date.", content, {})},
        query=page.query,
        problems=page.problems,
        tag=page.tag,
    )


class PictureRequest(PageRequest):
    """One read of a picture, in the format that its address names."""

    kind = "svg"

    def _response(self, body: bytes, validity: Validity | None, **more: Any) -> BytesResponse:
        kept = self.cache_control
        headers: Mapping[str, str] = {**style_only_policy(STYLE), "vary": "Authorization"}
        return BytesResponse(
            body,
            media_type=PICTURE_FORMATS[self.kind].media_type,
            validity=self._unless_void(validity),
            cache_control=kept,
            **{**more, "headers": headers},
        )


def draw_picture(page: PictureRequest, name: str) -> BytesResponse:
    """The picture at `/pledges/{id}/picture.svg` and `.png`."""
    seen = look_at(page, name, "as_of")
    svg = _svg(page, seen)
    return page.about_pledge(name, seen.version, svg if page.kind == "svg" else png(svg))


def _svg(page: PageRequest, seen: SeenPledge) -> bytes:
    status, story, at = seen.status, seen.story, seen.at
    data = chart_data(status, story.figures, story.history, story.segments, story.counted, at.as_of, seen.digits)
    members = named_members(story.members)
    charts = charts_of(status, data, members, at.as_of, seen.row.progress, seen.digits, seen.by_id)
    latest = seen.latest or next(iter(story.events), None)
    address = page.absolute(page.link(f"/pledges/{status['pledge']}"))
    footer = f"As of {wording.day(at.as_of)}, log position {at.position}. Commitments Tracker"
    drawings = picture_drawings(charts, status, members, seen.digits)
    return picture(seen.row, drawings, "" if latest is None else _source(latest), footer, address)


def _source(event: Mapping[str, Any]) -> str:
    """Who said what is shown last, and where it was published."""
    fact = event["fact"]
    source = fact.get("source") or {}
    who = wording.party(fact.get("speaker"))
    said = ", ".join(filter(None, (who, event["said"])))
    printed = ", ".join(filter(None, (source.get("publisher"), source.get("title"))))
    return f"Source: {said}; {printed}" if printed else f"Source: {said}"
