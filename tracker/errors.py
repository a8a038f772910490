"""Why the tracker says no: one tree, each error with its code, the place in the fact and a sentence that helps.

    TrackerError
      Refusal                  nothing was recorded
        InvalidFact            invalid_fact           the shape of the fact
        TooLarge               too_large
        UnitMismatch           unit_mismatch
        FutureStatement        future_statement
        NotOpened              not_opened             the fact on this pledge
        PledgeExists           pledge_exists
        DuplicateFact          duplicate_fact
        MixedBasis             mixed_basis
        UnknownEvent           unknown_event          what the fact acts on
        WrongEventType         wrong_event_type
        AlreadyVoided          already_voided
        VersionConflict        version_conflict       the request
        IdempotencyMismatch    idempotency_mismatch
        BatchRefused           batch_refused
      PledgeNotFound           pledge_not_found       nothing to read
      ProposalNotFound         proposal_not_found
      OwnProposal              own_proposal           what is done with a proposal
      ProposalRevised          revised
      ProposalClosed           proposal_closed
      RefusedNow               refused_now
      ProposalMoved            revised                within the tracker: decide anew
      OtherLog                 other_log              the request is about another log
      Unavailable              unavailable            the store is away
      UnreadableEvent          unavailable            recorded by a newer version, or broken
      LogWentBack              log_went_back          the store is there, and must not be written to
      ClockImplausible         clock_implausible

`pointer` is an RFC 6901 JSON Pointer relative to the fact (or to the batch item). `members` are further members of
the problem document. HTTP status codes live in `api/http/problems.py` alone.
"""

from __future__ import annotations

from typing import ClassVar


class TrackerError(Exception):
    """Anything the tracker refuses or cannot do, in the caller's language."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The tracker cannot do this"

    def __init__(self, detail: str, *, pointer: str = "", **members: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        self.members = members


class Refusal(TrackerError):
    """The fact was not recorded; nothing was left behind. Mend the fact and send it again."""

    problem_count = 1

    explained_by_missing: ClassVar[frozenset[str]] = frozenset()
    """Types of earlier facts on the pledge: if one of them is missing, that alone may explain the refusal."""


class InvalidFact(Refusal):
    """The fact does not have the shape of its type, or its parts contradict each other.

    `problems` pairs the JSON Pointer of each place with a sentence.
    """

    code = "invalid_fact"
    title = "The fact is not valid"
    explained_by_missing = frozenset({"EventCorrected", "EventVoided", "PledgeMade", "PledgeRevised"})

    def __init__(self, detail: str, *, pointer: str = "", problems: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(detail, pointer=pointer)
        self.problems = problems or ((pointer, detail),)
        self.problem_count = len(self.problems)
        """How many there are; more than `problems` where they are too many to be told."""


class TooLarge(Refusal):
    """The fact is over 48 KiB. Keep documents outside and give their SHA-256."""

    code = "too_large"
    title = "Too large"


class UnitMismatch(Refusal):
    """The unit cannot be compared with the target. Another currency can; another measure is another pledge."""

    code = "unit_mismatch"
    title = "The unit cannot be compared with the target"
    explained_by_missing = frozenset({"EventCorrected", "EventVoided", "PledgeMade"})


class UnknownEvent(Refusal):
    """The fact refers to an event that is not on this pledge. Take the id from the pledge's own events."""

    code = "unknown_event"
    title = "No such event on this pledge"


class WrongEventType(Refusal):
    """The fact refers to an event of a type it cannot act on; `tracker.acting` says which it can."""

    code = "wrong_event_type"
    title = "The event is of a type this fact cannot act on"
    explained_by_missing = frozenset({"EventCorrected", "EventVoided"})


class NotOpened(Refusal):
    """The pledge has no facts yet, and the first one must be PledgeMade. Record that one first."""

    code = "not_opened"
    title = "The pledge has not been made yet"
    explained_by_missing = frozenset({"PledgeMade"})


class FutureStatement(Refusal):
    """`stated_on` is later than today anywhere on Earth (UTC+14). Record the fact once it was said."""

    code = "future_statement"
    title = "Stated in the future"


class PledgeExists(Refusal):
    """The slug is taken, or the pledge already has its PledgeMade. Record a PledgeRevised, or choose another slug."""

    code = "pledge_exists"
    title = "The pledge exists"


class DuplicateFact(Refusal):
    """The same report is on the pledge already; `event` names it. There is nothing left to record."""

    code = "duplicate_fact"
    title = "The same report is recorded already"
    explained_by_missing = frozenset({"EventCorrected", "EventVoided"})


class MixedBasis(Refusal):
    """One series has one basis: a running total and an increment cannot be told apart later."""

    code = "mixed_basis"
    title = "The series has another basis"
    explained_by_missing = frozenset({"EventCorrected", "EventVoided", "FigureRestated"})


class AlreadyVoided(Refusal):
    """The event is voided, and nothing more can act on it. Record the fact anew where it belongs."""

    code = "already_voided"
    title = "The event is voided already"
    explained_by_missing = frozenset({"EventVoided"})


class VersionConflict(Refusal):
    """The pledge is not at the version the caller expected. Read it again and decide anew."""

    code = "version_conflict"
    title = "The pledge has moved on"


class IdempotencyMismatch(Refusal):
    """The idempotency key was used for another payload. Choose a new key for a new request."""

    code = "idempotency_mismatch"
    title = "The idempotency key belongs to another request"


class BatchRefused(Refusal):
    """Items of a batch were refused, so none was recorded. `refusals` pairs each bad item's index with its reason."""

    code = "batch_refused"
    title = "The batch was refused"

    def __init__(self, refusals: list[tuple[int, Refusal]], *, more_items: int = 0, more_problems: int = 0) -> None:
        """`more_items` and `more_problems` were counted and are not among `refusals`."""
        super().__init__(f"{len(refusals) + more_items} item(s) refused; nothing was recorded.")
        self.refusals = refusals
        self.problem_count = sum(refusal.problem_count for _, refusal in refusals) + more_problems


class PledgeNotFound(TrackerError):
    """There is no such pledge at these clocks: it is not recorded, not yet made on that day, or voided."""

    code = "pledge_not_found"
    title = "No such pledge"


class PartyNotFound(TrackerError):
    """No pledge at these clocks has or had such a party. Its key is its code, else the slug of its name."""

    code = "party_not_found"
    title = "No such party"


class ProposalNotFound(TrackerError):
    """There is no such proposal, or it is another's: who contributes sees its own."""

    code = "proposal_not_found"
    title = "No such proposal"


class OwnProposal(TrackerError):
    """Nobody accepts what they proposed themselves: a second pair of eyes decides. Ask another monitor."""

    code = "own_proposal"
    title = "This is your own proposal"


class ProposalRevised(TrackerError):
    """The proposal is at another revision than the one that was looked at. Read it again and decide on that one."""

    code = "revised"
    title = "The proposal was revised"


class ProposalClosed(TrackerError):
    """The proposal does not wait for this: it was accepted, declined, withdrawn or returned. Propose the fact anew, or
    let who proposed it revise what was returned.
    """

    code = "proposal_closed"
    title = "The proposal is closed"


class RefusedNow(TrackerError):
    """The fact could be recorded when it was proposed, and cannot now: `reason` is the code of the refusal. The
    proposal stays open: return it, so that it is revised, or decline it.
    """

    code = "refused_now"
    title = "The proposed fact is refused by now"


class ProposalMoved(TrackerError):
    """Somebody else acted on the proposal meanwhile: who decided on it decides anew."""

    code = "revised"
    title = "The proposal has moved on"


class Unavailable(TrackerError):
    """The store is away. Nothing was lost: send the request again, with the same idempotency key."""

    code = "unavailable"
    title = "The store is away"


class UnreadableEvent(TrackerError):
    """An event of the pledge cannot be understood by this version: another one recorded it, or it is broken.

    The pledge takes no writes here and is answered as it was before the event; other pledges are as ever. Upgrade this
    process. `line` is the event as it is stored, `reason` why it cannot be understood.
    """

    code = "unavailable"
    title = "An event of the pledge cannot be read"

    def __init__(self, position: int, pledge: str, line: bytes, reason: str) -> None:
        super().__init__(
            f'event {position}, on "{pledge}", cannot be read by this version ({reason}); upgrade this process, or see'
            " `tracker parked`"
        )
        self.position, self.pledge, self.line, self.reason = position, pledge, line, reason


class OtherLog(TrackerError):
    """The request names another log than the one that answers. Begin anew: what you have is of another history."""

    code = "other_log"
    title = "Another log answers"


class LogWentBack(TrackerError):
    """Events that were recorded are gone from the log, so nothing is written to it. Put the right copy back and
    restart, or let the operator say `tracker log fork --reason …`: the log goes on from what is there, with a new id.
    """

    code = "log_went_back"
    title = "The log went back"


class ClockImplausible(TrackerError):
    """This machine's clock disagrees with another one, so nothing is stamped with it. Set the clock, or, if it is
    right, restart with `TRACKER_TRUST_CLOCK=true`.
    """

    code = "clock_implausible"
    title = "The clock cannot be right"
