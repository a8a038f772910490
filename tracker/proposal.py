"""The second aggregate: a fact that waits for a second pair of eyes.

    Created → open ─ Accepted → accepted          by a monitor, with the fact, in one transaction
               │  ├─ Declined → declined
               │  ├─ Returned → returned ─ Revised → open, as the next revision
               │  └─ Revised  → open
               └─ Withdrawn → withdrawn           by who proposed it; a returned one too

A proposal is what its own events say; nothing of them is in the log. `Proposal` decides and knows no clock: instants
are arguments. `tracker.proposals` loads one, lets it decide, and records what it decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

from eventsourcing.domain import (
    BaseAggregate,
    CanInitAggregate,
    CanMutateAggregate,
    MetaDomainEvent,
    event,
)

from tracker.errors import OwnProposal, ProposalClosed, ProposalRevised

State = Literal["open", "returned", "accepted", "declined", "withdrawn"]

STATES: tuple[State, ...] = get_args(State)
"""The states of a proposal."""

MAX_REVISIONS = 50
"""Revisions of one proposal, at most: each is read whenever the proposal is."""

STATE_AFTER: Mapping[str, State] = {
    "ProposalCreated": "open",
    "ProposalRevised": "open",
    "ProposalReturned": "returned",
    "ProposalDeclined": "declined",
    "ProposalWithdrawn": "withdrawn",
    "ProposalAccepted": "accepted",
}
"""The stored names of the events, and the state after each. No stored name is ever resolved by importing what it says.
"""


class Acting(NamedTuple):
    """Who acts: the name, and the scope by which a key is told from another one of the same name."""

    name: str
    scope: str


class ProposalEvent(CanMutateAggregate[str], metaclass=MetaDomainEvent):
    """What happened to one proposal."""

    originator_id: str
    originator_version: int
    timestamp: datetime


class ProposalCreated(ProposalEvent, CanInitAggregate[str]):
    """That it was made."""

    originator_topic: str


class ProposalBase(BaseAggregate[str]):
    """The library's aggregate with ids that are text."""

    Event, Created = ProposalEvent, ProposalCreated


class Proposal(ProposalBase):
    """One proposal. `fact` is its JSON as it was posted, of the last revision."""

    TOPIC = "Proposal"

    @event("Created", topic="ProposalCreated")
    def __init__(
        self,
        id: str,  # noqa: A002 - the library's name
        pledge: str,
        fact: str,
        note: str | None,
        by: str,
        scope: str,
        would: dict[str, Any],
        timestamp: datetime,
    ) -> None:
        self.pledge, self.fact, self.note = pledge, fact, note
        self.proposed_by, self.scope, self.proposed_at = by, scope, timestamp
        self.would = would
        """What recording it would have done when it was proposed, as it was answered."""

        self.revision = 1
        self.state: State = "open"
        self.decided_by: str | None = None
        self.reason: str | None = None
        self.event: str | None = None

    def must_be_current(self, revision: int | None) -> None:
        """Check that a reviewer looked at this revision; None is any.

        Raises: ProposalRevised if it was another one.
        """
        if revision is not None and revision != self.revision:
            raise ProposalRevised(
                f"the proposal is at revision {self.revision}, not {revision}", pointer="/revision",
                revision=self.revision,
            )  # fmt: skip

    def accept(self, by: Acting, event_id: str, revision: int | None, at: datetime) -> None:
        """Accept this revision; `event_id` is that of the event that is recorded with it.

        Raises: OwnProposal, ProposalRevised, or ProposalClosed unless it is open.
        """
        if by.scope == self.scope:
            raise OwnProposal("the key that proposed a fact does not accept it: another monitor does")
        self.must_be_current(revision)
        self._must_be("open")
        self._accept(by=by.name, event=event_id, timestamp=at)

    def decline(self, by: Acting, reason: str, at: datetime) -> None:
        """Decline it, for good.

        Raises: ProposalClosed unless it is open or returned.
        """
        self.must_wait()
        self._decline(by=by.name, reason=reason, timestamp=at)

    def give_back(self, by: Acting, reason: str, at: datetime) -> None:
        """Return it to who proposed it, to be revised.

        Raises: ProposalClosed unless it is open.
        """
        self._must_be("open")
        self._give_back(by=by.name, reason=reason, timestamp=at)

    def withdraw(self, reason: str | None, at: datetime) -> None:
        """Take it back, for good.

        Raises: ProposalClosed unless it is open or returned.
        """
        self.must_wait()
        self._withdraw(reason=reason, timestamp=at)

    def revise(self, fact: str, note: str | None, would: dict[str, Any], at: datetime) -> None:
        """Say another fact in its place: the next revision, which is open.

        Raises: ProposalClosed unless it is open or returned, or after `MAX_REVISIONS`.
        """
        self.must_wait()
        if self.revision >= MAX_REVISIONS:
            raise ProposalClosed(f"it was revised {MAX_REVISIONS} times: propose the fact anew", state=self.state)
        self._revise(fact=fact, note=note, would=would, timestamp=at)

    def must_wait(self) -> None:
        """Check that it waits for a decision, or for who proposed it.

        Raises: ProposalClosed if it is accepted, declined or withdrawn.
        """
        self._must_be("open", "returned")

    def _must_be(self, *states: State) -> None:
        if self.state in states:
            return
        ended = {} if self.event is None else {"event": self.event}
        waits = "; it waits for who proposed it to revise it" if self.state == "returned" else ""
        raise ProposalClosed(f"the proposal is {self.state}{waits}", state=self.state, **ended)

    @event("Accepted", topic="ProposalAccepted")
    def _accept(self, by: str, event: str, timestamp: datetime) -> None:
        self.state, self.decided_by, self.reason, self.event = "accepted", by, None, event

    @event("Declined", topic="ProposalDeclined")
    def _decline(self, by: str, reason: str, timestamp: datetime) -> None:
        self.state, self.decided_by, self.reason = "declined", by, reason

    @event("Returned", topic="ProposalReturned")
    def _give_back(self, by: str, reason: str, timestamp: datetime) -> None:
        self.state, self.decided_by, self.reason = "returned", by, reason

    @event("Withdrawn", topic="ProposalWithdrawn")
    def _withdraw(self, reason: str | None, timestamp: datetime) -> None:
        self.state, self.decided_by, self.reason = "withdrawn", None, reason

    @event("Revised", topic="ProposalRevised")
    def _revise(self, fact: str, note: str | None, would: dict[str, Any], timestamp: datetime) -> None:
        self.fact, self.note, self.would = fact, note, would
        self.state, self.decided_by, self.reason = "open", None, None
        self.revision += 1
