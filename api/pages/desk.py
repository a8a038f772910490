"""What the form that records a fact asks with a key in hand: what a passage says, and one's own last facts.

Nothing is written here; a fact is recorded over `/v1`, as by everybody else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

import pycountry
from litestar import Controller, Response
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from pydantic_core import to_json

from api import wording
from api.amounts import amount_text
from api.http.auth import Caller
from api.http.bodies import parse
from api.http.contract import JSON, AnyRequest, Contract, Reply, read, write
from api.http.headers import entity_tag
from api.http.log_ids import LOG
from api.http.responses import NO_STORE, BytesResponse
from api.http.system_clock import today
from api.pages.record import event_words
from api.resources.contracts import IF_NONE_MATCH
from api.resources.writes import posted_write
from api.services import Services
from tracker.errors import InvalidFact
from tracker.event import raw_event
from tracker.log.recorder import LogRecorder
from tracker.log.rows import LogRow
from tracker.passage_words import MAX_PASSAGE, amounts_in, dates_in
from tracker.pledge_events import PledgeEvents
from tracker.promise_facts import PledgeMade, PledgeRevised
from tracker.quantity import Quantity
from tracker.quantity_words import UnclearWords
from tracker.quantity_words import read as read_words
from tracker.rules.epochs import ResolvedFact
from tracker.rules.pledge_history import PledgeHistory
from tracker.values import Party, is_slug

MAX_READING_BODY_BYTES = 64 * 1024
"""Bytes read of the body of what is to be read, at most."""

MAX_WORDS = 20
"""Amounts in words that one request has read, at most."""

MAX_OWN = 20
"""Facts of one's own that are listed, at most."""

MAX_LOOKED_AT_OWN = 10_000
"""Rows of the log that are looked through for one's own facts, at most, the latest first."""

_READ_ROWS = 1_000

READING_CONTRACT = Contract(
    needs="contributor",
    replies={200: Reply("What our readers find in a passage, and in amounts in words.", {JSON: {}}, {})},
    body={JSON: {}},
    problems=("malformed", "unsupported_media_type", "invalid_fact", "too_large", "rate_limited"),
    tag="About",
)
OWN_CONTRACT = Contract(
    needs="monitor",
    replies={200: Reply("The facts that this key recorded last.", {JSON: {}}, {})},
    query=(LOG,),
    headers=(IF_NONE_MATCH,),
    problems=("unknown_parameter", "other_log"),
    tag="About",
    keyed=True,
)


class DeskController(Controller):
    """What the form asks for, beside the API."""

    @write("/record/reading", READING_CONTRACT, limit=MAX_READING_BODY_BYTES)
    async def reading(self, request: AnyRequest, services: NamedDependency[Services]) -> Response[bytes]:
        """What is found in a passage of a source; nothing is written."""
        posted = await posted_write(request, JSON)
        answer = await sync_to_thread(_reading, services, parse(posted.body))
        return Response(to_json(answer), status_code=200, media_type=JSON, headers={"Cache-Control": NO_STORE})

    @read("/record/mine", OWN_CONTRACT)
    def mine(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The facts that the caller's key recorded last, the latest first."""
        state: Any = request.scope["state"]
        caller: Caller = state["caller"]
        body = to_json({"items": own_facts(services.tracker.log, caller.name, today())})
        tag = entity_tag(body, log=state["log"])
        return BytesResponse(body, media_type=JSON, etag=tag, cache_control=NO_STORE)


def _reading(services: Services, raw: Any) -> dict[str, Any]:
    """Raises: InvalidFact if the body is not what is wanted."""
    if not isinstance(raw, dict) or not raw.keys() <= {"passage", "pledge", "words"}:
        raise InvalidFact(
            "an object with 'passage', 'pledge' and 'words' is wanted, each where it is needed", pointer=""
        )
    passage, pledge, words = raw.get("passage", ""), raw.get("pledge"), raw.get("words", [])
    if not isinstance(passage, str) or len(passage) > MAX_PASSAGE:
        raise InvalidFact(f"a passage is text of at most {MAX_PASSAGE:,} characters", pointer="/passage")
    if pledge is not None and not is_slug(pledge):
        raise InvalidFact("the slug of a pledge is wanted here", pointer="/pledge")
    if not isinstance(words, list) or len(words) > MAX_WORDS or not all(isinstance(one, str) for one in words):
        raise InvalidFact(f"at most {MAX_WORDS} amounts in words are read at a time", pointer="/words")
    known = PledgeEvents() if pledge is None else services.tracker.events_of(pledge)
    standing = known.fold(lambda events: PledgeHistory(events).resolve(date.max)[0])[0]
    return {
        "amounts": [
            {"text": found.text, "words": found.words, "exact": _exact(found.quantity)}
            for found in amounts_in(passage, _units(standing))
        ],
        "dates": [{"text": found.text, "date": found.partial} for found in dates_in(passage)],
        **_named(passage, standing),
        "words": [_read_words(one) for one in words],
    }


def _units(standing: Sequence[ResolvedFact]) -> frozenset[str]:
    """The units of what the pledge promises and reports."""
    targets = (getattr(one.fact, "target", None) for one in standing)
    figures = (getattr(one.fact, "figure", None) for one in standing)
    return frozenset(
        {target.unit for target in targets if target is not None}
        | {figure.quantity.unit for figure in figures if figure is not None}
    )


def _exact(quantity: Quantity) -> str:
    return amount_text(quantity.model_dump(mode="json", exclude_none=True)).exact


def _read_words(words: str) -> dict[str, str]:
    try:
        return {"exact": _exact(read_words(words))}
    except UnclearWords as unclear:
        return {"problem": str(unclear)}


def _named(passage: str, standing: Sequence[ResolvedFact]) -> dict[str, Any]:
    """The parties, members and publishers that a passage names: those of the pledge, and states."""
    is_named = _finder(passage)
    parties = {party.name.casefold(): party for one in standing for party in _parties(one) if is_named(party.name)}
    group = next((g for one in reversed(standing) if (g := getattr(one.fact, "group", None)) is not None), None)
    members = [] if group is None else [code for code in group.members if is_named(wording.member(code))]
    publishers = dict.fromkeys(one.fact.source.publisher for one in standing if one.fact.source is not None)
    states = ((wording.member(state.alpha_2), state.alpha_2) for state in pycountry.countries)
    for name, code in (*states, ("European Union", "EU"), ("Kosovo", "XK")):
        if name.casefold() not in parties and is_named(name):
            parties[name.casefold()] = Party.model_construct(name=name, code=code)
    return {
        "parties": [{"name": one.name, **({"code": one.code} if one.code else {})} for one in parties.values()],
        "members": [{"name": wording.member(code), "code": code} for code in members],
        "publishers": [name for name in publishers if is_named(name)],
    }


def _finder(passage: str) -> Callable[[str], bool]:
    """Whether a passage has a name, as whole words, in any case."""
    text = f" {_bare_words(passage)} "

    def is_named(name: str) -> bool:
        words = _bare_words(name)
        return bool(words) and f" {words} " in text

    return is_named


def _bare_words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _parties(one: ResolvedFact) -> Iterator[Party]:
    """The parties and speakers that a fact names."""
    fact = one.fact
    named: list[Party | None] = [fact.speaker]
    if isinstance(fact, PledgeMade | PledgeRevised):
        named += [fact.pledgor, fact.beneficiary, *(joint.party for joint in fact.joint or ())]
    yield from (party for party in named if party is not None)


def own_facts(log: LogRecorder, name: str, on: date) -> list[dict[str, Any]]:
    """The facts that a key of this name recorded last, the latest first, as JSON; `on` is the day of an undo."""
    rows = _rows_by(log, name)
    known = log.rows_of(list(dict.fromkeys(row.pledge for row in rows)))
    standing: dict[str, ResolvedFact] = {}
    for stored in known.values():
        resolved = PledgeEvents.read(stored).fold(lambda events: PledgeHistory(events).resolve(date.max)[0])[0]
        standing |= {one.event.id: one for one in resolved}
    return [_own(row, standing.get(row.event_id), on) for row in rows]


def _own(row: LogRow, standing: ResolvedFact | None, on: date) -> dict[str, Any]:
    """One fact of one's own: how it reads, and whether it can be undone or is void already."""
    words = f"{row.version} · {wording.TYPE[row.type]}" if standing is None else event_words(standing)
    is_void = standing is None and row.type != "EventVoided"
    return {
        "event": row.event_id,
        "pledge": row.pledge,
        "words": words,
        "type": row.type,
        "is_void": is_void,
        "can_undo": standing is not None and row.type != "EventVoided",
        "today": on.isoformat(),
    }


def _rows_by(log: LogRecorder, name: str) -> list[LogRow]:
    """The last rows that a key of this name recorded, the latest first."""
    found: list[LogRow] = []
    upto = log.head()
    lowest = max(0, upto - MAX_LOOKED_AT_OWN)
    while upto > lowest and len(found) < MAX_OWN:
        after = max(lowest, upto - _READ_ROWS)
        rows = log.read(after, _READ_ROWS, upto=upto)
        found += [row for row in reversed(rows) if raw_event(row.state, row.position).get("recorded_by") == name]
        upto = after
    return found[:MAX_OWN]
