"""`tracker record`: one fact, as a POST records it."""

from __future__ import annotations

from datetime import datetime
from typing import IO

import click
from pydantic_core import from_json

from api.cli.group import fail
from api.cli.stores import opened_stores
from api.cli.terminal import answer, say
from api.http import drafts
from api.http.bodies import parse, payload_hash
from api.http.system_clock import now
from api.resources.receipts import dry_run, receipt
from tracker.errors import BatchRefused, InvalidFact, Refusal, TrackerError
from tracker.facts import MAX_FACT_BYTES
from tracker.requests import Draft, Request
from tracker.values import is_slug

MAX_FILE_BYTES = MAX_FACT_BYTES + 16 * 1024
"""Bytes of the file of a fact, at most, however it is spaced."""


@click.command()
@click.argument("pledge")
@click.argument("file", type=click.File("rb"), metavar="FILE_OR_-")
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what it would give, and record nothing.")
@click.option("--key", help="An idempotency key: the same fact under the same key is recorded once.")
@click.option("--by", default="cli", show_default=True, help="Who records it.")
def record(pledge: str, file: IO[bytes], is_dry: bool, key: str | None, by: str) -> None:
    """Record one fact, a JSON object, on a pledge; a PledgeMade opens it.

    The receipt is printed as the API answers it, and what is odd about the fact is said besides.

    \b
    Examples:
      tracker record nato-ukraine-2024 fact.json --dry-run
      tracker record nato-ukraine-2024 - --key 2024-10-17-report < fact.json
    """
    if not is_slug(pledge):
        raise click.UsageError(f"{pledge[:128]!r} is no pledge: a slug is small letters, digits and hyphens")
    if key is not None and not (1 <= len(key) <= 255 and key.isprintable()):
        raise click.UsageError("--key is 1 to 255 printable characters")
    text = file.read(MAX_FILE_BYTES + 1)
    if len(text) > MAX_FILE_BYTES:
        fail(f"a fact has at most {MAX_FACT_BYTES} bytes; keep documents outside")
    with opened_stores() as stores:
        at = now()
        try:
            raw = parse(text)
            request = _request(drafts.draft(pledge, raw, at), raw, by, key, at)
            if is_dry:
                _tell(dry_run(stores.tracker, request, lambda _: ""))
            else:
                known = None if key is None else stores.tracker.replay(str(request.key), request.payload_hash)
                _tell(receipt(known or stores.tracker.record(request), ""))
        except BatchRefused as refused:
            _refuse(drafts.single_refusal(refused, ""))
        except TrackerError as refused:
            _refuse(refused)


def _request(draft: Draft, raw: object, by: str, key: str | None, at: datetime) -> Request:
    """The request; its key is under the name of the command, so that no key of the API is the same."""
    if key is None:
        return Request((draft,), by, at)
    return Request((draft,), by, at, f"cli\nrecord\n{draft.pledge}\n{key}", payload_hash(raw))


def _tell(body: bytes) -> None:
    for warning in from_json(body)["warnings"]:
        say(f"Look again: {warning['pointer'] or 'the fact'}: {warning['message']}")
    answer(body.decode())


def _refuse(refusal: TrackerError) -> None:
    """Say each thing that is wrong, with its place in the fact.

    Raises: CommandFailed.
    """
    problems: tuple[tuple[str, str], ...] = ()
    if isinstance(refusal, InvalidFact):
        problems = refusal.problems
    elif isinstance(refusal, Refusal) and refusal.pointer:
        problems = ((refusal.pointer, refusal.detail),)
    for pointer, message in problems:
        say(f"{pointer or 'the fact'}: {message}")
    fail(f"it is not recorded ({refusal.code}): {refusal.detail}")
