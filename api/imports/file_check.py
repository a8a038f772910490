"""The check of a spooled file against the log, pledge by pledge, in memory that does not grow with the file.

Facts of different pledges do not depend on each other, save by the events that they name. So each pledge is loaded,
its facts are decided on in their order, a part at a time, and the pledge is let go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import TypeVar

from pydantic_core import from_json

from api.imports.items import ImportProblem
from api.imports.missing_facts import MissingFacts, PlannedFact
from api.imports.recorded_facts import RecordedFacts
from api.imports.references import EventReferences
from api.imports.spool import ItemSpool, PlannedItem, SpooledItem
from tracker.application import Tracker
from tracker.errors import BatchRefused, InvalidFact, NotOpened, Refusal
from tracker.event import fact_line
from tracker.fact_decoding import decode_fact
from tracker.fact_reading import read_fact
from tracker.facts import AnyFact
from tracker.pledge import Pledge
from tracker.promise_facts import PledgeMade
from tracker.requests import Draft, Request

T = TypeVar("T")

_AT_ONCE = 1_000
"""Items that are in memory together, and pledges that are loaded together, at most."""


def planned_fact(spool: ItemSpool, planned: PlannedItem) -> PlannedFact:
    """The item, and the draft of its event."""
    item, fact = spool.item_at(planned.rank).item, decode_fact(from_json(planned.fact))
    return PlannedFact(item, Draft(item.pledge, fact, planned.event, item.expected_version))


@dataclass(slots=True)
class _PledgeState:
    """What is known of one pledge while its items are checked."""

    pledge: Pledge
    missing: MissingFacts
    recorded: RecordedFacts | None
    refused: set[int]
    """The ranks of facts that were refused for good."""
    is_unopened: bool = False
    """A first fact was refused, so that those behind it are not decided on yet."""


class FileCheck:
    """One check of a file; nothing is written to the log.

    Raises while it runs: UnreadableEvent if a pledge has an event that this version cannot read, Unavailable if the
    store is away.
    """

    def __init__(
        self, tracker: Tracker, spool: ItemSpool, by: str, clock: Callable[[], datetime], *, skip_recorded: bool
    ) -> None:
        self._tracker, self._spool, self._by, self._clock = tracker, spool, by, clock
        self._skips_recorded = skip_recorded
        self._references = EventReferences(spool)
        self.recorded = 0
        """Facts that their pledge has word for word already."""
        self.planned = 0
        """Facts that can be recorded, if there is no problem."""

    def run(self, advance: Callable[[int], None]) -> None:
        """Check all items that are not known to be recorded, and plan them; problems go to the spool."""
        state: _PledgeState | None = None
        for some in _parts(self._spool.unrecorded_by_pledge()):
            states = self._loaded({spooled.item.pledge for spooled in some} - {state.pledge.id if state else None})
            if state is not None:
                states[state.pledge.id] = state
            for pledge, of_pledge in groupby(some, lambda spooled: spooled.item.pledge):
                if state is not None and state.pledge.id != pledge:
                    self._finish(state)
                state = states.pop(pledge)
                self._check(state, list(of_pledge))
            advance(len(some))
        if state is not None:
            self._finish(state)
        if self._spool.problems:
            self._spool.drop_planned()

    def _loaded(self, names: Iterable[str | None]) -> dict[str, _PledgeState]:
        """The state of each of these pledges before the first of its items."""
        wanted = [name for name in names if name is not None]
        loaded = self._tracker.writer.pledges.load(wanted, fresh=True)
        return {name: self._fresh(pledge) for name, pledge in loaded.items()}

    def _fresh(self, pledge: Pledge) -> _PledgeState:
        missing = MissingFacts(self._spool.place_of, any_pledge=self._spool.pledges_missing)
        recorded = None
        if self._skips_recorded and pledge.version:
            recorded = RecordedFacts(self._tracker.log.rows_by_page(pledge.id))
        return _PledgeState(pledge, missing, recorded, set())

    def _check(self, state: _PledgeState, items: Sequence[SpooledItem]) -> None:
        """Check the next items of a pledge."""
        facts: list[tuple[int, PlannedFact]] = []
        for spooled in items:
            fact = self._sound_fact(state, spooled)
            if fact is not None:
                draft = Draft(spooled.item.pledge, fact, spooled.event, spooled.item.expected_version)
                facts.append((spooled.rank, PlannedFact(spooled.item, draft)))
        before = state.pledge.version
        if not state.is_unopened:
            refusals = self._refusals(state.pledge, [planned.draft for _, planned in facts])
            state.is_unopened = bool(refusals) and state.pledge.version == 0
            state.refused |= {facts[i][0] for i, why in refusals.items() if not isinstance(why, NotOpened)}
            self._tell(state.missing.unexplained((facts[i][1], why) for i, why in refusals.items()))
        if state.is_unopened or not self._spool.problems:
            numbered = enumerate(facts, start=before + 1)
            self._spool.plan(
                (rank, version, planned.draft.fact.type, fact_line(planned.draft.fact))
                for version, (rank, planned) in numbered
            )
        self.planned += len(facts)

    def _sound_fact(self, state: _PledgeState, spooled: SpooledItem) -> AnyFact | None:
        """The fact of an item that is to be recorded; None if the log has it, or it has problems by itself."""
        item = spooled.item
        fact, problems = self._fact_of(spooled) if item.certain else (None, [])
        if not item.sound:
            fact = None
        recorded_as = None if fact is None or state.recorded is None else state.recorded.take(fact)
        if recorded_as is not None:
            self._spool.note_recorded(spooled.rank, recorded_as)
            spooled = SpooledItem(spooled.rank, recorded_as, item, spooled.names_others)
        problems += self._references.problems_of_names(spooled)
        self._tell(problems)
        if fact is None or problems:
            state.missing.add(item.fact_type, spooled.event)
            return None
        if recorded_as is not None:
            self.recorded += 1
            return None
        return fact

    def _fact_of(self, spooled: SpooledItem) -> tuple[AnyFact | None, list[ImportProblem]]:
        raw, problems = self._references.resolve(spooled)
        if problems:
            return None, problems
        try:
            return read_fact(raw), []
        except InvalidFact as invalid:
            return None, [spooled.item.problem(pointer, message) for pointer, message in invalid.problems]

    def _refusals(self, pledge: Pledge, drafts: Sequence[Draft]) -> dict[int, Refusal]:
        """The refusals of the drafts that the log would refuse, by their index; the pledge takes in the others."""
        try:
            self._tracker.writer.decide(Request(tuple(drafts), self._by, self._clock()), {pledge.id: pledge})
        except BatchRefused as refused:
            return dict(refused.refusals)
        return {}

    def _finish(self, state: _PledgeState) -> None:
        """Check once more a pledge that was not opened, since nothing is decided on behind its first fact.

        A PledgeMade that stands further down goes first; where there is none, a stand-in takes its place.
        """
        if not state.is_unopened:
            return
        name = state.pledge.id
        state.pledge = self._tracker.writer.pledges.load([name], fresh=True)[name]
        if not any(opens for opens, _ in self._undecided(state)):
            stand_in = Draft(name, _STAND_IN, self._spool.new_event_id())
            state.missing.add("PledgeMade", stand_in.id)
            self._refusals(state.pledge, [stand_in])
        for opening in (True, False):
            for some in _parts(fact for opens, fact in self._undecided(state) if opens is opening):
                refusals = self._refusals(state.pledge, [planned.draft for planned in some])
                self._tell(state.missing.unexplained((some[i], why) for i, why in refusals.items()))

    def _undecided(self, state: _PledgeState) -> Iterator[tuple[bool, PlannedFact]]:
        """The facts of a pledge that were not refused for good, and whether each opens it."""
        for item in self._spool.planned(state.pledge.id):
            if item.rank not in state.refused:
                planned = planned_fact(self._spool, item)
                yield isinstance(planned.draft.fact, PledgeMade), planned

    def _tell(self, problems: Iterable[ImportProblem]) -> None:
        for problem in problems:
            self._spool.problems.add_found(problem)


def _parts(found: Iterable[T]) -> Iterator[list[T]]:
    """The same, some at a time."""
    rest = iter(found)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


_STAND_IN = PledgeMade.model_validate(
    {
        "type": "PledgeMade",
        "stated_on": "1800-01-01",
        "source": {"publisher": "the import", "tier": "other"},
        "title": "In the place of a PledgeMade that is wrong or missing",
        "pledgor": {"name": "unknown"},
        "kind": "qualitative",
    }
)
