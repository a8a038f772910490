"""`tracker capture`: keep a copy of an event's source and record that it is kept; and look at all copies again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import httpx

from api.archive import ENDINGS, MAX_CAPTURE_BYTES, Archive, Capture, hash_of, media_type_of
from api.cli.group import fail
from api.cli.stores import Stores, event_row, opened_stores
from api.cli.terminal import answer, say
from api.http.system_clock import now
from tracker.errors import BatchRefused, TrackerError
from tracker.event import Event, event_id
from tracker.facts import SourceCaptured
from tracker.promise_facts import StatedFact
from tracker.requests import Draft, Request

ANSWER_SECONDS = 30.0
"""Seconds for which a server may say nothing before a source is given up."""

_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "commitments-tracker-capture"}

CHECK = "check"
"""What stands in the place of an event's id to look at all copies again."""

_BY_ENDING = {ending: media_type for media_type, ending in ENDINGS.items()} | {
    ".htm": "text/html",
    ".jpeg": "image/jpeg",
}


@click.command()
@click.argument("event", metavar="EVENT|check")
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The copy.")
@click.option("--url", help="Where to fetch the source: https://…")
@click.option("--media-type", type=click.Choice(sorted(ENDINGS)), help="What it is. [default: what it says itself]")
@click.option("--by", default="cli", show_default=True, help="Who records it.")
def capture(event: str, file: Path | None, url: str | None, media_type: str | None, by: str) -> None:
    """Keep a copy of an event's source under its hash, and record a SourceCaptured.

    With `check` every copy in the archive is read again: exit 1 if one is not what its name says. Copies that the log
    says are kept here, and are not, are listed: after a move or a restore the archive was left behind.

    \b
    Examples:
      tracker capture 01939f2c-… --file report.pdf
      tracker capture 01939f2c-… --url https://example.org/report.html
      tracker capture check
    """
    if event == CHECK:
        with opened_stores(must_exist=True) as stores:
            _check(Archive(stores.settings.archive_directory), _recorded(stores))
        return
    if (file is None) == (url is None):
        raise click.UsageError("give one of --file and --url")
    with opened_stores() as stores:
        row = event_row(stores, event)
        target = Event.read(row.state, row.position)
        body, said = _read(file) if file is not None else _fetched(str(url))
        kind = media_type or said or media_type_of(body)
        if kind is None:
            raise click.UsageError("what it is cannot be told from its name or its bytes: give --media-type")
        try:
            kept, is_new = Archive(stores.settings.archive_directory).put(body, kind)
        except TrackerError as refused:
            fail(f"{refused.detail}.")
        if _is_recorded(stores, target, kept):
            say("That this copy is kept was recorded before.")
        else:
            _record(stores, target, kept, by)
        source = target.fact.source if isinstance(target.fact, StatedFact) else None
        if source is not None and source.sha256 is not None and source.sha256 != kept.sha256:
            say(
                f"The source was recorded with another hash, {source.sha256}: it has changed since, or this is another."
            )
        if not is_new:
            say("The archive had these bytes already.")
        answer(kept.sha256)


def _is_recorded(stores: Stores, target: Event, kept: Capture) -> bool:
    facts = (event.fact for event in stores.tracker.events_of(target.pledge).events)
    return any(isinstance(f, SourceCaptured) and (f.event, f.sha256) == (target.id, kept.sha256) for f in facts)


def _record(stores: Stores, target: Event, kept: Capture, by: str) -> None:
    at = now()
    fact = SourceCaptured(
        type="SourceCaptured",
        stated_on=at.date(),
        event=target.id,
        sha256=kept.sha256,
        media_type=kept.media_type,
        bytes=kept.bytes,
    )
    draft = Draft(target.pledge, fact, event_id(at, secrets.token_bytes(10)))
    try:
        stores.tracker.record(Request((draft,), by, at))
    except BatchRefused as refused:
        fail(f"{refused.refusals[0][1].detail}.")


def _read(file: Path) -> tuple[bytes, str | None]:
    if file.stat().st_size > MAX_CAPTURE_BYTES:
        raise click.UsageError(f"{file} has more than {MAX_CAPTURE_BYTES:,} bytes")
    return file.read_bytes(), _BY_ENDING.get(file.suffix.lower())


def _fetched(url: str) -> tuple[bytes, str | None]:
    """What is at an address, and its media type if it is one that is kept."""
    if not url.startswith(("https://", "http://")):
        raise click.UsageError("--url is an address that begins with https:// or http://")
    body = bytearray()
    try:
        with httpx.stream("GET", url, follow_redirects=True, timeout=ANSWER_SECONDS, headers=_HEADERS) as reply:
            reply.raise_for_status()
            media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
            for piece in reply.iter_bytes():
                body += piece
                if len(body) > MAX_CAPTURE_BYTES:
                    fail(f"{url} has more than {MAX_CAPTURE_BYTES:,} bytes")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fail(f"{url} cannot be fetched: {error}")
    return bytes(body), media_type if media_type in ENDINGS else None


def _recorded(stores: Stores) -> Iterator[str]:
    """The hashes that the log says are kept here: of copies that have no address elsewhere."""
    position = 0
    while rows := stores.log.read(position, type="SourceCaptured"):
        for row in rows:
            fact = Event.read(row.state, row.position).fact
            if isinstance(fact, SourceCaptured) and fact.archive_url is None:
                yield fact.sha256
        position = rows[-1].position


def _check(archive: Archive, recorded: Iterable[str]) -> None:
    wrong = seen = 0
    try:
        for sha256 in dict.fromkeys(recorded):
            if archive.find(sha256) is None:
                say(f"{sha256} is recorded and not kept here")
        for kept in archive.captures():
            seen += 1
            try:
                found = hash_of(kept.path)
            except OSError as error:
                found = f"unreadable: {error.strerror}"
            if found != kept.sha256:
                wrong += 1
                say(f"{kept.path} is not what its name says: {found}")
    except TrackerError as refused:
        fail(f"{refused.detail}.")
    if wrong:
        fail(f"{wrong} of {seen} copies are not what they were")
    answer(f"{seen} copies are what their names say")
