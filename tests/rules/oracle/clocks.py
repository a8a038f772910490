"""Two clocks: which facts are in force, and what they say after repair (DOMAIN §2, §4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from .dates import last_day

KEPT = {"EventCorrected", "EventVoided", "FigureRanked", "SourceCaptured", "AssessmentIssued"}
ACTS = KEPT | {"FigureRestated", "StatementRetracted"}


@dataclass(frozen=True)
class Said:
    """A fact in force: patched by corrections, its figure as restated."""

    id: str
    version: int
    type: str
    fact: dict[str, Any]
    day: date
    figure: dict[str, Any] | None
    said: date
    rank: str


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def day_in_force(fact: dict[str, Any]) -> date:
    """§2: an imprecise `stated_on` is in force from its last day."""
    return last_day(date.fromisoformat(fact["stated_on"]), fact.get("precision", "day"))


class Record:
    """The events of one pledge that were recorded by `known_at`."""

    def __init__(self, events: list[dict[str, Any]], known_at: datetime | None) -> None:
        known = [e for e in events if known_at is None or instant(e["recorded_at"]) <= known_at]
        self.events = sorted(known, key=lambda e: e["version"])

    def naming(self, event: dict[str, Any], kind: str, as_of: date) -> list[dict[str, Any]]:
        """The later events of a type that act on an event, as patched, in order of version."""
        later = [e for e in self.events if e["version"] > event["version"] and e["fact"]["type"] == kind]
        return [e for e in later if self.acts_on(e, as_of) == event["id"]]

    def acts_on(self, event: dict[str, Any], as_of: date) -> str | None:
        """The id that an event names; a correction may have changed it."""
        if event["fact"]["type"] in ("EventCorrected", "EventVoided"):
            return event["fact"].get("event")
        return self.patched(event, as_of).get("event") if "event" in event["fact"] else None

    def patched(self, event: dict[str, Any], as_of: date) -> dict[str, Any]:
        """§2: corrections act from the `stated_on` of what they repair, so at every `as_of`."""
        fact = event["fact"]
        for correction in self.events:
            repair = correction["fact"]
            if repair["type"] != "EventCorrected" or repair["event"] != event["id"]:
                continue
            if not self.is_void(correction, as_of) and not self.is_retracted(correction, as_of):
                fact = merge_patch(fact, repair["changes"])
        return fact

    def is_void(self, event: dict[str, Any], as_of: date) -> bool:
        """§4, EventVoided: our record should not have been."""
        voids = [e for e in self.events if e["fact"]["type"] == "EventVoided" and e["fact"]["event"] == event["id"]]
        return any(not self.is_retracted(void, as_of) for void in voids)

    def is_retracted(self, event: dict[str, Any], as_of: date) -> bool:
        """§2: a retraction is said in the world and acts from its own day; one that is undone does not act."""
        if event["fact"]["type"] == "PledgeMade":
            return False
        return any(self.acts(e, as_of) for e in self.naming(event, "StatementRetracted", as_of))

    def acts(self, event: dict[str, Any], as_of: date) -> bool:
        """Whether a fact is in force: said by then, not void, not retracted."""
        said = day_in_force(self.patched(event, as_of)) <= as_of
        return said and not self.is_void(event, as_of) and not self.is_retracted(event, as_of)

    def restated(self, event: dict[str, Any], as_of: date) -> tuple[Any, date, list[dict[str, Any]]]:
        """§2: the figure by its latest restatement in force, the day it was said, and the events it went through."""
        fact = self.patched(event, as_of)
        later = [e for e in self.naming(event, "FigureRestated", as_of) if self.acts(e, as_of)]
        if not later:
            return fact.get("figure"), day_in_force(fact), [event]
        latest = max(later, key=lambda e: (day_in_force(self.patched(e, as_of)), e["version"]))
        figure, said, through = self.restated(latest, as_of)
        return figure, said, [event, *through]

    def rank(self, through: list[dict[str, Any]], as_of: date) -> str:
        """§2: a ranking is record-keeping and acts like a correction; the last one recorded counts."""
        ranks = [
            (e["version"], self.patched(e, as_of)["rank"])
            for event in through
            for e in self.naming(event, "FigureRanked", as_of)
            if not self.is_void(e, as_of) and not self.is_retracted(e, as_of)
        ]
        return max(ranks)[1] if ranks else "normal"

    def in_force(self, as_of: date) -> list[Said]:
        """Every fact in force, in order of the day it was said."""
        found = []
        for event in self.events:
            if event["fact"]["type"] in ("EventCorrected", "EventVoided") or not self.acts(event, as_of):
                continue
            fact = self.patched(event, as_of)
            figure, said, through = self.restated(event, as_of)
            kind = fact["type"]
            rank = self.rank(through, as_of) if figure is not None else "normal"
            found.append(Said(event["id"], event["version"], kind, fact, day_in_force(fact), figure, said, rank))
        return sorted(found, key=lambda said: (said.day, said.version))

    def retracted_reports(self, as_of: date) -> list[dict[str, Any]]:
        """The facts that were said by then, are not void, and were taken back by then."""
        return [
            e
            for e in self.events
            if e["fact"]["type"] not in ACTS
            and day_in_force(self.patched(e, as_of)) <= as_of
            and not self.is_void(e, as_of)
            and self.is_retracted(e, as_of)
        ]


def instant(text: str) -> datetime:
    """An RFC 3339 instant."""
    return datetime.fromisoformat(text)
