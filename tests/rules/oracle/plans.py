"""The kinds of pledge that a random stream may be about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from .dates import DAY, Window, add_months

Fact = dict[str, Any]
OPS = ("eq", "eq", "eq", "ge", "gt", "le", "lt", "approx", "nearly", "between")
MONEY_STAGES = ("unspecified", "unspecified", "pledged", "committed", "committed", "allocated", "disbursed")
GOODS_STAGES = ("unspecified", "pledged", "committed", "delivered")


def amount(random: Random, unit: str, scale: int, ops: tuple[str, ...] = OPS) -> Fact:
    """A quantity about a scale, with few digits."""
    op = random.choice(ops)
    value = scale * random.choice([0.25, 0.5, 0.75, 0.9, 0.95, 1, 1, 1.05, 1.1, 1.3, 2]) * random.choice([0.5, 1, 1])
    text = f"{value:.1f}".rstrip("0").rstrip(".")
    if random.random() < 0.04:
        text, op = "0", "eq"
    if (value < 0 and op in ("le", "lt")) or (value == 0 and op == "lt"):
        op = "eq"  # nothing is up to an amount below zero
    quantity = {"op": op, "value": text, "unit": unit}
    if op == "between":
        quantity["upper"] = f"{value * (1.2 if value >= 0 else 0.8) + 1:.1f}".rstrip("0").rstrip(".")
    return quantity


def partial(random: Random, day: date) -> str:
    """A day as precisely as a source may have it."""
    year, month = day.year, day.month
    return random.choice(
        [
            day.isoformat(),
            day.isoformat(),
            f"{year}-{month:02}",
            f"{year}-Q{(month + 2) // 3}",
            f"{year}-H{1 if month <= 6 else 2}",
            f"{year}",
        ]
    )


@dataclass
class Plan:
    """A promise, what may be reported on it and how it may be revised."""

    kind: str
    unit: str
    scale: int
    window: Window
    fields: Fact
    units: tuple[str, ...] = ()
    stages: tuple[str, ...] = ("unspecified",)
    bases: tuple[str, ...] = ("cumulative", "cumulative", "increment", "level")
    scales: dict[str, int] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    eligible: int = 0
    steps: tuple[str, ...] = ()
    weight_of_figures: int = 24
    target_ops: tuple[str, ...] = ("ge", "ge", "eq", "gt", "approx")
    recurs: bool = False
    later_baseline: Fact | None = None
    sign: Callable[[], int] = lambda: 1
    """Of an amount that is reported or revised: 1, or -1."""

    def scale_of(self, unit: str) -> int:
        """What an amount in a unit is about."""
        return self.scales.get(unit, self.scale) * self.sign()

    def made(self, random: Random) -> Fact:
        """`PledgeMade`, before or early in the window."""
        on = self.window.start + random.randrange(-200, 60) * DAY
        fact = {"type": "PledgeMade", "stated_on": on.isoformat(), "title": "A pledge", "pledgor": {"name": "NATO"}}
        if random.random() < 0.15:
            fact["precision"] = random.choice(["month", "quarter"])
        if random.random() < 0.1:
            fact["joint"] = [{"party": {"name": "The Union", "code": "union"}}]
        return fact | {"kind": self.kind} | self.fields

    def target(self, random: Random) -> Fact:
        """A target of this plan."""
        unit = self.fields["target"]["unit"]
        return amount(random, unit, self.scale_of(unit), self.target_ops)

    def moved(self, random: Random) -> Fact:
        """Another window, shorter or longer, some without a start."""
        end = self.window.end + random.choice([-200, -60, 0, 90, 200, 365, 700]) * DAY
        window = {"end": end.isoformat()}
        if random.random() < 0.5:
            window["start"] = min(self.window.start, end).isoformat()
        if random.random() < 0.3:
            window["latest"] = (end + random.randrange(0, 200) * DAY).isoformat()
        return window

    def revision(self, random: Random) -> Fact:
        """The fields of a `PledgeRevised`."""
        ways: list[Fact] = [{"title": "A pledge, renamed"}, {"pledgor": {"name": "Its successor"}}]
        ways += [{"window": self.moved(random)}] * (0 if self.recurs else 4)
        if "target" in self.fields:
            ways += [{"target": self.target(random)}] * 4
            if not self.recurs:
                ways += [{"target": self.target(random), "window": self.moved(random)}] * 2
        if "baseline" in self.fields:
            base = self.fields["baseline"]["quantity"]
            more = random.choice(["80", "100", "120", "150"])
            ways.append({"baseline": self.fields["baseline"] | {"quantity": base | {"value": more}}})
        if self.later_baseline is not None:
            ways += [{"baseline": self.later_baseline}] * 4
        if len(self.stages) > 1:
            ways.append({"required_stage": random.choice([s for s in self.stages if s != "unspecified"])})
        if self.conditions:
            ways += [{"conditions": []}, {"conditions": conditions(self.conditions[:1])}]
        if "instalments" in self.fields:
            ways.append({"instalments": self.fields["instalments"][:1]})
        if "group" in self.fields:
            ways += [{"group": self.regrouped(random)}] * 2
        if self.recurs:
            ways.append({"window": {"start": self.window.start.isoformat(), "end": self.window.end.isoformat()}})
            ways.append({"recurrence": self.fields["recurrence"] | {"end": self.window.end.isoformat()}})
        if self.kind in ("money", "count"):
            ways += [{"tags": ["aid"]}, {"beneficiary": {"name": "Ukraine", "code": "UA"}}]
        return random.choice(ways)

    def regrouped(self, random: Random) -> Fact:
        """The group with another number, or with one more member set aside or taken back."""
        group = dict(self.fields["group"])
        if "count" in group and random.random() < 0.6:
            return group | {"count": random.randrange(1, 4)}
        if group.pop("not_applicable", None) is None:
            group["not_applicable"] = [{"member": "ES", "reason": "no forces"}]
        return group

    def repairs(self, random: Random) -> list[Fact]:
        """Patches of the `PledgeMade`."""
        repairs: list[Fact] = []
        if "target" in self.fields:
            target = self.target(random)
            repairs.append({"target": {"op": "eq", "value": target["value"], "upper": None}})
        if "window" in self.fields:
            repairs.append({"window": {"latest": (self.window.latest + 40 * DAY).isoformat()}})
        return repairs


def some_day(random: Random, plan: Plan) -> date:
    """A day from before the window to two years after it."""
    length = (plan.window.latest - plan.window.start).days
    return plan.window.start + random.randrange(-100, length + 500) * DAY


def some_window(random: Random) -> Window:
    """A window of months or years, some with two readings of the deadline."""
    start = date(random.choice([2018, 2019, 2020]), random.choice([1, 1, 1, 4, 7]), random.choice([1, 1, 1, 15]))
    end = add_months(start, random.choice([2, 6, 12, 12, 12, 24, 36, 48])) - DAY
    latest = end + random.choice([0, 0, 0, 90, 212]) * DAY
    return Window(start, end, latest)


def window_json(random: Random, window: Window) -> Fact:
    """The window as posted, some without a start."""
    raw = window.json()
    if random.random() < 0.15:
        raw.pop("start")
    return raw


def conditions(names: tuple[str, ...]) -> list[Fact]:
    """Conditions as posted."""
    return [{"condition": name, "text": "on the condition that it agrees"} for name in names]


def with_extras(random: Random, plan: Plan) -> Plan:
    """Now and then instalments, conditions, a stage that is required, or `measurable: false`."""
    fields = plan.fields
    window = plan.window
    if random.random() < 0.85 and not plan.recurs:
        fields["window"] = window_json(random, window)
    if random.random() < 0.25 and not plan.recurs and plan.kind != "ratio" and fields["target"]["unit"] == plan.unit:
        length = (window.end - window.start).days
        days = sorted(window.start + random.randrange(length) * DAY for _ in range(3))
        share = [plan.scale * tenths // 10 for tenths in (1, 2, 7)]
        plan.fields["instalments"] = [
            {"due": partial(random, day), "quantity": {"op": "eq", "value": str(part), "unit": plan.unit}}
            for day, part in zip(days, share, strict=True)
        ]
    if random.random() < 0.12 and not plan.recurs:
        plan.conditions = ("parliament", "partners")[: random.randrange(1, 3)]
        fields["conditions"] = conditions(plan.conditions)
    if random.random() < 0.3 and len(plan.stages) > 1:
        fields["required_stage"] = random.choice([s for s in plan.stages if s != "unspecified"])
    if random.random() < 0.03:
        fields["measurable"] = False
    return plan


def money(random: Random) -> Plan:
    """Money, in one currency or several."""
    unit = random.choice(["EUR", "EUR", "USD"])
    others = ("EUR", "USD", "GBP", "SEK", "LKR", "USD:constant-2020")
    units = (unit,) * 6 + (others if random.random() < 0.5 else ())
    scales = {"SEK": 1000, "LKR": 30000}
    plan = Plan("money", unit, 100, some_window(random), {}, units, MONEY_STAGES, scales=scales)
    if random.random() < 0.9:
        if random.random() < 0.15:
            plan.target_ops = ("le", "lt", "le")
        plan.fields["target"] = amount(random, unit, 100, (*plan.target_ops, "between"))
        return with_extras(random, plan)
    plan.fields["window"] = window_json(random, plan.window)
    return plan


def goods(random: Random) -> Plan:
    """Things that are counted."""
    unit = "count:rounds"
    plan = Plan("count", unit, 200, some_window(random), {}, (unit,), GOODS_STAGES)
    plan.fields["target"] = amount(random, unit, 200, plan.target_ops)
    return with_extras(random, plan)


def ceiling(random: Random) -> Plan:
    """At most so much, with or without a baseline."""
    unit = "count:tonnes"
    plan = Plan("count", unit, 100, some_window(random), {"direction": "down"}, (unit,))
    plan.target_ops = ("le", "le", "eq", "lt")
    plan.fields["target"] = amount(random, unit, 100, plan.target_ops)
    if random.random() < 0.5:
        plan.fields["baseline"] = {"quantity": {"op": "eq", "value": "150", "unit": unit}, "on": "2015"}
        if random.random() < 0.3:
            plan.fields["baseline"].pop("on")
    return with_extras(random, plan)


def relative(random: Random) -> Plan:
    """A share below or above a baseline, which some learn only later."""
    unit, side = "count:mtco2e", random.choice(["percent:below-baseline", "percent:above-baseline"])
    plan = Plan("count", unit, 70, some_window(random), {}, (unit, unit, side), scales={side: 40})
    plan.bases = ("level", "level", "cumulative")
    plan.target_ops = ("ge", "eq", "gt")
    plan.fields["target"] = amount(random, side, 40, plan.target_ops)
    plan.fields["baseline"] = {"quantity": {"op": "eq", "value": "100", "unit": unit}, "on": "2015"}
    plan = with_extras(random, plan)
    if random.random() < 0.2:
        plan.later_baseline = plan.fields.pop("baseline")
    return plan


def ratio(random: Random) -> Plan:
    """A level, such as a share of GDP."""
    unit = "percent:gdp"
    plan = Plan("ratio", unit, 2, some_window(random), {}, (unit,), bases=("level",))
    plan.fields["target"] = amount(random, unit, 2, plan.target_ops)
    if random.random() < 0.3:
        plan.fields["baseline"] = {"quantity": {"op": "eq", "value": "1", "unit": unit}, "on": "2017-06"}
    return with_extras(random, plan)


def recurring(random: Random) -> Plan:
    """The same again each period."""
    every = random.choice(["year", "half", "quarter"])
    start = date(random.choice([2018, 2019]), random.choice([1, 7]), 1)
    number = random.randrange(2, 5)
    end = add_months(start, {"year": 12, "half": 6, "quarter": 3}[every] * number) - DAY
    window = Window(start, end, end)
    plan = Plan(
        "money", "EUR", 100, window, {}, ("EUR", "EUR", "EUR", "USD"), ("unspecified", "committed"), recurs=True
    )
    plan.fields["target"] = amount(random, "EUR", 100, plan.target_ops)
    plan.fields["recurrence"] = {"every": every, "start": start.isoformat()}
    if random.random() < 0.8:
        plan.fields["recurrence"]["end"] = end.isoformat()
    return plan


def members(random: Random) -> Plan:
    """Each member, or so many of them."""
    codes = ("BE", "DE", "FR", "IT", "ES")
    group: Fact = {"rule": random.choice(["each_member", "each_member", "count_at_least"]), "members": list(codes)}
    if group["rule"] == "count_at_least":
        group["count"] = random.randrange(1, 5)
    eligible = 5
    if random.random() < 0.4:
        group["not_applicable"], eligible = [{"member": "ES", "reason": "no forces"}], 4
        if random.random() < 0.3:
            group["opted_out"], eligible = ["IT"], 3
    plan = Plan("ratio", "percent:gdp", 2, some_window(random), {"group": group}, ("percent:gdp",), bases=("level",))
    plan.members = tuple(c for c in codes if c not in ("ES", "IT")[: 5 - eligible])
    plan.eligible = max(1, eligible - 1)
    plan.weight_of_figures = 0
    plan.fields["target"] = amount(random, "percent:gdp", 2, ("ge",))
    plan.target_ops = ("ge",)
    if random.random() < 0.85:
        plan.fields["window"] = window_json(random, plan.window)
    if random.random() < 0.15:
        plan.conditions = ("parliament",)
        plan.fields["conditions"] = conditions(plan.conditions)
    return plan


def milestones(random: Random) -> Plan:
    """Named steps, some with a window over them."""
    kind = random.choice(["milestone", "milestone", "qualitative"])
    plan = Plan(kind, "EUR", 10, some_window(random), {}, ("EUR",), bases=("cumulative",))
    plan.steps = ("plan agreed", "works begun", "opened")[: random.randrange(1, 4)]
    plan.weight_of_figures = 0
    if random.random() < 0.6:
        plan.fields["window"] = window_json(random, plan.window)
    if random.random() < 0.1:
        plan.fields["measurable"] = False
    if random.random() < 0.15:
        plan.conditions = ("parliament",)
        plan.fields["conditions"] = conditions(plan.conditions)
    return plan


def balance(random: Random) -> Plan:
    """A level that may lie below zero, such as a budget's, with a target on either side of zero or at it."""
    unit = "percent:gdp"
    plan = Plan("ratio", unit, 3, some_window(random), {}, (unit,), bases=("level",))
    plan.sign = lambda: random.choice((-1, 1))
    plan.fields["target"] = amount(random, unit, random.choice((-3, 0, 3)), plan.target_ops)
    if random.random() < 0.3:
        plan.fields["baseline"] = {"quantity": {"op": "eq", "value": "-4", "unit": unit}, "on": "2017-06"}
    return with_extras(random, plan)


def net(random: Random) -> Plan:
    """At most nothing, or less than nothing: emissions without what is taken out again."""
    unit = "count:mtco2e"
    plan = Plan("count", unit, 10, some_window(random), {"direction": "down"}, (unit,))
    plan.target_ops = ("le", "le", "eq", "lt")
    plan.sign = lambda: random.choice((-1, 1, 1))
    plan.fields["target"] = amount(random, unit, random.choice((-10, 0)), plan.target_ops)
    if random.random() < 0.5:
        plan.fields["baseline"] = {"quantity": {"op": "eq", "value": "40", "unit": unit}, "on": "2015"}
    return with_extras(random, plan)


def refund(random: Random) -> Plan:
    """Money that goes both ways: to give back as much as was taken, or at most so much more."""
    plan = Plan("money", "EUR", 10, some_window(random), {}, ("EUR", "EUR", "EUR", "USD"), MONEY_STAGES)
    plan.sign = lambda: random.choice((-1, 1, 1))
    plan.target_ops = ("ge", "ge", "eq", "gt")
    plan.fields["target"] = amount(random, "EUR", random.choice((-10, 0, 10)), plan.target_ops)
    return with_extras(random, plan)


BELOW_ZERO: tuple[Callable[[Random], Plan], ...] = (balance, balance, net, refund)
"""Those with amounts and targets below zero and at it."""

PLANS: tuple[Callable[[Random], Plan], ...] = (
    money,
    money,
    money,
    goods,
    ceiling,
    relative,
    ratio,
    recurring,
    recurring,
    members,
    members,
    milestones,
    milestones,
)
