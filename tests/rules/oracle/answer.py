"""The status as it is answered: every axis and flag (DOMAIN §6, API.md Status)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from .choice import Choice, announced, asked, disagreements, is_corroborated, measure, standing
from .clocks import KEPT, Said
from .dates import Recurrence, Window, is_over_three_years
from .figures import measure_of, read_figure
from .quantities import Interval, Quantity, is_envelope, of_interval, plain, progress, ratio
from .recurring import last_with_figure
from .schedule import instalment_states, schedule_of, trajectory_of
from .verdict import Case, claim_flags

if TYPE_CHECKING:
    from .law import Core, Law

STALE_DAYS, STALE_DAYS_LONG = 180, 400


def answer(law: Law, as_of: date) -> dict[str, Any]:
    """API.md, Status: the members that are law."""
    core, story = law.core(as_of), law.story(as_of)
    status, terms = law.status(as_of), story.judged
    case = answering_case(core)
    choice, conditional = core.choice, law.is_conditional(as_of)
    flags = all_flags(law, as_of, core, case, status)
    states = instalment_states(terms, choice, as_of, conditional)
    if any(state["state"] == "overdue" for state in states):
        flags.add("instalment_overdue")
    proof = evidence(law, as_of, core, case, "disputed" in flags)
    if proof == "single_source":
        flags.add("single_source")
    shown = story.shown
    answered: dict[str, Any] = {
        "status": status,
        "flags": flags,
        "title": shown.get("title"),
        "pledgor": shown.get("pledgor"),
        "beneficiary": shown.get("beneficiary"),
        "tags": shown.get("tags") or [],
        "joint": shown.get("joint") or [],
        "target": None if shown.target is None else shown.target.json(),
        "relative_target": shown.said_target.json() if shown.is_relative and shown.said_target else None,
        "actual": quantity_json(choice),
        "ratio": None,
        "progress": None,
        "announced_amounts": [
            {"quantity": f.quantity.json(), "event": f.event}
            for f in (
                announced(law.figures(as_of), terms, None)
                if terms.recurrence is not None
                else announced(case.figures, case.terms, case.window)
            )
        ],
        "stage": None if choice is None else choice.stage,
        "period": period_json(choice),
        "window": None if shown.window is None else shown.window.json(),
        "schedule": schedules(law, as_of, core, status),
        "trajectory": trajectory_of(case.terms, case.window, choice, conditional),
        "claimed_trajectory": [
            s.fact["trajectory"] for s in law.of(as_of, "StatementMade") if s.fact.get("trajectory") is not None
        ],
        "projection": projection(law, as_of),
        "evidence": proof,
        "lifecycle": law.lifecycle(as_of)[0],
        "members": None if core.members is None else core.members.json(),
        "milestones": {
            step.name: {"state": step.state, "due": None if step.due is None else step.due.isoformat()}
            for step in law.steps(as_of).all
        },
        "periods": [period_answer(period.json()) for period in core.periods],
        "periods_tally": core.tally or None,
        "instalments": states,
        "conditions": law.conditions(as_of),
        "past_targets": law.past_targets(as_of),
        "shares": shares(law, as_of, choice),
        "conversion": conversion(choice),
    }
    target = case.terms.target
    if choice is not None and choice.compared is not None and target is not None:
        answered["ratio"] = share_json(ratio(choice.compared, target, case.terms.direction))
        answered["progress"] = share_json(progress(choice.compared, target, case.terms.baseline, case.terms.direction))
    return answered


def answering_case(core: Core) -> Case:
    """POINTS, Recurrence: trajectory, evidence and most flags are those of the period that gives `actual`."""
    period = last_with_figure(core.periods)
    if period is not None:
        return period.case
    if core.answers_by == "periods":
        case = core.case
        return Case(case.terms, case.window, [], [], [], case.as_of, case.rates, case.has_no_close)
    return core.case


def quantity_json(choice: Choice | None) -> dict[str, Any] | None:
    """`actual` in the source's currency; a sum over two currencies rounded half-even to 2 places."""
    if choice is None:
        return None
    units = {part.quantity.unit for part in choice.parts}
    return choice.shown.json(2 if len(units) > 1 else None)


def share_json(share: Quantity | None) -> dict[str, Any] | None:
    """API.md: `ratio` and `progress` have at most 6 decimal places."""
    return None if share is None else share.json(6)


def period_answer(period: dict[str, Any]) -> dict[str, Any]:
    """One of `periods[]`."""
    actual, share = period["actual"], period["ratio"]
    return period | {"actual": None if actual is None else actual.json(), "ratio": share_json(share)}


def period_json(choice: Choice | None) -> dict[str, str] | None:
    """The time that the actual covers; of a sum from the first start to the last end."""
    if choice is None or not any(part.has_period for part in choice.parts):
        return None
    starts = [part.start for part in choice.parts]
    ends = [part.end for part in choice.parts if part.end is not None]
    period = {}
    if all(start is not None for start in starts):
        period["start"] = min(start for start in starts if start is not None).isoformat()
    if ends:
        period["end"] = max(ends).isoformat()
    return period


def schedules(law: Law, as_of: date, core: Core, status: str) -> dict[str, str]:
    """§6: against the window in force and against the first one (`PledgeMade`'s own)."""
    made = law.of(as_of, "PledgeMade")[0].fact
    current, first = law.window(as_of), first_window(made, as_of)
    if status == "not_measurable":
        current = law.story(as_of).judged.looked_at(as_of)
    if core.periods and status in ("met", "exceeded"):
        late = any(period.kept_late for period in core.periods)
        kept = "kept_late" if late else "kept_on_time"
        return {"current": kept, "original": kept if first is not None else "no_deadline"}
    return {
        "current": schedule_of(current, status, law.kept_on(as_of, current), as_of),
        "original": schedule_of(first, status, law.kept_on(as_of, first), as_of),
    }


def first_window(made: dict[str, Any], as_of: date) -> Window | None:
    """POINTS: `original` is PledgeMade's own window."""
    recurrence = Recurrence.read(made.get("recurrence"))
    return Window.read(made.get("window")) if recurrence is None else recurrence.current(as_of)


def all_flags(law: Law, as_of: date, core: Core, case: Case, status: str) -> set[str]:
    """§6: flags ride beside the status."""
    story, choice = law.story(as_of), core.choice
    flags = disagreements(asked(case.figures, case.terms, case.window), case.terms, case.rates)
    flags |= choice_flags(choice) | nature_flags(choice, core)
    stands = core.status in ("met", "exceeded") or (core.members is not None and core.members.kept() is not None)
    judged = judged_status(core)
    flags |= claim_flags(case, story, judged, choice, stands)
    target = story.judged.target
    rules = {
        "tally_mismatch": core.members is not None and core.members.mismatch,
        "late": is_late(law, as_of, core),
        "revised_target": story.revised_target,
        "revised_after_close": story.revised_after_close,
        "envelope": target is not None and is_envelope(target, story.judged.direction),
        "conditional": law.has_open_condition(as_of),
        "reinstated": law.lifecycle(as_of)[1],
        "stale": is_stale(law, as_of, status),
        "broken_period": core.tally.get("not_kept", 0) > 0,
    }
    return flags | {flag for flag, is_set in rules.items() if is_set}


def judged_status(core: Core) -> str:
    """The status that a claim is held against: of a recurring pledge that of the period that gives `actual`."""
    period = last_with_figure(core.periods)
    return core.status if period is None else period.judgement.status


def choice_flags(choice: Choice | None) -> set[str]:
    """The flags of how the actual was put together and compared."""
    if choice is None:
        return set()
    rules = {
        "added_totals": choice.added,
        "overlap": choice.overlap,
        "suspected_duplicate": choice.duplicate,
        "converted": choice.how is not None,
    }
    return {flag for flag, is_set in rules.items() if is_set}


def nature_flags(choice: Choice | None, core: Core) -> set[str]:
    """§5: `provisional` or `estimated` if any part is."""
    natures = {part.nature for part in choice.parts} if choice is not None else set()
    if core.members is not None:
        natures |= core.members.natures()
    return {flag for nature, flag in (("provisional", "provisional"), ("estimate", "estimated")) if nature in natures}


def is_late(law: Law, as_of: date, core: Core) -> bool:
    """§6: what met it lies after the first window's `latest`; a step's own due."""
    first = first_window(law.of(as_of, "PledgeMade")[0].fact, as_of)
    if core.periods:
        return any(period.kept_late for period in core.periods)
    kept = law.kept_on(as_of, first)
    if kept is not None and first is not None and first.latest is not None and kept > first.latest:
        return True
    if core.answers_by != "steps":
        return False
    window = core.case.window
    settled = core.status == "overdue" or (window is not None and window.passed(as_of))
    return law.steps(as_of).late(first or window, as_of, settled)


def is_stale(law: Law, as_of: date, status: str) -> bool:
    """POINTS: counts for announced and in_progress; nothing said for 180 days, 400 in windows over three years."""
    if status not in ("announced", "in_progress"):
        return False
    terms = law.story(as_of).judged
    window = law.window(as_of)
    if terms.recurrence is not None:
        end = terms.recurrence.end
        window = Window(terms.recurrence.start, end or date.max, end or date.max)
    days = STALE_DAYS_LONG if is_over_three_years(window) else STALE_DAYS
    last = max(said.day for said in law.said(as_of) if said.type not in KEPT)
    return (as_of - last).days >= days


def evidence(law: Law, as_of: date, core: Core, case: Case, is_disputed: bool) -> str:
    """§6: `none | single_source | corroborated | disputed | retracted`."""
    reports = core.members.counting() if core.members is not None else step_reports(law, as_of)
    if core.answers_by in ("figures", "periods") or (core.choice is not None and not reports):
        if core.choice is None:
            return "retracted" if lost_figures(law, as_of) else "none"
        if is_disputed:
            return "disputed"
        both = all(is_corroborated(part, core.choice.pool, case.terms, case.rates) for part in core.choice.parts)
        return "corroborated" if both else "single_source"
    if is_disputed:
        return "disputed"
    if not reports:
        return "retracted" if lost_reports(law, as_of, core) else "none"
    both = all(len({origin(said) for said in alike}) > 1 for alike in attesting(law, as_of, core))
    return "corroborated" if both else "single_source"


def attesting(law: Law, as_of: date, core: Core) -> list[list[Said]]:
    """§5: as with a sum, each member or step has to be attested by two origins: for each what says the same of it."""
    if core.members is not None:
        return core.members.attesting()
    return [step.unbroken() for step in law.steps(as_of).all if step.reports]


def lost_reports(law: Law, as_of: date, core: Core) -> bool:
    """Whether a report of a member, or of a step, was said and taken back."""
    types = ("MemberReported", "TallyReported") if core.members is not None else ("MilestoneReached", "MilestoneMissed")
    return any(event["fact"]["type"] in types for event in law.record.retracted_reports(as_of))


def lost_figures(law: Law, as_of: date) -> bool:
    """Whether a figure was said and taken back."""
    types = ("ProgressReported", "PledgeMet", "PledgeExceeded", "PledgeMissed")
    lost = [event["fact"] for event in law.record.retracted_reports(as_of)]
    return any(fact["type"] in types and fact.get("figure") is not None for fact in lost)


def step_reports(law: Law, as_of: date) -> list[Said]:
    """The reports of steps."""
    return [report for step in law.steps(as_of).all for report in step.reports]


def origin(said: Said) -> str:
    """§3: what the publisher itself quotes; without it the publisher."""
    source = said.fact.get("source") or {}
    return str(source.get("origin") or source.get("publisher", ""))


def projection(law: Law, as_of: date) -> dict[str, Any] | None:
    """§5: the latest projection of what is asked is shown, never counted."""
    terms = law.story(as_of).judged
    said = [f for f in law.figures(as_of) if f.nature == "projection"]
    of = measure(standing(law.figures(as_of), None if terms.recurrence is not None else law.window(as_of)), terms)
    fitting = {f.event for f in said if of is None or measure_of(f.quantity.unit) == of}
    fitting |= {s.id for s in law.reports(as_of) if terms.is_relative and read_figure(s, terms.baseline) is None}
    found = [s for s in law.reports(as_of) if (s.figure or {}).get("nature") == "projection" and s.rank != "deprecated"]
    found = [s for s in found if (s.figure or {}).get("attribution", "all") == "all" and s.id in fitting]
    if not found or found[-1].figure is None:
        return None
    return {"quantity": Quantity.read(found[-1].figure["quantity"]).json(), "event": found[-1].id}


def conversion(choice: Choice | None) -> dict[str, Any] | None:
    """API.md, `conversion`."""
    if choice is None or choice.how is None:
        return None
    return {name: plain(value) if name == "rate" else value for name, value in choice.how.items()}


def shares(law: Law, as_of: date, choice: Choice | None) -> list[dict[str, Any]]:
    """§4, ShareReported: a derived bound, never an exact residual."""
    found = []
    for said in law.of(as_of, "ShareReported"):
        whole = choice.shown if choice is not None else None
        if said.fact.get("of") is not None:
            named = [s for s in law.said(as_of) if s.id == said.fact["of"] and s.figure is not None]
            whole = Quantity.read(named[0].figure["quantity"]) if named and named[0].figure is not None else None
        share = Quantity.read(said.fact["share"])
        low = None if whole is None else whole.interval.low
        bound = (
            product(share.interval, whole.interval, whole.unit).json()
            if whole and low is not None and low >= 0
            else None
        )
        found.append(
            {"subset": said.fact["subset"], "share": share.json(), "bound": bound, "derived": True, "event": said.id}
        )
    return found


def product(share: Interval, whole: Interval, unit: str) -> Quantity:
    """A share in percent of a whole, both not negative."""
    low = None if share.low is None or whole.low is None else share.low * whole.low / 100
    high = None if share.high is None or whole.high is None else share.high * whole.high / 100
    return of_interval(Interval(low, share.low_open or whole.low_open, high, share.high_open or whole.high_open), unit)
