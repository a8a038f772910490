"""The aggregate: which facts may be recorded next on a pledge, and why not (DOMAIN §4).

Its state holds only what decisions ask. What people want to see is derived elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from tracker.acting import may_act_on_type, reference_of, targets_in_words
from tracker.errors import (
    AlreadyVoided,
    DuplicateFact,
    FutureStatement,
    InvalidFact,
    MixedBasis,
    NotOpened,
    PledgeExists,
    TooLarge,
    UnitMismatch,
    UnknownEvent,
    UnreadableEvent,
    WrongEventType,
)
from tracker.event import Event, fact_line
from tracker.facts import (
    FACT_TYPES,
    MAX_FACT_BYTES,
    AnyFact,
    EventCorrected,
    EventVoided,
    FigureRestated,
    MemberReported,
    TallyReported,
    figure_in,
)
from tracker.merge_patch import corrected, corrected_on_record
from tracker.pledge_terms import must_be_a_condition, must_compare, must_know_members, must_promise_in_fitting_units
from tracker.promise_facts import ConditionReported, PledgeMade, PledgeRevised, PledgeSuperseded
from tracker.recorded_fact import RecordedFact, pack
from tracker.report_identity import report_keys
from tracker.values import Figure, Kind

_BLOCK_FACTS = 8
"""Facts that are packed together: so many may be decoded at a time, of each pledge that is kept."""


class Pledge:
    """One pledge's recorded facts, as far as the next decision needs them.

    All but its terms and the last few are packed, so that the memory of a pledge hardly grows with its facts; a
    decision that looks into an earlier fact unpacks it.
    """

    def __init__(self, slug: str) -> None:
        self.id = slug
        self.version = 0
        self.unreadable: UnreadableEvent | None = None
        """The first event that could not be taken in: the pledge takes no facts until it can be."""

        self.facts: dict[str, RecordedFact] = {}
        self._made: RecordedFact | None = None
        self._reports: dict[bytes, str] = {}
        self._bases: dict[tuple[str, str, str], dict[str, set[str]]] = {}
        self._last_keys: tuple[AnyFact | None, list[bytes]] = None, []
        self._terms: list[RecordedFact] = []
        self._loose: list[RecordedFact] = []

    @classmethod
    def of(cls, slug: str, events: Iterable[Event]) -> Pledge:
        """The pledge after its events, in version order."""
        pledge = cls(slug)
        for event in events:
            pledge.apply(event)
        return pledge

    @property
    def terms(self) -> Iterator[PledgeMade | PledgeRevised]:
        """PledgeMade and the revisions that stand, oldest first."""
        return self._terms_but(None)

    def _terms_but(self, but: str | None) -> Iterator[PledgeMade | PledgeRevised]:
        for recorded in self._terms:
            fact = recorded.fact
            if isinstance(fact, PledgeMade | PledgeRevised) and not recorded.voided and recorded.id != but:
                yield fact

    def check(self, fact: AnyFact, now: datetime) -> None:
        """Let the fact pass if it may be recorded next; `now` is the instant of recording.

        Raises: Refusal, one of its kinds in `tracker.errors`, if the fact may not be recorded; UnreadableEvent if one
        of the pledge's own events could not be read.
        """
        if self.unreadable is not None:
            raise self.unreadable
        must_fit(fact)
        if isinstance(fact, PledgeMade):
            if self._made is not None:
                raise PledgeExists(f'"{self.id}" has its PledgeMade already; record a PledgeRevised', pledge=self.id)
        elif self._made is None:
            raise NotOpened(f'the first fact of "{self.id}" must be PledgeMade', pointer="/type")
        elif self._made.voided:
            raise AlreadyVoided(f'the PledgeMade of "{self.id}" is voided: the pledge is no more', event=self._made.id)
        must_not_be_ahead(fact, now)
        self._check_reference(fact)
        if isinstance(fact, EventCorrected):
            self._check_correction(fact, now)
        elif isinstance(fact, EventVoided):
            self._check_void(fact)
        else:
            self._check_content(fact, but=fact.event if isinstance(fact, FigureRestated) else None)

    def apply(self, event: Event) -> None:
        """Take in an event that is recorded."""
        fact = event.fact
        recorded = RecordedFact(event.id, event.version, fact)
        self.facts[event.id] = recorded
        if isinstance(fact, PledgeMade):
            self._made = recorded
            self._terms.append(recorded)
        elif isinstance(fact, PledgeRevised):
            self._terms.append(recorded)
        elif isinstance(fact, EventCorrected):
            target = self.facts[fact.event]
            target.patch(event.id, fact.changes)
            self._replace(target)
        elif isinstance(fact, EventVoided):
            self._void(self.facts[fact.event])
        elif isinstance(fact, FigureRestated):
            self.facts[fact.event].restate(event.id)
        self._index(recorded, fact)
        self.version = event.version
        if not isinstance(fact, PledgeMade | PledgeRevised):
            self._loose.append(recorded)
            if len(self._loose) == _BLOCK_FACTS:
                pack(self._loose)
                self._loose.clear()

    def _void(self, recorded: RecordedFact) -> None:
        fact = recorded.fact
        self._unindex(recorded, fact)
        recorded.voided = True
        if isinstance(fact, EventCorrected):
            target = self.facts[fact.event]
            target.unpatch(recorded.id)
            self._replace(target)
        elif isinstance(fact, FigureRestated):
            self.facts[fact.event].unrestate(recorded.id)

    def _replace(self, recorded: RecordedFact) -> None:
        before = recorded.fact
        self._unindex(recorded, before)
        recorded.fact = after = corrected_on_record(recorded.posted, recorded.patches.values())
        if isinstance(before, FigureRestated) and isinstance(after, FigureRestated):
            self.facts[before.event].unrestate(recorded.id)
            self.facts[after.event].restate(recorded.id)
        if not recorded.voided:
            self._index(recorded, after)

    def _index(self, recorded: RecordedFact, fact: AnyFact) -> None:
        for key in self._keys_of(fact):
            self._reports.setdefault(key, recorded.id)
        figure = figure_in(fact)
        if figure is not None and figure.nature != "projection":
            bases = self._bases.setdefault(series(fact, figure), {})
            bases.setdefault(figure.basis, set()).add(recorded.id)

    def _keys_of(self, fact: AnyFact) -> list[bytes]:
        """The keys of a fact, made once for its check and for taking it in."""
        if self._last_keys[0] is not fact:
            self._last_keys = fact, report_keys(fact)
        return self._last_keys[1]

    def _unindex(self, recorded: RecordedFact, fact: AnyFact) -> None:
        for key in report_keys(fact):
            if self._reports.get(key) == recorded.id:
                del self._reports[key]
        for bases in self._bases.values():
            for ids in bases.values():
                ids.discard(recorded.id)

    def _check_reference(self, fact: AnyFact, before: str | None = None) -> None:
        """Check what the fact acts on; `before` is its own id where it is recorded already."""
        acted_on = reference_of(fact)
        if acted_on is None:
            return
        pointer, reference = acted_on
        target = self.facts.get(reference)
        if target is None:
            raise UnknownEvent(f'"{self.id}" has no event {reference}', pointer=pointer)
        if before is not None and pointer == "/event" and target.version >= self.facts[before].version:
            raise UnknownEvent(f"{reference} is not recorded before {before}, which acts on it", pointer=pointer)
        acted_fact = target.fact
        if not may_act_on_type(fact.type, acted_fact):
            raise WrongEventType(
                f"{fact.type} acts on {targets_in_words(fact.type)}; {reference} is {_article(acted_fact.type)}",
                pointer=pointer,
            )
        if target.voided:
            raise AlreadyVoided(
                f"{reference} is voided; nothing can act on it any more", pointer=pointer, event=reference
            )

    def _check_correction(self, fact: EventCorrected, now: datetime) -> None:
        target = self.facts[fact.event]
        try:
            patched = corrected(target.posted, target.patches.values(), fact.changes)
        except InvalidFact as invalid:
            problems = tuple((f"/changes{pointer}", message) for pointer, message in invalid.problems)
            raise InvalidFact(invalid.detail, pointer=problems[0][0], problems=problems) from None
        try:
            must_not_be_ahead(patched, now)
            self._check_reference(patched, before=fact.event)
            self._check_content(patched, but=fact.event)
        except (FutureStatement, UnknownEvent, WrongEventType, AlreadyVoided, InvalidFact, UnitMismatch) as refusal:
            refusal.pointer = f"/changes{refusal.pointer}"
            raise
        except (DuplicateFact, MixedBasis) as refusal:
            refusal.pointer = "/changes"
            raise

    def _check_void(self, fact: EventVoided) -> None:
        correction = self.facts[fact.event].fact
        if not isinstance(correction, EventCorrected):
            return
        target = self.facts[correction.event]
        rest = [changes for key, changes in target.patches.items() if key != fact.event]
        try:
            corrected_on_record(target.posted, rest)
        except InvalidFact as invalid:
            raise InvalidFact(
                f"without this correction the later ones no longer fit: {invalid.detail}. Void the later ones first",
                pointer="/event",
            ) from None

    def _check_content(self, fact: AnyFact, but: str | None = None) -> None:
        """Check what the fact says against the pledge; `but` is the event that it replaces."""
        if isinstance(fact, PledgeMade | PledgeRevised):
            kind = fact.kind if isinstance(fact, PledgeMade) else self._kind
            must_promise_in_fitting_units(fact, kind, list(self._terms_but(but)))
        self._must_name_another(fact)
        figure = figure_in(fact)
        if figure is not None:
            must_compare(figure, self.terms)
            self._must_share_basis(fact, figure, but)
        if isinstance(fact, MemberReported | TallyReported):
            must_know_members(fact, [terms.group for terms in self.terms if terms.group is not None])
        if isinstance(fact, ConditionReported):
            must_be_a_condition(fact, self.terms)
        for key in self._keys_of(fact):
            known = self._reports.get(key)
            if known is not None and known != but:
                raise DuplicateFact(
                    f"the same report is recorded already as {known}; if the source said it anew, give the new date"
                    " or locator",
                    event=known,
                )

    def _must_name_another(self, fact: AnyFact) -> None:
        if isinstance(fact, PledgeSuperseded) and fact.by == self.id:
            raise InvalidFact("a pledge cannot take its own place", pointer="/by")
        if isinstance(fact, PledgeMade) and fact.part_of == self.id:
            raise InvalidFact("a pledge cannot be part of itself", pointer="/part_of")

    @property
    def _kind(self) -> Kind:
        return next(terms.kind for terms in self.terms if isinstance(terms, PledgeMade))

    def _must_share_basis(self, fact: AnyFact, figure: Figure, but: str | None) -> None:
        if figure.nature == "projection":
            return
        key = series(fact, figure)
        for known, ids in self._bases.get(key, {}).items():
            clash = next((id_ for id_ in ids if id_ != but and not self.facts[id_].is_restated), None)
            if known != figure.basis and clash is not None:
                raise MixedBasis(
                    f"the series {' / '.join(key)} is {known}, this figure {figure.basis}: a running total and an"
                    " increment cannot be told apart later",
                    pointer="/figure/basis",
                    event=clash,
                )


def series(fact: AnyFact, figure: Figure) -> tuple[str, str, str]:
    """(measure, stage, attribution) of a figure: a member's figure is the member's series, never the group's."""
    measure, stage, attribution = figure.series
    return (measure, stage, f"member {fact.member}" if isinstance(fact, MemberReported) else attribution)


def must_fit(fact: AnyFact) -> None:
    """Let a fact of at most 48 KiB of JSON pass.

    Raises: TooLarge if it is larger.
    """
    size = len(fact_line(fact))
    if size > MAX_FACT_BYTES:
        raise TooLarge(f"the fact has {size} bytes, {MAX_FACT_BYTES} are allowed; keep documents outside")


def must_not_be_ahead(fact: AnyFact, now: datetime) -> None:
    """Let a fact pass whose `stated_on` is at most today in the time zone that is first, UTC+14 (DOMAIN §4).

    Raises: FutureStatement if it is later.
    """
    latest = (now.astimezone(UTC) + timedelta(hours=14)).date()
    if fact.stated_on > latest:
        raise FutureStatement(
            f"stated_on {fact.stated_on} is later than today anywhere on Earth ({latest})", pointer="/stated_on"
        )


def _article(name: str) -> str:
    assert name in FACT_TYPES
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
