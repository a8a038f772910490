"""What a promise hangs on, and what became of it (DOMAIN §4, §6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tracker.promise_facts import ConditionReported
from tracker.promises import Condition
from tracker.rules.terms import Promise
from tracker.rules.views import FactInForce, View

ConditionState = Literal["open", "fulfilled", "failed", "waived"]


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """One condition and the last that was reported of it."""

    condition: Condition
    state: ConditionState
    item: FactInForce[ConditionReported] | None

    @property
    def holds_back(self) -> bool:
        """Whether the promise does not stand yet, or never did: the condition is open or failed."""
        return self.state in ("open", "failed")


def conditions_of(view: View, promise: Promise) -> tuple[ConditionResult, ...]:
    """The conditions of the promise on the view's days, each with its latest report."""
    if not promise.conditions:
        return ()
    latest: dict[str, FactInForce[ConditionReported]] = {}
    for item in sorted(view.of(ConditionReported), key=lambda item: item.last_said):
        latest[item.fact.condition] = item
    found = []
    for condition in promise.conditions:
        last = latest.get(condition.condition)
        found.append(ConditionResult(condition, "open" if last is None else last.fact.state, last))
    return tuple(found)
