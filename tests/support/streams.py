"""Random streams of facts that the pledge accepts: small numbers, few days and few names, so that they meet.

``streams()`` draws lists of events; ``recorded()`` puts facts that a test states itself into envelopes.
"""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from tracker.errors import Refusal
from tracker.event import Event
from tracker.fact_reading import read_fact
from tracker.facts import FACTS_WITH_FIGURE, AnyFact, EventCorrected, EventVoided
from tracker.pledge import Pledge
from tracker.promise_facts import PledgeMade

Json = dict[str, Any]

SLUG = "a-pledge"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
"""When the first event was recorded; each later one a second after the one before."""

DAYS = ["2023-12-31", "2024-01-01", "2024-03-31", "2024-06-30", "2024-07-01", "2024-12-31", "2025-01-01", "2025-02-12"]
PERIODS = [
    {"start": "2024-01-01", "end": "2024-06-30"},
    {"start": "2024-01-01", "end": "2024-06-30"},
    {"start": "2024-07-01", "end": "2024-12-31"},
    {"start": "2024-01-01", "end": "2024-12-31"},
    {"start": "2023-07-01", "end": "2023-12-31"},
    {"end": "2025-02-01"},
    {"start": "2024-04-01"},
]
WINDOWS = [
    {"start": "2024-01-01", "end": "2024-12-31"},
    {"start": "2024-01-01", "end": "2024-12-31", "latest": "2025-07-31"},
    {"start": "2024-01-01", "end": "2024-06-30"},
    {"start": "2024-06-01", "end": "2025-12-31"},
    {"end": "2024-12-31"},
    {"text": "soon"},
]
KINDS = [*["money"] * 5, "count", "ratio", "milestone", "qualitative"]
MEMBERS = ["BE", "CA", "IS"]
UNITS = {"money": ["EUR", "EUR", "USD"], "count": ["count:rounds"], "ratio": ["percent:gdp"]}
STEPS = ["agreed", "Established", "at full strength"]


@dataclass(frozen=True)
class World:
    """What the facts of one stream have in common."""

    kind: str
    basis: str


class Pick:
    """Choices made by hypothesis, which shrinks them, or by a random number generator, which is much faster."""

    def __init__(self, number: Callable[[int], int]) -> None:
        self.number = number
        """A number below another."""

    def one(self, among: Sequence[Any]) -> Any:
        """One of them; the first is the simplest."""
        return among[self.number(len(among))]

    def one_in(self, times: int) -> bool:
        """True once in so many times."""
        return self.number(times) == times - 1


def event_id(version: int) -> str:
    """The id of the nth event of a stream."""
    return f"{version:08x}-0000-7000-8000-{version:012x}"


def recorded(facts: Iterable[AnyFact], pledge: str = SLUG) -> list[Event]:
    """The facts as events 1, 2, 3 …, a second apart."""
    return [envelope(fact, version, pledge) for version, fact in enumerate(facts, start=1)]


def envelope(fact: AnyFact, version: int, pledge: str = SLUG) -> Event:
    """The fact as the nth event."""
    at = BEGIN + timedelta(seconds=version)
    return Event(event_id(version), pledge, version, at, "somebody", fact, position=version)


def streams(max_facts: int = 18) -> st.SearchStrategy[list[Event]]:
    """Events of one pledge, every fact accepted on what is recorded before it."""
    return st.one_of(_drawn(max_facts), st.integers(0, 2**40).map(lambda seed: random_stream(seed, max_facts)))


@st.composite
def _drawn(draw: st.DrawFn, max_facts: int) -> list[Event]:
    return stream(Pick(lambda below: draw(st.integers(0, below - 1))), max_facts)


def random_stream(seed: int, max_facts: int = 18) -> list[Event]:
    """Events of one pledge, the same for a seed."""
    return stream(Pick(random.Random(seed).randrange), max_facts)


def stream(pick: Pick, max_facts: int) -> list[Event]:
    """What the choices make: drafts that are refused leave no trace."""
    world = World(pick.one(KINDS), pick.one(["cumulative", "cumulative", "increment", "level"]))
    pledge, events = Pledge(SLUG), list[Event]()
    for draft in (made, *(pick.one(DRAFTS) for _ in range(pick.number(max_facts + 1)))):
        raw = draft(pick, world, events)
        if raw is None:
            continue
        try:
            fact = read_fact(raw)
            pledge.check(fact, BEGIN)
        except Refusal:
            continue
        event = envelope(fact, len(events) + 1)
        pledge.apply(event)
        events.append(event)
    return events


def optionally(pick: Pick, choices: Mapping[str, Sequence[Any]]) -> Json:
    """Some of the fields, each one of its choices."""
    return {name: pick.one(among) for name, among in choices.items() if pick.one_in(2)}


def day(pick: Pick) -> str:
    """Mostly one of the days on which something begins or ends."""
    return pick.one(DAYS) if not pick.one_in(3) else (date(2023, 10, 1) + timedelta(pick.number(730))).isoformat()


def source(pick: Pick) -> Json:
    return {
        "publisher": pick.one(["NATO", "Gazette", "Courier"]),
        "tier": pick.one(["official", "media", "media", "other"]),
        **optionally(pick, {"origin": ["NATO", "a press conference"], "locator": ["p. 1", "p. 2"]}),
    }


def said(pick: Pick, type_: str) -> Json:
    raw: Json = {"type": type_, "stated_on": day(pick), "source": source(pick)}
    if pick.one_in(6):
        raw["precision"] = pick.one(["month", "quarter", "half", "year"])
    return raw


def quantity(pick: Pick, unit: str) -> Json:
    op = pick.one(["eq", "eq", "eq", "eq", "ge", "gt", "le", "lt", "approx", "nearly", "between"])
    value = pick.one([20, 20, 21, 40, 41, 50, 2, 0] if op not in ("lt", "nearly") else [20, 40, 2])
    return {"op": op, "value": str(value), "unit": unit, **({"upper": str(value + 3)} if op == "between" else {})}


def made(pick: Pick, world: World, _: list[Event]) -> Json:
    kind = world.kind
    raw = {**said(pick, "PledgeMade"), "stated_on": pick.one(DAYS[:4]), "title": "A promise", "kind": kind}
    raw |= {"pledgor": {"name": "NATO"}}
    if kind in UNITS and not pick.one_in(5):
        raw["target"] = quantity(pick, UNITS[kind][0])
        raw |= optionally(pick, {"required_stage": ["committed", "disbursed"]}) if kind == "money" else {}
    if not pick.one_in(4):
        raw["window"] = pick.one(WINDOWS)
    if pick.one_in(4):
        raw["group"] = group(pick)
    if pick.one_in(10):
        raw["direction"] = "down"
    if pick.one_in(10):
        raw["measurable"] = False
    return raw


def group(pick: Pick) -> Json:
    rule = pick.one(["each_member", "each_member", "aggregate", "count_at_least"])
    raw: Json = {"rule": rule, "members": MEMBERS}
    if rule == "count_at_least":
        raw["count"] = pick.one(range(1, 4))
    if pick.one_in(2):
        raw["not_applicable"] = [{"member": "IS", "reason": "it has no armed forces"}]
    return raw | optionally(pick, {"opted_out": [["CA"]]})


def figure(pick: Pick, world: World) -> Json:
    unit = pick.one([*UNITS.get(world.kind, ["EUR"]) * 4, "count:trees"])
    return {
        "quantity": quantity(pick, unit),
        "basis": world.basis if not pick.one_in(10) else "cumulative",
        **optionally(pick, {"stage": ["committed", "committed", "allocated", "disbursed", "unspecified"]}),
        **({"period": pick.one(PERIODS)} if not pick.one_in(3) else {}),
        **({"nature": pick.one(["provisional", "estimate", "projection"])} if pick.one_in(5) else {}),
        **({"attribution": "BE"} if pick.one_in(10) else {}),
        **({"final": pick.one_in(2)} if pick.one_in(5) else {}),
    }


def progress(pick: Pick, world: World, _: list[Event]) -> Json:
    return {**said(pick, "ProgressReported"), "figure": figure(pick, world)}


def claim(pick: Pick, world: World, _: list[Event]) -> Json:
    raw = said(pick, pick.one(["PledgeMet", "PledgeExceeded", "PledgeMissed"]))
    return raw | ({"figure": figure(pick, world)} if pick.one_in(2) else {})


def member(pick: Pick, world: World, _: list[Event]) -> Json:
    verdict = pick.one(["met", "met", "not_met", "not_applicable", "opted_out", "not_reported"])
    raw = {**said(pick, "MemberReported"), "member": pick.one(MEMBERS), "verdict": verdict}
    if pick.one_in(4):
        raw["figure"] = figure(pick, world)
    return raw | ({"nature": "projection"} if pick.one_in(6) else {})


def tally(pick: Pick, _: World, __: list[Event]) -> Json:
    count = [0, 1, 2, 3, {"op": "approx", "value": "66.67", "unit": "percent:members"}]
    lists = {"members_met": [["BE"], ["BE", "CA"]], "members_not_met": [["CA"], ["IS"], []]}
    numbers = {"met": count, "not_met": count, "total": [3, 3, 32], "not_applicable": [0, 1]}
    raw = {**said(pick, "TallyReported"), **optionally(pick, numbers), **optionally(pick, lists)}
    return raw | ({"nature": "projection"} if pick.one_in(5) else {})


def step(pick: Pick, world: World, _: list[Event]) -> Json | None:
    if world.kind in UNITS and not pick.one_in(5):
        return None
    type_ = pick.one(["MilestoneScheduled", "MilestoneReached", "MilestoneReached", "MilestoneMissed"])
    raw = {**said(pick, type_), "milestone": pick.one(STEPS)}
    raw |= optionally(pick, {"due": ["2024", "2024-06", "2024-H2", "2025-02-13"]})
    return raw | ({"partly": True} if type_ != "MilestoneScheduled" and pick.one_in(4) else {})


def revision(pick: Pick, world: World, _: list[Event]) -> Json:
    raw = {**said(pick, "PledgeRevised"), "reason": "they agreed anew"}
    raw |= optionally(pick, {"window": WINDOWS, "title": ["A promise renewed"]})
    if world.kind in UNITS and pick.one_in(2):
        raw["target"] = quantity(pick, pick.one(UNITS[world.kind]))
    if pick.one_in(5):
        raw["group"] = group(pick)
    if pick.one_in(5):
        raw["required_stage"] = pick.one(["committed", "allocated"])
    return raw


def talk(pick: Pick, _: World, __: list[Event]) -> Json:
    type_ = pick.one(["PledgeReaffirmed", "StatementMade", "StatementMade"])
    fields = {"stance": ["doubts", "contradicts"], "trajectory": ["on_track", "behind"]}
    return said(pick, type_) | (optionally(pick, fields) if type_ == "StatementMade" else {})


def end(pick: Pick, _: World, __: list[Event]) -> Json | None:
    if not pick.one_in(4):
        return None
    if pick.one_in(2):
        return {**said(pick, "PledgeWithdrawn"), "reason": "it was too much"}
    return {**said(pick, "PledgeSuperseded"), "by": "another-pledge"}


def kept(pick: Pick, type_: str, target: Event) -> Json:
    return {"type": type_, "stated_on": day(pick), "event": target.id, "reason": "we looked again"}


def target_of(pick: Pick, events: list[Event], accepts: Callable[[Event], bool]) -> Event | None:
    fitting = [event for event in events if accepts(event)]
    return pick.one(fitting) if fitting else None


def has_figure(event: Event) -> bool:
    return isinstance(event.fact, FACTS_WITH_FIGURE) and event.fact.figure is not None


def restatement(pick: Pick, world: World, events: list[Event]) -> Json | None:
    target = target_of(pick, events, has_figure)
    if target is None:
        return None
    return {**said(pick, "FigureRestated"), "event": target.id, "figure": figure(pick, world), "reason": "recounted"}


def ranking(pick: Pick, _: World, events: list[Event]) -> Json | None:
    target = target_of(pick, events, has_figure)
    rank = pick.one(["preferred", "normal", "deprecated"])
    return None if target is None else {**kept(pick, "FigureRanked", target), "rank": rank}


def retraction(pick: Pick, _: World, events: list[Event]) -> Json | None:
    target = target_of(pick, events, lambda event: not isinstance(event.fact, PledgeMade))
    raw = said(pick, "StatementRetracted")
    return None if target is None else {**raw, "event": target.id, "reason": "they took it back"}


def correction(pick: Pick, world: World, events: list[Event]) -> Json | None:
    target = target_of(pick, events, lambda event: not isinstance(event.fact, EventCorrected | EventVoided))
    if target is None:
        return None
    changes: Json = {"stated_on": day(pick)} if pick.one_in(2) else {}
    if has_figure(target) and pick.one_in(2):
        changes["figure"] = figure(pick, world)
    if isinstance(target.fact, PledgeMade) and world.kind in UNITS and pick.one_in(2):
        changes |= {"target": quantity(pick, UNITS[world.kind][0]), "window": pick.one(WINDOWS)}
    return {**kept(pick, "EventCorrected", target), "changes": changes or {"summary": "in other words"}}


def void(pick: Pick, _: World, events: list[Event]) -> Json | None:
    target = target_of(pick, events[1:], lambda event: not isinstance(event.fact, EventVoided))
    return None if target is None else kept(pick, "EventVoided", target)


def capture(pick: Pick, _: World, events: list[Event]) -> Json | None:
    target = target_of(pick, events, lambda event: event.fact.source is not None)
    if target is None:
        return None
    return {"type": "SourceCaptured", "stated_on": day(pick), "event": target.id, "sha256": "0" * 64}


def verdict(pick: Pick, _: World, __: list[Event]) -> Json:
    fields = {"rubric": "promises", "rubric_version": "1", "reasoning": "we read it all"}
    return {"type": "AssessmentIssued", "stated_on": day(pick), "rating": pick.one("AB"), **fields}


def share(pick: Pick, _: World, events: list[Event]) -> Json:
    whole = target_of(pick, events, has_figure)
    raw = {**said(pick, "ShareReported"), "subset": "Europe", "share": "more than half"}
    return raw | ({"of": whole.id} if whole is not None and pick.one_in(2) else {})


DRAFTS: list[Callable[[Pick, World, list[Event]], Json | None]] = [
    *[progress] * 10,
    *[claim, step, revision, restatement, member, tally] * 2,
    *[talk, end, ranking, retraction, correction, void, capture, verdict, share],
]
