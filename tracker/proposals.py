"""All proposals beside the log: the second application, which loads one, lets it decide, and records what it decided.

Its events stand in the database of the log and in tables of their own, and are asked for through the log's connections.
To accept is one transaction: the fact in the log, and the event of the proposal that says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import CanInitAggregate, DomainEventProtocol
from eventsourcing.persistence import (
    AggregateRecorder,
    ApplicationRecorder,
    InfrastructureFactory,
    IntegrityError,
    Mapper,
    ProcessRecorder,
    StoredEvent,
    TrackingRecorder,
    Transcoder,
)
from eventsourcing.utils import Environment, EnvType

from tracker.application import Tracker
from tracker.errors import (
    BatchRefused,
    IdempotencyMismatch,
    InvalidFact,
    ProposalClosed,
    ProposalMoved,
    ProposalNotFound,
    Refusal,
    RefusedNow,
    Unavailable,
)
from tracker.fact_reading import read_fact
from tracker.log.guard import must_be_this_log
from tracker.log.proposal_events import ProposalPlace, ProposalRecorder, row_of
from tracker.proposal import STATE_AFTER, Acting, Proposal, State
from tracker.requests import Draft, Recorded, Request

MAX_ATTEMPTS = 16
"""How often an act on a proposal is decided anew because somebody else acted on it meanwhile."""

MAX_TOLD = 100
"""Problems of a fact that is refused by now that are told, at most."""


class ProposalMapper(Mapper[str]):
    """The library's mapper, for events whose names are known and for nothing else."""

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        """The event of a row.

        Raises: Unavailable if a newer version recorded it.
        """
        if stored_event.topic not in STATE_AFTER:
            raise Unavailable(f"a proposal has an event {stored_event.topic!r}, which a newer version recorded")
        found = super().to_domain_event(stored_event)
        if isinstance(found, CanInitAggregate):
            vars(found)["originator_topic"] = Proposal.TOPIC
        return found


class ProposalFactory(InfrastructureFactory[TrackingRecorder]):
    """The library's factory for a store that is open already: that of the log."""

    def __init__(self, env: Environment, recorder: ProposalRecorder) -> None:
        super().__init__(env)
        self._recorder = recorder

    def application_recorder(self) -> ApplicationRecorder:
        """The recorder of the proposals."""
        return self._recorder

    def aggregate_recorder(self, purpose: str = "events") -> AggregateRecorder:
        """The same recorder."""
        return self._recorder

    def tracking_recorder(self, tracking_recorder_class: type[TrackingRecorder] | None = None) -> TrackingRecorder:
        """There is none.

        Raises: NotImplementedError.
        """
        raise NotImplementedError("nobody follows the proposals")

    def process_recorder(self) -> ProcessRecorder:
        """There is none.

        Raises: NotImplementedError.
        """
        raise NotImplementedError("nobody follows the proposals")


@dataclass(frozen=True, slots=True)
class Sent:
    """How an act was sent: its idempotency key with its scope, the hash of its payload, and the log that it is for."""

    key: str | None = None
    payload_hash: bytes | None = None
    log: str | None = None


class Done(NamedTuple):
    """A proposal after an act on it; `replayed` if the act was recorded before."""

    proposal: Proposal
    replayed: bool = False


class Proposals(Application[str]):
    """All proposals beside the log of a tracker, in the tables that are made with the log's."""

    name = "Proposals"

    def __init__(self, tracker: Tracker) -> None:
        self._tracker, self._log = tracker, tracker.log
        super().__init__()

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """No settings: variables of the process that the library knows are for nobody here."""
        return Environment(name, {})

    def construct_factory(self, env: Environment) -> ProposalFactory:
        """The factory over the open log."""
        return ProposalFactory(env, ProposalRecorder(self._log))

    def construct_mapper(self) -> Mapper[str]:
        """The mapper of the proposals' events."""
        transcoder: Transcoder = self.construct_transcoder()
        return ProposalMapper(transcoder)

    def get(self, proposal: str, version: int | None = None) -> Proposal:
        """A proposal as it is, or after the first `version` of its events.

        Raises: ProposalNotFound if there is none; Unavailable if the store does not answer.
        """
        try:
            found: Proposal = self.repository.get(proposal, version=version)
        except AggregateNotFoundError:
            raise ProposalNotFound(f"there is no proposal {proposal[:64]!r}") from None
        return found

    def after(self, place: int, limit: int, states: tuple[State, ...], scope: str | None) -> list[ProposalPlace]:
        """Up to `limit` proposals in these states behind a place, the oldest first; `scope` is that of one proposer."""
        types = [name for name, state in STATE_AFTER.items() if state in states]
        return self._log.proposals_after(place, limit, last_types=types, proposer=scope)

    def answered(self, sent: Sent) -> Done | None:
        """The proposal after the act that was recorded under this key before, or None.

        Raises: IdempotencyMismatch if it was recorded for another payload.
        """
        row = None if sent.key is None else self._log.proposal_event_of(sent.key)
        if row is None:
            return None
        if row.payload_hash != sent.payload_hash:
            raise IdempotencyMismatch("this Idempotency-Key was used for another payload; use a new key")
        return Done(self.get(row.proposal, row.version), replayed=True)

    def propose(self, proposal: Proposal, sent: Sent) -> Done:
        """Keep a new proposal.

        Raises: as `act`.
        """
        self._must_be_sent_here(sent)
        try:
            return self._kept(proposal, sent, proposal.scope)
        except IntegrityError:
            if known := self.answered(sent):
                return known
            raise

    def act(self, proposal: str, decide: Callable[[Proposal], None], sent: Sent) -> Done:
        """Let a proposal decide, and keep what it decided; anew if somebody else acted on it meanwhile.

        Raises: ProposalNotFound; what `decide` raises; OtherLog, LogWentBack and Unavailable as a write of facts does.
        """
        self._must_be_sent_here(sent)
        for _ in range(MAX_ATTEMPTS):
            found = self.get(proposal)
            try:
                decide(found)
            except ProposalClosed:
                if known := self.answered(sent):  # sent twice at once
                    return known
                raise
            try:
                return self._kept(found, sent)
            except IntegrityError:
                if known := self.answered(sent):
                    return known
        raise Unavailable("others were faster each time; send the request again")

    def accept(
        self, proposal: str, by: Acting, event_id: str, revision: int | None, now: datetime, sent: Sent
    ) -> Recorded:
        """Accept a proposal: its fact and the event that says so are recorded in one transaction, or neither is.

        Raises: ProposalNotFound, OwnProposal, ProposalRevised, ProposalClosed; RefusedNow if the fact cannot be
        recorded by now; and what `Tracker.record` raises.
        """
        for _ in range(MAX_ATTEMPTS):
            found = self.get(proposal)
            try:
                found.accept(by, event_id, revision, now)
                return self._tracker.record(self._request(found, by, event_id, now, sent))
            except ProposalClosed:
                if sent.key is not None and (known := self._tracker.replay(sent.key, sent.payload_hash)):
                    return known
                raise
            except ProposalMoved:
                continue
            except BatchRefused as refused:
                raise _refused_now(refused.refusals[0][1]) from None
        raise Unavailable("others were faster each time; send the request again")

    def _request(self, proposal: Proposal, by: Acting, event_id: str, now: datetime, sent: Sent) -> Request:
        (accepted,) = proposal.collect_events()
        try:
            fact = read_fact(proposal.fact.encode())
        except InvalidFact as invalid:
            raise _refused_now(invalid) from None
        draft = Draft(proposal.pledge, fact, event_id, accepted=row_of(self.mapper.to_stored_event(accepted)))
        return Request((draft,), by.name, now, sent.key, sent.payload_hash, log=sent.log)

    def _kept(self, proposal: Proposal, sent: Sent, proposer: str | None = None) -> Done:
        self.save(proposal, proposer=proposer, key=sent.key, payload_hash=sent.payload_hash)
        return Done(proposal)

    def _must_be_sent_here(self, sent: Sent) -> None:
        must_be_this_log(self._log.guard.log, sent.log)
        self._tracker.must_allow_writes()


def _refused_now(refusal: Refusal) -> RefusedNow:
    """What to say of a fact that is refused by now: the code of the refusal, its sentence, and its places."""
    problems = refusal.problems if isinstance(refusal, InvalidFact) else ((refusal.pointer, refusal.detail),)
    errors = [{"pointer": f"/fact{at}", "message": message, "code": refusal.code} for at, message in problems]
    members: dict[str, Any] = {"errors": errors[:MAX_TOLD], "total": len(errors), **refusal.members}
    return RefusedNow(refusal.detail, reason=refusal.code, **members)
