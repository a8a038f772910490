"""Changes of status as an Atom feed (RFC 4287): ids that never change, and addresses relative to the feed's own.

An entry is updated when the change came to be known: at the recording of the event that made it so, or at the beginning
of the day on which a deadline had passed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from typing import Any, NamedTuple
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from api import amounts, wording
from api.formats.badge import clean
from api.http.license import address as license_address
from projections.changes import StatusChange
from tracker.event import stamp

_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://commitments-tracker.invalid/feed")


class FeedEntry(NamedTuple):
    """A change, when it came to be known, and the status document of its day."""

    change: StatusChange
    updated: datetime
    status: Mapping[str, Any]


def known_from(change: StatusChange, recorded_at: datetime) -> datetime:
    """When a change could first be seen: its day had begun and its event was recorded."""
    return max(recorded_at, datetime.combine(change.on, time(), UTC))


def feed(
    entries: Iterable[FeedEntry], query: Mapping[str, str], updated: datetime, origin: str | None, license_: str | None
) -> bytes:
    """The feed. ``query`` is what it is narrowed to; ``updated`` counts where there is no entry."""
    entries = list(entries)
    own = "/v1/feed.atom" + (f"?{urlencode(query)}" if query else "")
    newest = max((entry.updated for entry in entries), default=updated)
    found = license_address(license_)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
        f"<id>{_id(origin, own)}</id>",
        "<title>Commitments Tracker: changes of status</title>",
        "<subtitle>What became of public pledges, as it is recorded.</subtitle>",
        f"<updated>{stamp(newest)}</updated>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(own)}/>',
        '<link rel="alternate" type="text/html" href="/"/>',
        *([f'<link rel="license" href={quoteattr(found)}/>'] if found else []),
        "<author><name>Commitments Tracker</name></author>",
        *([f"<rights>{_text(license_)}</rights>"] if license_ else []),
        *(line for entry in entries for line in _entry(entry, origin)),
        "</feed>",
    ]
    return "\n".join(lines).encode() + b"\n"


def _entry(entry: FeedEntry, origin: str | None) -> Iterable[str]:
    change, status = entry.change, entry.status
    place = f"{change.pledge}?as_of={change.on}"
    now = wording.STATUS[change.after]
    yield "<entry>"
    yield f"<id>{_id(origin, f'{change.pledge}/{change.on}/{change.after}/{change.position}')}</id>"
    yield f"<title>{_text(now + ': ' + status['title'])}</title>"
    yield f"<updated>{stamp(entry.updated)}</updated>"
    yield f"<published>{stamp(entry.updated)}</published>"
    yield f'<link rel="alternate" type="text/html" href={quoteattr(f"/pledges/{place}")}/>'
    yield f'<link rel="related" type="application/json" href={quoteattr(f"/v1/pledges/{place}")}/>'
    yield f"<category term={quoteattr(change.after)} label={quoteattr(now)}/>"
    yield f'<summary type="text">{_text(said(change, status))}</summary>'
    yield "</entry>"


def said(change: StatusChange, status: Mapping[str, Any]) -> str:
    """The change in a sentence."""
    became = wording.STATUS[change.after].lower()
    who = wording.party(status["pledgor"])
    if change.before is None:
        start = f"{wording.day(change.on)}: {who} made this pledge; it is {became}."
    else:
        start = f"{wording.day(change.on)}: from {wording.STATUS[change.before].lower()} to {became}."
    near = amounts.distinct_digits(status["actual"], status["target"])
    actual, target = amounts.amount(status["actual"], near), amounts.amount(status["target"], near)
    share = amounts.ratio(status["ratio"], status["actual"])
    figures = [] if actual is None else [f"Reported: {actual.short}"]
    figures += [] if target is None else [f"target: {target.short}" if figures else f"Target: {target.short}"]
    figures += [] if share is None else [share]
    return f"{start} {', '.join(figures)}." if figures else start


def _id(origin: str | None, name: str) -> str:
    return uuid.uuid5(_SPACE, f"{origin or ''}\n{name}").urn


def _text(text: str | None) -> str:
    return escape(clean(text or ""))
