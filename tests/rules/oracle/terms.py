"""The terms of a pledge: what was promised, as revised, and the goalposts (DOMAIN §4, §6; POINTS, Goalposts)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from .dates import DAY, Recurrence, Window
from .quantities import ABOVE, BELOW, Quantity, absolute, number

if TYPE_CHECKING:
    from .clocks import Said
    from .law import Law

GOALPOSTS = ("target", "baseline", "required_stage", "group", "instalments", "conditions")
ALWAYS = ("title", "pledgor", "beneficiary", "joint", "tags")


@dataclass(frozen=True)
class Terms:
    """What was promised."""

    fixed: dict[str, Any]
    fields: dict[str, Any]
    window: Window | None
    recurrence: Recurrence | None

    def get(self, name: str) -> Any:
        """A field as it stands; an empty list is an absent one."""
        return self.fields.get(name) or None

    @property
    def said_target(self) -> Quantity | None:
        """The target as it was said."""
        return None if self.get("target") is None else Quantity.read(self.fields["target"])

    @property
    def baseline(self) -> Quantity | None:
        """The one number that the target may be said against."""
        return None if self.get("baseline") is None else Quantity.read(self.fields["baseline"]["quantity"])

    @property
    def is_relative(self) -> bool:
        """§3: a target said against a baseline."""
        return self.said_target is not None and self.said_target.unit in (BELOW, ABOVE)

    @property
    def target(self) -> Quantity | None:
        """§3: the absolute target."""
        return absolute(self.said_target, self.baseline)

    @property
    def direction(self) -> str:
        """§3: `percent:below-baseline` has direction down by itself."""
        if self.said_target is not None and self.said_target.unit == BELOW:
            return "down"
        return str(self.fixed.get("direction", "up"))

    @property
    def group(self) -> dict[str, Any] | None:
        """Who is bound."""
        return self.get("group")

    @property
    def counts_members(self) -> bool:
        """Whether members decide."""
        return self.group is not None and self.group["rule"] in ("each_member", "count_at_least")

    def looked_at(self, as_of: date) -> Window | None:
        """The window that the schedule looks at: of a recurring pledge that of its current period."""
        return self.window if self.recurrence is None else self.recurrence.current(as_of)

    def has_passed(self, day: date) -> bool:
        """POINTS, Closed."""
        if self.recurrence is not None:
            return self.recurrence.passed(day)
        return self.window is not None and self.window.passed(day)


@dataclass
class Story:
    """How the terms came to be: `judged` answers, `shown` is what was said last."""

    judged: Terms
    shown: Terms
    snapshots: list[tuple[date, Terms]] = field(default_factory=list)
    entries: list[date] = field(default_factory=list)
    raised: list[date] = field(default_factory=list)
    reopened: list[date] = field(default_factory=list)
    revised_target: bool = False
    revised_after_close: bool = False

    @property
    def new_questions(self) -> list[date]:
        """§6: the days on which a target was raised or a closed window moved to an open one."""
        return sorted({*self.raised, *self.reopened})

    def judged_on(self, day: date) -> Terms:
        """The terms that answered on a day; before the pledge was made the first ones."""
        before = [terms for since, terms in self.snapshots if since <= day]
        return before[-1] if before else self.snapshots[0][1]


def first_terms(made: Said) -> Terms:
    """What `PledgeMade` says."""
    names = (*GOALPOSTS, *ALWAYS)
    fields = {name: made.fact[name] for name in names if made.fact.get(name) is not None}
    return Terms(made.fact, fields, Window.read(made.fact.get("window")), Recurrence.read(made.fact.get("recurrence")))


def revise(terms: Terms, revisions: list[Said]) -> Terms:
    """§6: of several revisions of one day the last of each field counts, compared with the evening before."""
    fields, window, recurrence = dict(terms.fields), terms.window, terms.recurrence
    for revision in revisions:
        for name in (*GOALPOSTS, *ALWAYS):
            if revision.fact.get(name) is not None:
                fields[name] = revision.fact[name]
        if revision.fact.get("window") is not None:
            window, recurrence = moved_window(terms.window, Window.read(revision.fact["window"])), None
        if revision.fact.get("recurrence") is not None:
            window, recurrence = None, Recurrence.read(revision.fact["recurrence"])
    return Terms(terms.fixed, fields, window, recurrence)


def moved_window(old: Window | None, new: Window | None) -> Window | None:
    """POINTS: a window without a start keeps the old one, unless it ends before it."""
    if old is None or new is None or new.start is not None or old.start is None:
        return new
    if new.end is not None and new.end < old.start:
        return new
    return replace(new, start=old.start)


def same(name: str, old: Any, new: Any) -> bool:
    """Whether a field says the same; quantities are compared by what they say, not by their words."""
    if not old and not new:
        return True
    if not old or not new:
        return False
    if name == "target":
        return Quantity.read(old) == Quantity.read(new)
    if name == "baseline":
        return same("target", old["quantity"], new["quantity"]) and old.get("on") == new.get("on")
    return bool(old == new)


def when_moved(old: Terms, new: Terms) -> bool:
    """Whether the window, or the recurrence, is another one."""
    return (old.window, old.recurrence) != (new.window, new.recurrence)


def changes_target(old: Terms, new: Terms) -> bool:
    """POINTS, Entries: a target or baseline where none was makes none; a changed baseline is a changed target."""
    if old.get("target") is None:
        return False
    if not same("target", old.get("target"), new.get("target")):
        return True
    return old.get("baseline") is not None and not same("baseline", old.get("baseline"), new.get("baseline"))


def changes_value(old: Terms, new: Terms) -> bool:
    """POINTS: a first target sets no `revised_target`; a changed baseline under an absolute target no flag."""
    if old.get("target") is None:
        return False
    if not same("target", old.get("target"), new.get("target")):
        return True
    return old.is_relative and old.target is not None and old.target != new.target


def is_raised(old: Terms, new: Terms) -> bool:
    """§6: a target that was raised (`down`: lowered) is a new question."""
    if old.target is None or new.target is None or old.target.unit != new.target.unit:
        return False
    before, after = number(old.target, old.direction), number(new.target, new.direction)
    return after > before if new.direction == "up" else after < before


def closed_on(law: Law, judged: Terms, day: date) -> bool:
    """POINTS, Closed: a revision of day D finds it closed if D > `latest`; a conditional pledge has no close."""
    evening = day - DAY
    if not law.exists(evening) or law.is_conditional(evening):
        return False
    has_deadline = judged.window is not None and judged.window.latest is not None
    if not has_deadline and judged.recurrence is None and law.answers_by_steps(evening):
        derived = law.steps(evening).derived
        return derived is not None and day > derived
    return judged.has_passed(day)


def tell(law: Law, made: Said, revisions: list[Said]) -> Story:
    """The terms day by day."""
    terms = first_terms(made)
    original = [r for r in revisions if r.day <= made.day]
    terms = revise(terms, original)
    story = Story(terms, terms, [(made.day, terms)])
    for day in sorted({r.day for r in revisions if r.day > made.day}):
        turn(law, story, day, [r for r in revisions if r.day == day])
    return story


def turn(law: Law, story: Story, day: date, revisions: list[Said]) -> None:
    """One day of revisions, compared with the evening before."""
    old, new = story.shown, revise(story.shown, revisions)
    closed = closed_on(law, story.judged, day)
    moved = when_moved(old, new)
    if changes_target(old, new) or (closed and moved):
        story.entries.append(day)
    story.revised_target = story.revised_target or changes_value(old, new)
    if closed and not (moved and not new.has_passed(day)):
        if moved or any(not same(name, old.get(name), new.get(name)) for name in GOALPOSTS):
            story.revised_after_close = True
        kept = {name: story.judged.fields[name] for name in GOALPOSTS if name in story.judged.fields}
        kept |= {name: new.fields[name] for name in ALWAYS if name in new.fields}
        story.judged = replace(story.judged, fields=kept)
    else:
        if closed:
            story.reopened.append(day)
            story.revised_after_close = False
        if is_raised(story.judged, new):
            story.raised.append(day)
        story.judged = new
    story.shown = new
    story.snapshots.append((day, story.judged))
