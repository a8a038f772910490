"""Proposals: facts that wait for a second pair of eyes. Who contributes proposes, who monitors decides.

An act is parsed, looked up under its idempotency key, checked for its shape and decided, in this order, in a thread.
Nothing here is public or cached: who contributes sees its own proposals, monitors see all.
"""

from __future__ import annotations

import json
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Controller, Response
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import FromPath
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from api.http import drafts
from api.http.addresses import address, base_path
from api.http.auth import Caller
from api.http.bodies import parse, payload_hash
from api.http.contract import JSON, AnyRequest, Contract, read, write
from api.http.headers import entity_tag, header, next_link
from api.http.negotiation import negotiate
from api.http.parameters import Query, choice, integer, invalid
from api.http.problems import Forbidden, pledge_not_found
from api.http.responses import NO_STORE, BytesResponse
from api.resources import proposal_contracts as contracts
from api.resources.receipts import receipt
from api.resources.writes import WriteOutcome, posted_write, write_response
from api.services import Services
from tracker.errors import BatchRefused, InvalidFact, NotOpened, ProposalNotFound
from tracker.event import event_id, raw_event, stamp
from tracker.log.guard import must_be_this_log
from tracker.pledge_events import PledgeEvents, raw_fact
from tracker.promise_facts import PledgeMade
from tracker.proposal import MAX_REVISIONS, STATES, Acting, Proposal
from tracker.proposals import Done, Sent
from tracker.requests import Draft, Recorded, Request
from tracker.rules.status import StatusFold
from tracker.values import Text, is_slug
from tracker.writer import MAX_WARNINGS

MAX_PROPOSAL_BODY_BYTES = 96 * 1024
"""Bytes read of the body of an act on a proposal, at most: a fact of 48 KiB and a note."""

_TEXT = TypeAdapter(Text)
_CURSOR = TypeAdapter(tuple[str, int, str])


@dataclass(frozen=True, slots=True)
class ProposalAct:
    """An act on proposals as it came in: who acts, when, with which body."""

    services: Services
    caller: Caller
    now: datetime
    raw: Any
    sent: Sent
    base: str
    """The path below which addresses are (`addresses.base_path`)."""

    @property
    def by(self) -> Acting:
        """Who acts, as the proposal knows it."""
        return Acting(self.caller.name, self.caller.scope)

    def text(self, name: str) -> str | None:
        """A member that is some text; None if it is not there.

        Raises: InvalidFact if it is no text of 1 to 4,000 characters.
        """
        if (given := self.raw.get(name)) is None and name not in self.raw:
            return None
        try:
            return _TEXT.validate_python(given, strict=True)
        except ValidationError:
            raise InvalidFact("plain text of 1 to 4,000 characters is wanted here", pointer=f"/{name}") from None

    def draft(self, pledge: str) -> Draft:
        """The fact of the body as a draft on a pledge.

        Raises: InvalidFact or TooLarge, as `drafts.draft`.
        """
        return drafts.draft(pledge, self.raw["fact"], self.now, at="/fact")

    def new_id(self) -> str:
        """An id that nothing has yet."""
        return event_id(self.now, secrets.token_bytes(10))

    def seen(self, proposal: str) -> Proposal:
        """A proposal that the caller may see.

        Raises: ProposalNotFound if there is none, or it is another's and the caller only contributes.
        """
        return _seen(self.services, self.caller, proposal)

    def own(self, proposal: str) -> Proposal:
        """A proposal of the caller.

        Raises: ProposalNotFound as `seen`; Forbidden if it is another's.
        """
        found = self.seen(proposal)
        if found.scope != self.caller.scope:
            raise Forbidden("only the key that proposed it may revise or withdraw it")
        return found


class ProposalController(Controller):
    """What contributors propose, and what monitors do with it."""

    @read("/v1/proposals", contracts.LIST_PROPOSALS)
    def list_proposals(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """Proposals, the oldest first: who contributes gets its own, monitors get all."""
        query, caller, log = _asked(request, contracts.LIST_PROPOSALS)
        state = choice(query, "state", STATES)
        limit = integer(query, "limit", 1, contracts.MAX_PAGE_PROPOSALS, contracts.MAX_PAGE_PROPOSALS)
        after = _place(query, log, state)
        states = STATES if state is None else tuple(one for one in STATES if one == state)
        places = services.proposals.after(after, limit + 1, states, _only_of(caller))
        page, following = places[:limit], None
        headers = {}
        if len(places) > limit:
            following = _cursor(log, page[-1].position, state)
            headers["Link"] = next_link(address(request.scope, "/v1/proposals"), {**query, "cursor": following})
        items = [_proposal_json(services, services.proposals.get(place.proposal)) for place in page]
        return _private(to_json({"items": items, "next_cursor": following}), log, headers)

    @read("/v1/proposals/{proposal:str}", contracts.ONE_PROPOSAL)
    def one(self, request: AnyRequest, services: NamedDependency[Services], proposal: FromPath[str]) -> BytesResponse:
        """One proposal, at its last revision."""
        _, caller, log = _asked(request, contracts.ONE_PROPOSAL)
        return _private(to_json(_proposal_json(services, _seen(services, caller, proposal))), log)

    @write("/v1/proposals", contracts.PROPOSE, limit=MAX_PROPOSAL_BODY_BYTES)
    async def propose(self, request: AnyRequest, services: NamedDependency[Services]) -> Response[bytes]:
        """Propose a fact, a PledgeMade too. It is checked as if it were recorded, and waits for a monitor."""
        return await sync_to_thread(_propose, await _act(request, services))

    @write("/v1/proposals/{proposal:str}/revise", contracts.REVISE, limit=MAX_PROPOSAL_BODY_BYTES)
    async def revise(
        self, request: AnyRequest, services: NamedDependency[Services], proposal: FromPath[str]
    ) -> Response[bytes]:
        """Say another fact in place of the one proposed: the next revision, open again. For who proposed it."""
        return await sync_to_thread(_revise, await _act(request, services), proposal)

    @write("/v1/proposals/{proposal:str}/withdraw", contracts.WITHDRAW, limit=MAX_PROPOSAL_BODY_BYTES)
    async def withdraw(
        self, request: AnyRequest, services: NamedDependency[Services], proposal: FromPath[str]
    ) -> Response[bytes]:
        """Take a proposal back, for good. For who proposed it."""
        return await sync_to_thread(_withdraw, await _act(request, services, may_be_empty=True), proposal)

    @write("/v1/proposals/{proposal:str}/decline", contracts.DECLINE, limit=MAX_PROPOSAL_BODY_BYTES)
    async def decline(
        self, request: AnyRequest, services: NamedDependency[Services], proposal: FromPath[str]
    ) -> Response[bytes]:
        """Decline a proposal, for good, and say why."""
        return await sync_to_thread(_decide, await _act(request, services), proposal, Proposal.decline)

    @write("/v1/proposals/{proposal:str}/return", contracts.RETURN, limit=MAX_PROPOSAL_BODY_BYTES)
    async def give_back(
        self, request: AnyRequest, services: NamedDependency[Services], proposal: FromPath[str]
    ) -> Response[bytes]:
        """Return a proposal to who made it, to be revised, and say why."""
        return await sync_to_thread(_decide, await _act(request, services), proposal, Proposal.give_back)

    @write("/v1/proposals/{proposal:str}/accept", contracts.ACCEPT, limit=MAX_PROPOSAL_BODY_BYTES)
    async def accept(
        self, request: AnyRequest, services: NamedDependency[Services], proposal: FromPath[str]
    ) -> Response[bytes]:
        """Record the fact of a proposal. The fact and the acceptance are recorded together, or neither is.

        Who proposed it cannot accept it. `recorded_by` is who accepted, and the event's envelope has `proposal`.
        """
        act = await _act(request, services, may_be_empty=True)
        recorded = await sync_to_thread(_accept, act, proposal)
        return await write_response(request, services, WriteOutcome(recorded, receipt(recorded, "/fact")))


async def _act(request: AnyRequest, services: Services, *, may_be_empty: bool = False) -> ProposalAct:
    """An act with its body parsed; one without a body is `{}` where it may be.

    Raises: as `posted_write`; Malformed if the body is no JSON.
    """
    scope = request.scope
    is_empty = header(scope, b"content-length") in (None, b"0") and header(scope, b"transfer-encoding") is None
    media_types = ("", JSON) if may_be_empty and is_empty else (JSON,)
    posted = await posted_write(request, *media_types)
    raw = parse(posted.body or b"{}" if may_be_empty else posted.body)
    key = posted.key
    sent = Sent(key, None if key is None else payload_hash(raw), posted.log)
    state: Any = scope["state"]
    return ProposalAct(services, state["caller"], posted.now, raw, sent, base_path(scope))


def _propose(act: ProposalAct) -> Response[bytes]:
    proposals = act.services.proposals
    must_be_this_log(act.services.tracker.log.guard.log, act.sent.log)
    if (done := proposals.answered(act.sent)) is None:
        drafts.must_have(act.raw, needed=("pledge", "fact"), allowed=("note",))
        pledge = act.raw["pledge"]
        if not is_slug(pledge):
            raise InvalidFact("the slug of a pledge is wanted here", pointer="/pledge")
        note, would = act.text("note"), _would(act, act.draft(pledge))
        made = Proposal(
            id=act.new_id(),
            pledge=pledge,
            fact=to_json(act.raw["fact"]).decode(),
            note=note,
            by=act.caller.name,
            scope=act.caller.scope,
            would=would,
            timestamp=act.now,
        )
        done = proposals.propose(made, act.sent)
    body = {
        "proposal": done.proposal.id,
        "revision": done.proposal.revision,
        "state": done.proposal.state,
        "would": done.proposal.would,
    }
    return _answer(done, body, status=201, Location=f"{act.base}/v1/proposals/{done.proposal.id}")


def _revise(act: ProposalAct, proposal: str) -> Response[bytes]:
    def decide() -> Callable[[Proposal], None]:
        drafts.must_have(act.raw, needed=("fact",), allowed=("note",))
        found = act.own(proposal)
        note, draft = act.text("note"), act.draft(found.pledge)
        found.must_wait()
        would = _would(act, draft)
        fact = to_json(act.raw["fact"]).decode()
        return lambda found: found.revise(fact, note, would, act.now)

    act.own(proposal)
    return _acted(act, proposal, decide)


def _withdraw(act: ProposalAct, proposal: str) -> Response[bytes]:
    def decide() -> Callable[[Proposal], None]:
        drafts.must_have(act.raw, needed=(), allowed=("reason",))
        reason = act.text("reason")
        return lambda found: found.withdraw(reason, act.now)

    act.own(proposal)
    return _acted(act, proposal, decide)


def _decide(act: ProposalAct, proposal: str, how: Callable[[Proposal, Acting, str, datetime], None]) -> Response[bytes]:
    def decide() -> Callable[[Proposal], None]:
        drafts.must_have(act.raw, needed=("reason",), allowed=())
        reason = act.text("reason") or ""
        return lambda found: how(found, act.by, reason, act.now)

    act.seen(proposal)
    return _acted(act, proposal, decide)


def _acted(act: ProposalAct, proposal: str, decide: Callable[[], Callable[[Proposal], None]]) -> Response[bytes]:
    """The answer to an act that leaves a proposal behind; `decide` checks its shape and says what is to be done."""
    proposals = act.services.proposals
    must_be_this_log(act.services.tracker.log.guard.log, act.sent.log)
    done = proposals.answered(act.sent) or proposals.act(proposal, decide(), act.sent)
    return _answer(done, _proposal_json(act.services, done.proposal))


def _accept(act: ProposalAct, proposal: str) -> Recorded:
    tracker, sent = act.services.tracker, act.sent
    act.seen(proposal)
    must_be_this_log(tracker.log.guard.log, sent.log)
    if sent.key is not None and (known := tracker.replay(sent.key, sent.payload_hash)):
        return known
    drafts.must_have(act.raw, needed=(), allowed=("revision",))
    revision = act.raw.get("revision")
    if "revision" in act.raw and (
        not isinstance(revision, int) or isinstance(revision, bool) or not 1 <= revision <= MAX_REVISIONS
    ):
        raise InvalidFact(f"a revision is a whole number from 1 to {MAX_REVISIONS}", pointer="/revision")
    return act.services.proposals.accept(proposal, act.by, act.new_id(), revision, act.now, sent)


def _would(act: ProposalAct, draft: Draft) -> dict[str, Any]:
    """What recording the fact would do now: the headline before and after it, and what is odd about it.

    Raises: what refuses the fact; PledgeNotFound if the pledge is not there to be added to.
    """
    tracker, today = act.services.tracker, act.now.date()
    request = Request((draft,), act.caller.name, act.now, opens=isinstance(draft.fact, PledgeMade))
    try:
        events, warnings = tracker.preview(request, max_warnings=MAX_WARNINGS)
    except BatchRefused as refused:
        refusal = drafts.single_refusal(refused, "/fact")
        raise (pledge_not_found(draft.pledge) if isinstance(refusal, NotOpened) else refusal) from None
    known = tracker.events_of(draft.pledge)
    after = PledgeEvents(known.rows, (*known.events, *events))

    told = [warning.json("/fact") for _, warning in warnings]

    def headline(of: PledgeEvents) -> str | None:
        status, _ = of.fold(lambda some: StatusFold(some).status(today))
        return None if status is None else status.status

    return {"status_before": headline(known), "status_after": headline(after), "warnings": told}


def _answer(done: Done, body: dict[str, Any], status: int = 200, **headers: str) -> Response[bytes]:
    if done.replayed:
        body, headers = {**body, "replayed": True}, {**headers, "Idempotency-Replayed": "true"}
    headers["Cache-Control"] = NO_STORE
    return Response(to_json(body), status_code=status, media_type=JSON, headers=headers)


def _seen(services: Services, caller: Caller, proposal: str) -> Proposal:
    if not re.fullmatch(contracts.PROPOSAL_PATTERN, proposal):
        raise ProposalNotFound(f"there is no proposal {proposal[:64]!r}")
    found = services.proposals.get(proposal)
    if _only_of(caller) not in (None, found.scope):
        raise ProposalNotFound(f"there is no proposal {proposal!r}")
    return found


def _only_of(caller: Caller) -> str | None:
    """The scope of a caller that sees its own proposals alone; None for one that sees all."""
    return caller.scope if caller.role == "contributor" else None


def _proposal_json(services: Services, proposal: Proposal) -> dict[str, Any]:
    """A proposal as it is answered; what is withheld of the event that it became stands in it no more."""
    told = {"decided_by": proposal.decided_by, "reason": proposal.reason, "event": proposal.event}
    fact: Any = from_json(proposal.fact)
    if proposal.event is not None:
        for row in services.tracker.log.by_event_ids([proposal.event]):
            fact = raw_fact(raw_event(row.state, row.position)) if row.withheld else fact
    return {
        "proposal": proposal.id,
        "revision": proposal.revision,
        "pledge": proposal.pledge,
        "fact": fact,
        "note": proposal.note,
        "state": proposal.state,
        "proposed_by": proposal.proposed_by,
        "proposed_at": stamp(proposal.proposed_at),
        **{name: value for name, value in told.items() if value is not None},
    }


def _asked(request: AnyRequest, contract: Contract) -> tuple[Query, Caller, str]:
    """The parameters of a read, who asks, and the id of the log.

    Raises: NotAcceptable if the caller takes no JSON.
    """
    state: Any = request.scope["state"]
    negotiate(request.scope, state["query"], contract.formats)
    return state["query"], state["caller"], state["log"]


def _private(body: bytes, log: str, headers: dict[str, str] | None = None) -> BytesResponse:
    """A response that no cache keeps."""
    vary = {"Vary": "Accept, Authorization", **(headers or {})}
    return BytesResponse(body, etag=entity_tag(body, log=log), cache_control=NO_STORE, headers=vary)


def _cursor(log: str, place: int, state: str | None) -> str:
    text = json.dumps([log, place, state or ""], separators=(",", ":")).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def _place(query: Query, log: str, state: str | None) -> int:
    """The place behind which a page begins; 0 without a cursor.

    Raises: InvalidParameter if this list gave no such cursor; OtherLog if it is one of another log.
    """
    if (given := query.get("cursor")) is None:
        return 0
    refused = invalid("cursor", "is not one that this list gave; begin again without it")
    try:
        of_log, place, of_state = _CURSOR.validate_json(
            urlsafe_b64decode(given.encode("ascii") + b"=" * (-len(given) % 4))
        )
    except (NotBase64, ValueError):
        raise refused from None
    if of_state != (state or "") or not 0 < place < 2**63:
        raise refused
    must_be_this_log(log, of_log)
    return place
