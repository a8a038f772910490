"""A choice that is carried on to the next figure is the one that choosing anew gives, whatever the figures are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from tests.rules.test_facts_one_by_one import grown
from tests.support.profiles import examples
from tests.support.streams import BEGIN, SLUG, event_id, recorded
from tracker.errors import Refusal
from tracker.event import Event
from tracker.fact_reading import read_fact
from tracker.pledge import Pledge
from tracker.rules import carried
from tracker.rules.counted import counted_spans
from tracker.rules.status import StatusFold, derive

FIRST = date(2024, 1, 1)
FIGURES = 36


@contextmanager
def carrying_from(figures: int) -> Iterator[list[int]]:
    """Let choices be carried on from so many figures on; how many of them were."""
    count, carried_on = [0], carried.Chooser._carried_on

    def counted(*args: Any) -> Any:
        found = carried_on(*args)
        count[0] += found is not None
        return found

    with patch.object(carried, "MANY_FIGURES", figures), patch.object(carried.Chooser, "_carried_on", counted):
        yield count


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


class Reports:
    """Random reports on one pledge: a series of payments or of totals, and now and then something else."""

    def __init__(self, seed: int, noise: int) -> None:
        self.random, self.noise = Random(seed), noise
        self.basis = self.random.choice(["increment", "cumulative"])
        self.stage = self.random.choice(["committed", "disbursed", "unspecified"])
        self.op = self.random.choice(["eq", "eq", "approx", "ge"])
        self.total = 0

    def is_odd(self) -> bool:
        return self.random.randrange(self.noise) == 0

    def made(self) -> dict[str, Any]:
        target = {"op": self.random.choice(["ge", "eq"]), "value": self.random.choice(["90", "400"]), "unit": "EUR"}
        required = (
            {} if self.random.random() < 0.7 else {"required_stage": self.random.choice(["committed", "pledged"])}
        )
        return {
            "type": "PledgeMade", "stated_on": day(0), "source": {"publisher": "NATO", "tier": "official"},
            "title": "Aid", "pledgor": {"name": "NATO"}, "kind": "money", "target": target, **required,
            "window": {"start": day(self.random.choice([0, 5])), "end": day(self.random.choice([20, 400]))},
        }  # fmt: skip

    def figure(self, number: int) -> dict[str, Any]:
        random, value = self.random, self.random.randint(1, 9)
        self.total += value
        if self.basis == "cumulative" and not self.is_odd():
            value = self.total
        start, end = number if self.basis == "increment" else 0, number
        if self.is_odd():
            start = max(0, start - random.randint(0, 3))
        if self.is_odd():
            end = max(start, end - random.randint(-3, 3))
        quantity = {
            "op": random.choice(["ge", "eq", "approx", "lt"]) if self.is_odd() else self.op,
            "value": "0" if self.is_odd() else str(value),
            "unit": "USD" if self.is_odd() else "EUR",
        }
        if quantity["op"] == "lt" and quantity["value"] == "0":
            quantity["op"] = "eq"
        other = "increment" if self.basis == "cumulative" else "cumulative"
        figure: dict[str, Any] = {
            "quantity": quantity,
            "stage": random.choice(["committed", "pledged", "delivered"]) if self.is_odd() else self.stage,
            "basis": other if self.is_odd() else self.basis,
        }
        if not self.is_odd():
            figure["period"] = {"start": day(start), "end": day(end)}
        if self.is_odd():
            figure["nature"] = random.choice(["provisional", "estimate", "projection"])
        if self.is_odd():
            figure["final"] = True
        return figure

    def fact(self, number: int, versions: int) -> dict[str, Any]:
        random = self.random
        source = {"publisher": random.choice(["NATO", "Paper"]) if self.is_odd() else "NATO", "tier": "official"}
        if self.is_odd():
            source |= {"publisher": random.choice(["NATO", "Paper"]), "reference": random.choice(["A", "B"])}
        repair = {"stated_on": day(number), "event": event_id(random.randint(1, versions)), "reason": "we looked again"}
        if self.is_odd():
            return random.choice(
                [
                    {"type": "FigureRanked", "rank": random.choice(["preferred", "deprecated"]), **repair},
                    {"type": "EventVoided", **repair},
                    {"type": "EventCorrected", "changes": {"stated_on": day(max(0, number - 4))}, **repair},
                    {"type": "StatementMade", "stated_on": day(number), "source": source},
                    {"type": "StatementRetracted", **repair, "source": source},
                    {"type": "PledgeMet", "stated_on": day(number), "source": source},
                ]
            )  # fmt: skip
        return {
            "type": "ProgressReported", "stated_on": day(number), "source": source, "figure": self.figure(number),
        }  # fmt: skip

    def events(self) -> list[Event]:
        numbers = list(range(1, FIGURES))
        if self.random.random() < 0.6:
            self.random.shuffle(numbers)
        facts, pledge = [read_fact(self.made())], Pledge(SLUG)
        pledge.apply(recorded(facts)[0])
        for number in numbers:
            try:
                fact = read_fact(self.fact(number, len(facts)))
                pledge.check(fact, BEGIN + timedelta(seconds=len(facts)))
            except Refusal:
                continue
            facts.append(fact)
            pledge.apply(recorded(facts)[-1])
        return recorded(facts)


def told(fold: StatusFold) -> list[tuple[date, bytes]]:
    return [(segment.valid_from, segment.status.body) for segment in fold.segments()]


def compare(events: list[Event]) -> int:
    """Hold every day to a choice that is made anew, and say how often one was carried on."""
    with carrying_from(2) as count:
        all_at_once, followed = told(StatusFold(events)), told(grown(events))
        counted = counted_spans(StatusFold(events))
    with carrying_from(10_000):
        assert counted == counted_spans(StatusFold(events))
        for on, body in all_at_once:
            status = derive(events, on)
            assert status is not None
            assert status.body == body, on
    assert followed == all_at_once
    return count[0]


@pytest.mark.parametrize("noise", [25, 60, 200, 10_000])
def test_every_day_is_as_if_its_figures_had_been_chosen_among_anew(noise: int) -> None:
    assert sum(compare(Reports(seed, noise).events()) for seed in range(examples(12))) > 50


# --- one thing that is not as in the rest of a series

PAPER = {"source": {"publisher": "Paper", "tier": "official"}}
ONE_TRANSACTION = [
    {"source": {"publisher": publisher, "tier": "official", "reference": "A"}} for publisher in ("NATO", "Paper")
]
ABOUT = {"quantity": {"op": "approx", "value": "10", "unit": "EUR"}}
ABOUT_NOTHING = {"quantity": {"op": "approx", "value": "0", "unit": "EUR"}}
TEN = {"quantity": {"op": "eq", "value": "10", "unit": "EUR"}}

ODD: dict[str, tuple[str, dict[str, Any], dict[int, dict[str, Any]]]] = {
    "one transaction told by two": ("increment", {}, {2: ONE_TRANSACTION[0], 6: ONE_TRANSACTION[1]}),
    "one payment told by two": ("increment", {}, {2: TEN, 6: PAPER | TEN}),
    "one payment told by two, of which one is preferred": ("increment", {}, {2: TEN, 6: PAPER | TEN, 3: {"rank": 2}}),
    "a payment of the days of another": ("increment", {}, {6: {"period": [3, 6]}}),
    "a payment of about nothing": ("increment", {}, dict.fromkeys(range(1, 9), ABOUT) | {6: ABOUT_NOTHING}),
    "a payment of about an amount": ("increment", {}, {6: ABOUT}),
    "payments firmer than is asked": ("increment", {"required_stage": "pledged"}, {}),
    "totals firmer than is asked": ("cumulative", {"required_stage": "pledged"}, {}),
    "totals of what is asked": ("cumulative", {"required_stage": "committed"}, {}),
    "two totals of one time": ("cumulative", {}, {6: {"period": [0, 5]}}),
    "a total of a time before": ("cumulative", {}, {6: {"period": [0, 4]}}),
    "a total of its own time": ("cumulative", {}, {6: {"period": [6, 6]}}),
    "a total that falls": ("cumulative", {}, {6: {"quantity": {"op": "eq", "value": "1", "unit": "EUR"}}}),
    "a total in another currency": ("cumulative", {}, {6: {"quantity": {"op": "eq", "value": "99", "unit": "USD"}}}),
    "a total without a low end": ("cumulative", {}, {6: {"quantity": {"op": "lt", "value": "99", "unit": "EUR"}}}),
    "a total for a year before": ("cumulative", {}, {2: {"period": [-400, -30]}, 6: {"period": [-900, -500]}}),
}
"""A series of one basis, what else its promise says, and by the number of a day what is said otherwise on it."""


@pytest.mark.parametrize("target", ["30", "400"])
@pytest.mark.parametrize("case", ODD)
def test_what_is_odd_is_chosen_among_anew(case: str, target: str) -> None:
    basis, more, odd = ODD[case]
    made = {
        "type": "PledgeMade", "stated_on": day(0), "title": "Aid", "pledgor": {"name": "NATO"}, "kind": "money",
        "source": {"publisher": "NATO", "tier": "official"}, **more,
        "target": {"op": "ge", "value": target, "unit": "EUR"}, "window": {"start": day(-1000), "end": day(90)},
    }  # fmt: skip
    facts = [made]
    for number in range(1, 9):
        other = odd.get(number, {})
        start, end = other.get("period", [number if basis == "increment" else 0, number])
        if "rank" in other:
            facts.append({"type": "FigureRanked", "rank": "preferred", "event": event_id(other["rank"] + 1),
                          "stated_on": day(number), "reason": "it is the one"})  # fmt: skip
            continue
        quantity = {"op": "eq", "value": str(number * 9 if basis == "cumulative" else number + 1), "unit": "EUR"}
        figure = {
            "quantity": other.get("quantity", quantity), "stage": "committed", "basis": basis,
            "period": {"start": day(start), "end": day(end)},
        }  # fmt: skip
        source = other.get("source", made["source"])
        facts.append({"type": "ProgressReported", "stated_on": day(number), "source": source, "figure": figure})
    compare(recorded(map(read_fact, facts)))
