"""Random streams of facts, from a seed: what monitors record, in all its shapes, and the days on which it matters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from datetime import date
from random import Random
from typing import Any

from .boundaries import boundaries, known_boundaries
from .dates import DAY, add_months
from .facts import event_id, recorded_at
from .plans import BELOW_ZERO, PLANS, Plan, amount, partial, some_day

Fact = dict[str, Any]
MIN_EVENTS, MAX_EVENTS = 3, 14
FIGURED = ("ProgressReported", "PledgeMet", "PledgeExceeded", "PledgeMissed")
PUBLISHERS = ("NATO", "Bloomberg", "Reuters", "Ministry")
ORIGINS = (None, None, None, "press conference", "NATO")
TIERS = ("official", "primary", "media", "other")
NATURES = ("actual", "actual", "actual", "actual", "provisional", "estimate", "projection")


class Stream:
    """One stream while it grows."""

    def __init__(self, seed: int, plans: Sequence[Callable[[Random], Plan]]) -> None:
        self.random = Random(seed)
        self.plan: Plan = self.random.choice(plans)(self.random)
        self.facts: list[Fact] = []
        self.bases: dict[tuple[str, str, str], str] = {}
        self.seen: set[str] = set()
        self.void: set[int] = set()

    def chance(self, share: float) -> bool:
        """True in a share of the cases."""
        return self.random.random() < share

    def said(self, kind: str, **fields: Any) -> Fact:
        """A fact with its day, precision and source."""
        fact: Fact = {"type": kind, "stated_on": self.day().isoformat()}
        if self.chance(0.12):
            fact["precision"] = self.random.choice(["month", "quarter", "half", "year"])
        fact["source"] = self.source()
        return fact | fields

    def day(self) -> date:
        """A day of the pledge's life; now and then the same day as another fact's."""
        if self.facts and self.chance(0.2):
            return date.fromisoformat(self.random.choice(self.facts)["stated_on"])
        return some_day(self.random, self.plan)

    def source(self) -> Fact:
        """A source, some with an origin or a reference."""
        source = {"publisher": self.random.choice(PUBLISHERS), "tier": self.random.choice(TIERS)}
        origin = self.random.choice(ORIGINS)
        if origin is not None:
            source["origin"] = origin
        if self.chance(0.15):
            source["reference"] = self.random.choice(["T-1", "T-2"])
        return source

    def period(self) -> Fact | None:
        """A period that lies about the window: its whole, a part, a year, or with one end."""
        if self.chance(0.2):
            return None
        window = self.plan.window
        kind = self.random.choice(["whole", "whole", "latest", "year", "half", "quarter", "from start", "odd"])
        if kind == "whole":
            period = {"start": window.start, "end": window.end}
        elif kind == "latest":
            period = {"start": window.start, "end": window.latest}
        elif kind == "odd":
            start = window.start + self.random.randrange(-60, 300) * DAY
            period = {"start": start, "end": start + self.random.randrange(0, 400) * DAY}
        else:
            months = {"year": 12, "half": 6, "quarter": 3, "from start": self.random.randrange(1, 24)}[kind]
            first = (
                window.start
                if kind == "from start"
                else add_months(window.start, months * self.random.randrange(-1, 5))
            )
            period = {"start": first, "end": add_months(first, months) - DAY}
        answer = {name: day.isoformat() for name, day in period.items()}
        if self.chance(0.15):
            answer.pop(self.random.choice(["start", "end"]))
        return answer

    def figure(self, kind: str) -> Fact:
        """A figure that the recording rules accept: one basis a series, a unit that fits."""
        rng, plan = self.random, self.plan
        unit = rng.choice(plan.units)
        stage = rng.choice(plan.stages)
        attribution = "all" if self.chance(0.93) else "European Allies"
        measure = "money" if re.fullmatch("[A-Z]{3}", unit) or unit.startswith("percent:") else unit
        basis = self.bases.setdefault((measure, stage, attribution), rng.choice(plan.bases))
        figure: Fact = {"quantity": amount(rng, unit, plan.scale_of(unit)), "stage": stage, "basis": basis}
        if (
            unit in ("USD", "GBP", "SEK", "LKR")
            and plan.unit in ("EUR", "USD")
            and unit != plan.unit
            and self.chance(0.25)
        ):
            figure["equivalent"] = amount(rng, plan.unit, plan.scale, ops=("eq", "approx"))
        figure["nature"] = rng.choice(NATURES)
        period = self.period()
        if period is not None:
            figure["period"] = period
        if attribution != "all":
            figure["attribution"] = attribution
        if self.chance(0.12):
            figure["final"] = self.chance(0.7)
        is_below = figure["quantity"]["value"].startswith("-")
        if basis == "increment" and kind == "ProgressReported" and not is_below and self.chance(0.1):
            figure["quantity"] |= {"op": "eq", "value": "-" + figure["quantity"]["value"]}
            figure["quantity"].pop("upper", None)
        return figure

    def progress(self) -> Fact:
        """A progress report or a claim with a figure."""
        kind = self.random.choice(["ProgressReported"] * 5 + list(FIGURED[1:]))
        echo = self.echo()
        figure = echo or self.figure(kind)
        fact = self.said(kind, figure=figure)
        if echo is not None and self.chance(0.5):
            near = date.fromisoformat(self.facts[-1]["stated_on"]) + self.random.randrange(-70, 70) * DAY
            fact["stated_on"] = near.isoformat()
        if is_returned(figure):
            fact["reason"] = "money was returned"
        return fact

    def echo(self) -> Fact | None:
        """An earlier figure said again, now and then with other digits or for the rest of the time."""
        earlier = [f["figure"] for f in self.facts if f["type"] in FIGURED and "figure" in f]
        if not earlier or not self.chance(0.3):
            return None
        figure = json.loads(json.dumps(self.random.choice(earlier)))
        if self.chance(0.25):
            unit = figure["quantity"]["unit"]
            figure["quantity"] = amount(self.random, unit, self.plan.scale_of(unit))
        elif self.plan.kind == "money" and len(set(self.plan.units)) > 1 and self.chance(0.25):
            figure["quantity"]["unit"] = self.random.choice(["EUR", "USD", "GBP"])
            figure.pop("equivalent", None)
        if figure["basis"] == "increment" and self.chance(0.4):
            figure.pop("period", None)
        if self.chance(0.45) and "end" in figure.get("period", {}):
            start = date.fromisoformat(figure["period"]["end"]) + DAY
            end = add_months(start, self.random.choice([1, 1, 12])) - DAY
            figure["period"] = {"start": start.isoformat(), "end": end.isoformat()}
        return figure

    def claim(self) -> Fact:
        """A claim without a figure."""
        return self.said(self.random.choice(FIGURED[1:]))

    def revision(self) -> Fact:
        """A revision of what the plan lets change, before or after the close."""
        return self.said("PledgeRevised", reason="as said", **self.plan.revision(self.random))

    def lifecycle(self) -> Fact:
        """A withdrawal, a reaffirmation or, seldom, another pledge in its place."""
        kind = self.random.choice(["PledgeWithdrawn", "PledgeReaffirmed", "PledgeReaffirmed", "PledgeSuperseded"])
        own: dict[str, Fact] = {"PledgeWithdrawn": {"reason": "r"}, "PledgeSuperseded": {"by": "another"}}
        return self.said(kind, **own.get(kind, {}))

    def talk(self) -> Fact:
        """A statement, some with a claimed trajectory."""
        return self.said("StatementMade", **({"trajectory": "on_track"} if self.chance(0.5) else {"stance": "doubts"}))

    def share(self) -> Fact:
        """A share of the whole."""
        share = {"op": self.random.choice(["gt", "eq"]), "value": "50", "unit": "percent:total"}
        return self.said("ShareReported", subset="European Allies", share=share)

    def condition(self) -> Fact | None:
        """What became of a condition."""
        if not self.plan.conditions:
            return None
        state = self.random.choice(["fulfilled", "fulfilled", "failed", "waived"])
        return self.said("ConditionReported", condition=self.random.choice(self.plan.conditions), state=state)

    def member(self) -> Fact | None:
        """A member's row."""
        if not self.plan.members:
            return None
        fact = self.said(
            "MemberReported",
            member=self.random.choice(self.plan.members),
            verdict=self.random.choice(["met", "met", "not_met", "not_met", "not_applicable", "not_reported"]),
        )
        if self.chance(0.3):
            fact["on"] = partial(self.random, some_day(self.random, self.plan))
        if self.chance(0.1):
            fact["nature"] = self.random.choice(["provisional", "projection"])
        return fact

    def tally(self) -> Fact | None:
        """A tally, with numbers or quantities."""
        if not self.plan.members:
            return None
        eligible = self.plan.eligible
        met = self.random.randrange(0, eligible + 1)
        fact = self.said("TallyReported", met=met)
        if self.chance(0.35):
            op = self.random.choice(["ge", "gt", "approx", "eq", "le"])
            unit = self.random.choice(["count:members", "percent:members"])
            fact["met"] = {"op": op, "value": str(met if unit == "count:members" else min(99, met * 25)), "unit": unit}
            if op == "gt" and met == eligible:
                fact["met"]["op"] = "ge"
        elif self.chance(0.5):
            fact["not_met"] = eligible - met
        if self.chance(0.3):
            fact["on"] = partial(self.random, some_day(self.random, self.plan))
        if self.chance(0.15):
            fact["nature"] = self.random.choice(["provisional", "projection"])
        return fact

    def step(self) -> Fact | None:
        """A step that is scheduled, moved, reached or missed."""
        if not self.plan.steps:
            return None
        kind = self.random.choice(["MilestoneScheduled"] * 2 + ["MilestoneReached"] * 3 + ["MilestoneMissed"])
        fact = self.said(kind, milestone=self.random.choice(self.plan.steps))
        if kind == "MilestoneScheduled" and self.chance(0.7):
            fact["due"] = partial(self.random, some_day(self.random, self.plan))
        if kind != "MilestoneScheduled" and self.chance(0.4):
            fact["on"] = partial(self.random, some_day(self.random, self.plan))
        if kind == "MilestoneReached" and self.chance(0.15):
            fact["partly"] = True
        return fact

    def pick(self, *types: str) -> tuple[str, Fact] | None:
        """An event of some types that is not void."""
        found = [
            (i, f) for i, f in enumerate(self.facts, 1) if (not types or f["type"] in types) and i not in self.void
        ]
        if not found:
            return None
        version, fact = self.random.choice(found)
        return event_id(version), fact

    def restatement(self) -> Fact | None:
        """The source changed its figure."""
        picked = self.pick(*FIGURED, "FigureRestated")
        if picked is None or "figure" not in picked[1]:
            return None
        figure = json.loads(json.dumps(picked[1]["figure"]))
        figure["quantity"] = amount(
            self.random, figure["quantity"]["unit"], self.plan.scale_of(figure["quantity"]["unit"])
        )
        figure.pop("equivalent", None)
        return self.said("FigureRestated", event=picked[0], figure=figure, reason="r")

    def retraction(self) -> Fact | None:
        """The speaker or source took it back."""
        sourced = [f["type"] for f in self.facts if f["type"] != "PledgeMade" and "source" in f]
        picked = self.pick(*sourced) if sourced else None
        return None if picked is None else self.said("StatementRetracted", event=picked[0], reason="r")

    def ranking(self) -> Fact | None:
        """A reviewer settles a conflict."""
        picked = self.pick(*FIGURED, "FigureRestated")
        if picked is None or "figure" not in picked[1]:
            return None
        rank = self.random.choice(["preferred", "normal", "deprecated"])
        return self.kept("FigureRanked", event=picked[0], rank=rank, reason="r")

    def correction(self) -> Fact | None:
        """Our record was wrong."""
        picked = self.pick(*{f["type"] for f in self.facts} - {"EventCorrected", "EventVoided"})
        if picked is None:
            return None
        changes = self.changes(picked[1])
        return self.kept("EventCorrected", event=picked[0], changes=changes, reason="r")

    def changes(self, fact: Fact) -> Fact:
        """A patch that leaves the fact one that would be accepted."""
        ways: list[Fact] = [{"stated_on": self.day().isoformat()}, {"precision": self.random.choice(["month", "day"])}]
        figure = fact.get("figure")
        if figure is not None and not is_returned(figure):
            unit = figure["quantity"]["unit"]
            value = amount(self.random, unit, self.plan.scale_of(unit), ops=("eq",))["value"]
            ways += [{"figure": {"quantity": {"op": "eq", "value": value, "upper": None}}}] * 3
            ways += [{"figure": {"final": self.chance(0.5)}}, {"figure": {"period": None}}]
        if fact["type"] == "PledgeMade":
            ways += [{"title": "Another title"}, *self.plan.repairs(self.random)]
        own = {
            "MilestoneScheduled": {"due": partial(self.random, some_day(self.random, self.plan))},
            "MemberReported": {"verdict": self.random.choice(["met", "not_met"])},
            "StatementMade": {"trajectory": "behind"},
            "TallyReported": {"nature": "provisional"},
        }
        if fact["type"] in own:
            ways += [own[fact["type"]]] * 2
        if fact["type"] == "PledgeRevised" and "target" in fact:
            ways += [{"target": {"op": "eq", "value": str(self.plan.scale), "upper": None}}] * 2
        if fact["type"] == "PledgeRevised" and "window" in fact:
            ways += [{"window": self.plan.moved(self.random)}] * 2
        if "source" in fact:
            ways.append({"source": {"origin": "agency"}})
        return self.random.choice(ways)

    def void_one(self) -> Fact | None:
        """Our record should not have been; the pledge itself seldom."""
        types = {f["type"] for f in self.facts} - {"EventVoided"}
        if not self.chance(0.1):
            types -= {"PledgeMade"}
        picked = self.pick(*types) if types else None
        if picked is None:
            return None
        self.void.add(int(picked[0][-12:]))
        return self.kept("EventVoided", event=picked[0], reason="r")

    def kept(self, kind: str, **fields: Any) -> Fact:
        """A fact of record-keeping, which needs no source."""
        return {"type": kind, "stated_on": self.day().isoformat(), **fields}

    def next(self) -> Fact | None:
        """One more fact."""
        makers = [
            *[self.progress] * self.plan.weight_of_figures,
            *[self.member, self.member, self.tally] * 2,
            *[self.step] * 5,
            *[self.condition] * 2,
            *[self.revision] * 3,
            *[self.correction, self.correction, self.void_one, self.retraction, self.restatement, self.ranking],
            self.claim,
            self.lifecycle,
            self.talk,
            self.share,
        ]
        return self.random.choice(makers)()

    def repeats(self, fact: Fact) -> bool:
        """§4, `duplicate_fact`: the same report twice."""
        if "figure" not in fact and fact["type"] not in ("ShareReported", "TallyReported"):
            return False
        figure = {name: value for name, value in fact.get("figure", {}).items() if name not in ("final", "equivalent")}
        rest = {n: fact.get(n) for n in ("type", "event", "stated_on", "met", "not_met", "share", "nature")}
        key = json.dumps([rest, fact["source"]["publisher"], figure], sort_keys=True)
        if key in self.seen:
            return True
        self.seen.add(key)
        return False


def is_returned(figure: Fact) -> bool:
    """Whether money came back, which has a reason."""
    return bool(figure["basis"] == "increment" and figure["quantity"]["value"].startswith("-"))


def generate(seed: int, plans: Sequence[Callable[[Random], Plan]] = PLANS) -> list[dict[str, Any]]:
    """The events of one pledge, 3 to 14 of them, in their envelopes as served."""
    stream = Stream(seed, plans)
    stream.facts.append(stream.plan.made(stream.random) | {"source": stream.source()})
    for _ in range(stream.random.randrange(MIN_EVENTS, MAX_EVENTS + 1) * 4):
        if len(stream.facts) >= MAX_EVENTS:
            break
        fact = stream.next()
        if fact is not None and not stream.repeats(fact):
            stream.facts.append(fact)
        if 1 in stream.void:
            break
    count = stream.random.randrange(MIN_EVENTS, MAX_EVENTS + 1)
    return [envelope(version, fact) for version, fact in enumerate(stream.facts[:count], 1)]


def envelope(version: int, fact: Fact) -> dict[str, Any]:
    """The event of a fact, recorded an hour after the one before."""
    return {
        "id": event_id(version),
        "pledge": "a-pledge",
        "version": version,
        "recorded_at": recorded_at(version).isoformat(),
        "recorded_by": "alice",
        "fact": fact,
        "position": version,
    }


__all__ = ["BELOW_ZERO", "PLANS", "boundaries", "generate", "known_boundaries"]
