"""The ways out of a pledge's page: what is taken along, quoted, embedded or followed, and what a link to it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from api import wording
from api.http.addresses import encoded
from api.pages.frame import PageRequest
from api.pages.pledge_rows import PledgeRow
from projections.queries import Clocks

EMBED_HEIGHT = 260
"""Height of an embedded pledge in px, until the page that embeds it hears the frame's own."""


@dataclass(frozen=True, slots=True)
class WaysOut:
    """Addresses and texts with which a page is taken along; absolute where `TRACKER_PUBLIC_URL` is set."""

    fixed: str
    """The address that shows this very page for ever."""

    cite: str
    csv: str
    json: str
    """The status document on the same clocks."""

    feed: str
    statement: str
    picture: str
    """The address of the picture as PNG; the SVG beside it has the other ending."""

    picture_svg: str
    frame: str
    preview: str
    """The frame on this machine, for the page itself to show."""

    snippet: str
    description: str
    claim: Mapping[str, Any]
    """JSON-LD: a schema.org `Claim`, or a `ClaimReview` of it where an assessment is on record."""


def ways_out(page: PageRequest, at: Clocks, row: PledgeRow, made: Mapping[str, Any] | None) -> WaysOut:
    """The ways out of the page of a pledge; `made` is its first event."""
    status, absolute = row.status, page.absolute
    slug = status["pledge"]
    fixed = absolute(page.pinned(at))
    frame = absolute(page.link(f"/embed/{slug}"))
    title = escape(f"{status['title']}: {wording.STATUS[status['status']]}", quote=True)
    return WaysOut(
        fixed=fixed,
        cite=(
            f"{wording.party(status['pledgor'])}: “{status['title']}”, {wording.STATUS[status['status']].lower()}"
            f" ({row.progress}) as of {wording.day(at.as_of)}. Commitments Tracker, log position {at.position}, {fixed}"
        ),
        csv=page.address(f"/v1/pledges/{slug}/{_table(status)}?{_clocks(at)}&format=csv"),
        json=page.address(f"/v1/pledges/{slug}?{_clocks(at) if page.at.position is not None else _day(at)}"),
        feed=absolute(page.address(f"/v1/feed.atom?{encoded({'pledge': slug})}")),
        statement=page.link(f"/pledges/{slug}/statement"),
        picture=absolute(page.link(f"/pledges/{slug}/picture.png")),
        picture_svg=page.link(f"/pledges/{slug}/picture.svg"),
        frame=frame,
        preview=page.link(f"/embed/{slug}"),
        snippet=(
            f'<iframe src="{escape(frame, quote=True)}" title="{title}" width="100%" height="{EMBED_HEIGHT}"'
            ' frameborder="0" loading="lazy"></iframe>'
        ),
        description=description(row),
        claim=_claim(page, row, made),
    )


def description(row: PledgeRow) -> str:
    """The status in two sentences, for what is shown of a link."""
    status = row.status
    said = f"{wording.STATUS[status['status']]}: {row.progress}"
    if row.share:
        said += f" ({row.share})"
    return f"{said}. {wording.means(status).capitalize()}."


def _table(status: Mapping[str, Any]) -> str:
    """The list of a pledge that has what its chart shows."""
    if status.get("members") is not None:
        return "members"
    return "figures" if status["actual"] is not None or status["target"] is not None else "history"


def _day(at: Clocks) -> str:
    return encoded({"as_of": at.as_of.isoformat()})


def _clocks(at: Clocks) -> str:
    return encoded({"as_of": at.as_of.isoformat(), "at_position": str(at.position)})


def _claim(page: PageRequest, row: PledgeRow, made: Mapping[str, Any] | None) -> dict[str, Any]:
    """What search engines read. The rating is the one that was issued, in its own words; our status is no rating."""
    status, absolute = row.status, page.absolute
    address = absolute(page.address(f"/pledges/{status['pledge']}"))
    claim: dict[str, Any] = {
        "@type": "Claim",
        "name": status["title"],
        "author": {"@type": "Organization", "name": wording.party(status["pledgor"])},
    }
    if made is not None:
        claim["datePublished"] = _published_on(made["fact"])
        if quote := made["fact"].get("quote"):
            claim["text"] = quote
        if source := (made["fact"].get("source") or {}).get("url"):
            claim["appearance"] = {"@type": "CreativeWork", "url": source}
    assessment = status.get("assessment")
    if assessment is None:
        return {"@context": "https://schema.org", **claim, "url": address, "abstract": description(row)}
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "url": address,
        "claimReviewed": status["title"],
        "datePublished": assessment["stated_on"],
        "itemReviewed": claim,
        "reviewRating": {"@type": "Rating", "alternateName": assessment["rating"]},
        "author": {"@type": "Organization", "name": "Commitments Tracker"},
    }


def _published_on(fact: Mapping[str, Any]) -> str:
    """The day in ISO 8601, no more precise than its source: 2024-07 or 2024."""
    letters = {"day": 10, "month": 7}.get(fact.get("precision", "day"), 4)
    return str(fact["stated_on"])[:letters]
