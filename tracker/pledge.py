"""The aggregate: which facts may be recorded next on a pledge, and why not (DOMAIN §4).

Its state holds only what decisions ask. What people want to see is derived elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

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
    WrongEventType,
)
from tracker.event import Event
from tracker.facts import (
    FACT_TYPES,
    MAX_FACT_BYTES,
    AnyFact,
    EventCorrected,
    EventVoided,
    FigureRestated,
    MemberReported,
    PledgeMade,
    PledgeRevised,
    PledgeSuperseded,
    ShareReported,
    TallyReported,
)
from tracker.merge_patch import corrected
from tracker.quantity import Quantity
from tracker.values import Figure, Kind


@dataclass(slots=True)
class RecordedFact:
    """One recorded fact: as posted, as corrected, and whether it still stands."""

    id: str
    version: int
    posted: AnyFact
    fact: AnyFact
    patches: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    voided: bool = False
    restated_by: set[str] = field(default_factory=set)


class Pledge:
    """One pledge's recorded facts, as far as the next decision needs them."""

    def __init__(self, slug: str) -> None:
        self.id = slug
        self.version = 0
        self.entries: dict[str, RecordedFact] = {}
        self._made: RecordedFact | None = None
        self._reports: dict[tuple[object, ...], str] = {}
        self._bases: dict[tuple[str, str, str], dict[str, set[str]]] = {}
        self._terms: list[RecordedFact] = []

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
        for entry in self._terms:
            if isinstance(entry.fact, PledgeMade | PledgeRevised) and not entry.voided:
                yield entry.fact

    def check(self, fact: AnyFact, now: datetime) -> None:
        """Whether the fact may be recorded next, ``now`` being the instant of recording.

        Errors: one ``Refusal`` of ``tracker.errors``, with the place in the fact.
        """
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
        entry = RecordedFact(event.id, event.version, fact, fact)
        self.version = event.version
        self.entries[event.id] = entry
        if isinstance(fact, PledgeMade):
            self._made = entry
            self._terms.append(entry)
        elif isinstance(fact, PledgeRevised):
            self._terms.append(entry)
        elif isinstance(fact, EventCorrected):
            target = self.entries[fact.event]
            target.patches[event.id] = fact.changes
            self._replace(target)
        elif isinstance(fact, EventVoided):
            self._void(self.entries[fact.event])
        elif isinstance(fact, FigureRestated):
            self.entries[fact.event].restated_by.add(event.id)
        self._index(entry)

    def _void(self, entry: RecordedFact) -> None:
        self._unindex(entry)
        entry.voided = True
        if isinstance(entry.fact, EventCorrected):
            target = self.entries[entry.fact.event]
            target.patches.pop(entry.id)
            self._replace(target)
        elif isinstance(entry.fact, FigureRestated):
            self.entries[entry.fact.event].restated_by.discard(entry.id)

    def _replace(self, entry: RecordedFact) -> None:
        self._unindex(entry)
        before = entry.fact
        entry.fact = corrected(entry.posted, entry.patches.values())
        if isinstance(before, FigureRestated) and isinstance(entry.fact, FigureRestated):
            self.entries[before.event].restated_by.discard(entry.id)
            self.entries[entry.fact.event].restated_by.add(entry.id)
        if not entry.voided:
            self._index(entry)

    def _index(self, entry: RecordedFact) -> None:
        for key in report_keys(entry.fact):
            self._reports.setdefault(key, entry.id)
        figure = getattr(entry.fact, "figure", None)
        if isinstance(figure, Figure) and figure.nature != "projection":
            bases = self._bases.setdefault(series(entry.fact, figure), {})
            bases.setdefault(figure.basis, set()).add(entry.id)

    def _unindex(self, entry: RecordedFact) -> None:
        for key in report_keys(entry.fact):
            if self._reports.get(key) == entry.id:
                del self._reports[key]
        for bases in self._bases.values():
            for entries in bases.values():
                entries.discard(entry.id)

    def _check_reference(self, fact: AnyFact, before: str | None = None) -> None:
        """What the fact acts on; ``before`` is its own id where it is recorded already."""
        acted_on = reference_of(fact)
        if acted_on is None:
            return
        pointer, reference = acted_on
        target = self.entries.get(reference)
        if target is None:
            raise UnknownEvent(f'"{self.id}" has no event {reference}', pointer=pointer)
        if before is not None and pointer == "/event" and target.version >= self.entries[before].version:
            raise UnknownEvent(f"{reference} is not recorded before {before}, which acts on it", pointer=pointer)
        if not may_act_on_type(fact.type, target.fact):
            raise WrongEventType(
                f"{fact.type} acts on {targets_in_words(fact.type)}; {reference} is {_article(target.fact.type)}",
                pointer=pointer,
            )
        if target.voided:
            raise AlreadyVoided(
                f"{reference} is voided; nothing can act on it any more", pointer=pointer, event=reference
            )

    def _check_correction(self, fact: EventCorrected, now: datetime) -> None:
        target = self.entries[fact.event]
        try:
            patched = corrected(target.posted, [*target.patches.values(), fact.changes])
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
        entry = self.entries[fact.event]
        if not isinstance(entry.fact, EventCorrected):
            return
        target = self.entries[entry.fact.event]
        rest = [changes for key, changes in target.patches.items() if key != fact.event]
        try:
            corrected(target.posted, rest)
        except InvalidFact as invalid:
            raise InvalidFact(
                f"without this correction the later ones no longer fit: {invalid.detail}. Void the later ones first",
                pointer="/event",
            ) from None

    def _check_content(self, fact: AnyFact, but: str | None = None) -> None:
        """What the fact says, against the pledge; ``but`` is the event that it replaces."""
        if isinstance(fact, PledgeMade | PledgeRevised):
            self._check_terms(fact, but)
        self._must_name_another(fact)
        figure = getattr(fact, "figure", None)
        if isinstance(figure, Figure):
            self._must_compare(figure.quantity)
            self._must_share_basis(fact, figure, but)
        self._must_know_members(fact)
        for key in report_keys(fact):
            known = self._reports.get(key)
            if known is not None and known != but:
                raise DuplicateFact(
                    f"the same report is recorded already as {known}; if the source said it anew, give the new date"
                    " or locator",
                    event=known,
                )

    def _check_terms(self, fact: PledgeMade | PledgeRevised, but: str | None) -> None:
        kind = fact.kind if isinstance(fact, PledgeMade) else self._kind
        others = [entry.fact for entry in self._terms if entry.id != but and not entry.voided]
        for terms in (fact, *others) if isinstance(fact, PledgeMade) else (fact,):
            if isinstance(terms, PledgeMade | PledgeRevised) and terms.target and not fits_kind(terms.target, kind):
                raise UnitMismatch(
                    f"a target in {terms.target.unit} does not fit kind {kind}; {KIND_UNITS[kind]}",
                    pointer="/target" if terms is fact else "/kind",
                )
        if fact.target is None:
            return
        for other in others:
            if (
                isinstance(other, PledgeMade | PledgeRevised)
                and other.target
                and other.target.measure != fact.target.measure
            ):
                raise UnitMismatch(
                    f"{fact.target.unit} cannot be compared with {other.target.unit}; another measure is another"
                    " pledge: supersede this one",
                    pointer="/target",
                )

    def _must_name_another(self, fact: AnyFact) -> None:
        if isinstance(fact, PledgeSuperseded) and fact.by == self.id:
            raise InvalidFact("a pledge cannot take its own place", pointer="/by")
        if isinstance(fact, PledgeMade) and fact.part_of == self.id:
            raise InvalidFact("a pledge cannot be part of itself", pointer="/part_of")

    @property
    def _kind(self) -> Kind:
        assert self._made is not None
        assert isinstance(self._made.fact, PledgeMade)
        return self._made.fact.kind

    def _must_compare(self, quantity: Quantity) -> None:
        for terms in self.terms:
            if terms.target is not None and terms.target.measure != quantity.measure:
                raise UnitMismatch(
                    f"{quantity.unit} cannot be compared with the target in {terms.target.unit};"
                    " record it on a pledge of its own",
                    pointer="/figure/quantity/unit",
                )

    def _must_share_basis(self, fact: AnyFact, figure: Figure, but: str | None) -> None:
        if figure.nature == "projection":
            return
        key = series(fact, figure)
        for known, entries in self._bases.get(key, {}).items():
            clash = next((e for e in entries if e != but and not self.entries[e].restated_by), None)
            if known != figure.basis and clash is not None:
                raise MixedBasis(
                    f"the series {' / '.join(key)} is {known}, this figure {figure.basis}: a running total and an"
                    " increment cannot be told apart later",
                    pointer="/figure/basis",
                    event=clash,
                )

    def _must_know_members(self, fact: AnyFact) -> None:
        if not isinstance(fact, MemberReported | TallyReported):
            return
        groups = [terms.group for terms in self.terms if terms.group is not None]
        known = {member for group in groups for member in group.members}
        if isinstance(fact, MemberReported):
            if not groups:
                raise InvalidFact("this pledge has no group; revise it to name its members", pointer="/member")
            if fact.member not in known:
                raise InvalidFact(f'"{fact.member}" is not among the members of the group', pointer="/member")
        if isinstance(fact, TallyReported) and groups:
            for name in ("members_met", "members_not_met"):
                for index, member in enumerate(getattr(fact, name) or ()):
                    if member not in known:
                        raise InvalidFact(
                            f'"{member}" is not among the members of the group', pointer=f"/{name}/{index}"
                        )


KIND_UNITS: dict[Kind, str] = {
    "money": "it is in a currency",
    "count": "it is in count:<what>",
    "ratio": "it is in percent:<of what>",
    "milestone": "such a pledge has milestones, no target",
    "qualitative": "such a pledge has no target",
}


def fits_kind(quantity: Quantity, kind: Kind) -> bool:
    """Whether a quantity measures what pledges of the kind promise."""
    prefix = {"count": "count:", "ratio": "percent:"}.get(kind)
    return quantity.measure == "money" if kind == "money" else prefix is not None and quantity.unit.startswith(prefix)


def series(fact: AnyFact, figure: Figure) -> tuple[str, str, str]:
    """(measure, stage, attribution) of a figure: a member's figure is the member's series, never the group's."""
    measure, stage, attribution = figure.series
    return (measure, stage, f"member {fact.member}" if isinstance(fact, MemberReported) else attribution)


def must_fit(fact: AnyFact) -> None:
    """A fact is at most 48 KiB of JSON."""
    size = len(fact.model_dump_json(exclude_unset=True, exclude_none=True).encode())
    if size > MAX_FACT_BYTES:
        raise TooLarge(f"the fact has {size} bytes, {MAX_FACT_BYTES} are allowed; keep documents outside")


def must_not_be_ahead(fact: AnyFact, now: datetime) -> None:
    """``stated_on`` is at most today in the time zone that is first, UTC+14 (DOMAIN §4)."""
    latest = (now.astimezone(UTC) + timedelta(hours=14)).date()
    if fact.stated_on > latest:
        raise FutureStatement(
            f"stated_on {fact.stated_on} is later than today anywhere on Earth ({latest})", pointer="/stated_on"
        )


def report_keys(fact: AnyFact) -> list[tuple[object, ...]]:
    """What makes two reports the same (DOMAIN §4): equal in one key is equal. Empty for facts that report nothing.

    The source is the same with its publisher and its url, or with its publisher, date and locator.
    """
    said: tuple[object, ...]
    figure: Figure | None = getattr(fact, "figure", None)
    if isinstance(fact, TallyReported):
        said = (fact.met, fact.not_met, fact.not_applicable, fact.total, fact.members_met, fact.members_not_met)
        said = (*said, fact.nature)
    elif isinstance(fact, ShareReported):
        said = (fact.subset, fact.share, fact.of)
    elif figure is not None:
        said = (figure.quantity, figure.attribution, figure.stage, figure.basis, figure.nature, figure.period)
        said = (*said, getattr(fact, "member", None), getattr(fact, "event", None))
    else:
        return []
    source = fact.source
    if source is None:
        return []
    publisher = " ".join(source.publisher.casefold().split())
    keys: list[tuple[object, ...]] = [
        ("date", fact.type, publisher, source.published_on or str(fact.stated_on), source.locator, *said)
    ]
    if source.url is not None:
        keys.append(("url", fact.type, publisher, source.url, *said))
    return keys


def _article(name: str) -> str:
    assert name in FACT_TYPES
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
