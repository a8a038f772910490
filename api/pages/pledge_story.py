"""The story of one pledge: its events, figures, members and steps as the pages tell them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from api import wording
from api.pages.repairs import Repaired, without_repairs
from tracker.acting import ACTING, REPAIRS
from tracker.event import Event, fact_json, stamp
from tracker.facts import (
    FACTS_WITH_FIGURE,
    ConditionReported,
    MemberReported,
    MilestoneMissed,
    MilestoneReached,
    PledgeExceeded,
    PledgeMet,
    PledgeMissed,
    ProgressReported,
    TallyReported,
)
from tracker.rules import explanations
from tracker.rules.counted import CountedSpan, counted_spans
from tracker.rules.event_days import said_by
from tracker.rules.pledge_history import PledgeHistory
from tracker.rules.status import StatusFold, StatusSegment
from tracker.rules.status_history import Axis, HistoryStep, history
from tracker.rules.views import FactInForce

_EVENT_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_UNLISTED = ("schedule", "deadline", "rules_version")
"""Members of a status document whose change is not told among the steps: what changed them is."""

_FOLDED_TALK = 2
"""Statements in a row that are folded into one line, at least."""


class PledgeStory(NamedTuple):
    """What the pages tell of a pledge's events: the short one, and the one with its whole record."""

    figures: list[dict[str, Any]]
    counted: Mapping[str, CountedSpan]
    history: PledgeHistory
    segments: list[StatusSegment]
    events: list[dict[str, Any]]
    attested: explanations.Attestation
    members: list[dict[str, Any]]
    steps: list[HistoryStep]
    repaired: Repaired | None
    reported: str | None
    """The id of the last event in the world from which the status follows; None if there is only talk."""


def tell(known: Sequence[Event], as_of: date, axis: Axis = "as_of") -> PledgeStory:
    """The story of a pledge by a day; `axis` is the clock along which its steps are told."""
    fold = StatusFold(known)
    counted = counted_spans(fold)
    attested = explanations.attestation(known, as_of)
    return PledgeStory(
        figures=_figures(known, as_of, counted),
        counted=counted,
        history=fold.history,
        segments=fold.segments() if known else [],
        events=_events(fold.history, as_of),
        attested=attested,
        members=explanations.members(known, as_of) or [],
        steps=history(known, axis, as_of) if known else [],
        repaired=without_repairs(known, as_of),
        reported=_last_report(fold, as_of, attested),
    )


def _events(history: PledgeHistory, as_of: date) -> list[dict[str, Any]]:
    """What was said by the day, in the order of recording, each as corrected and with what acts on it.

    `recorded` is the fact as it was posted, None where no correction changed it.
    """
    said = said_by(history.events, as_of)
    standing = {s.event.id: s.fact for s in history.resolve(as_of)[0]}
    acting: dict[str, list[dict[str, Any]]] = {}
    for event in said:
        fact = standing.get(event.id)
        if isinstance(fact, ACTING):
            act = {"id": event.id, "version": event.version, "type": event.type}
            acting.setdefault(fact.event, []).append({**act, "what": wording.ACTED_ON[event.type]})
    found = []
    for event in said:
        fact = standing.get(event.id, event.fact)
        shown = fact_json(fact)
        figure = fact.figure if isinstance(fact, FACTS_WITH_FIGURE) else None
        found.append(
            {
                "id": event.id,
                "version": event.version,
                "position": event.position,
                "type": event.type,
                "fact": shown,
                "recorded": None if fact == event.fact else fact_json(event.fact),
                "recorded_at": stamp(event.recorded_at),
                "recorded_by": event.recorded_by,
                "is_kept": isinstance(fact, REPAIRS),
                "on": fact.in_force_on.isoformat(),
                "said": wording.stated(shown),
                "quantity": None if figure is None else shown["figure"].get("quantity"),
                "acted": acting.get(event.id, []),
                "is_void": event.id not in standing,
                "target_of": fact.event if isinstance(fact, ACTING) else None,
            }
        )
    return found


def _figures(known: Sequence[Event], as_of: date, counted: Mapping[str, CountedSpan]) -> list[dict[str, Any]]:
    """Every figure and why it counts or not; the reason names events by their version, as the page does.

    `counted_until` is the day on which a figure that counted was replaced; None for one that counts, or never did.
    """
    numbers = {event.id: f"event {event.version}" for event in known}
    found = []
    for figure in explanations.figures(known, as_of) or []:
        why = _EVENT_ID.sub(lambda match: numbers.get(match[0], match[0]), figure["why"])
        span = None if figure["chosen"] else counted.get(figure["event"])
        until = None if span is None or span.until is None or span.until > as_of else span.until.isoformat()
        found.append({**figure, "why": why, "counted_until": until})
    return found


def told_flags(
    status: Mapping[str, Any], by_id: Mapping[str, Any], attested: explanations.Attestation
) -> list[dict[str, Any]]:
    """The flags in words, each with the events that raised it."""
    found = []
    for flag in status["flags"]:
        name, means = wording.FLAG.get(flag, (wording.in_words(flag), ""))
        ids = status["because"].get(flag, ())
        if flag == "single_source":
            ids = attested.events
            means = means if attested.share_origin else "each of these goes back to one origin only"
        causes = [by_id[id_] for id_ in ids if id_ in by_id]
        # The terms are a cause of every flag; they are named where nothing else raised it.
        causes = [event for event in causes if event["type"] != "PledgeMade"] or causes
        found.append({"flag": flag, "name": name, "means": means, "events": causes})
    return found


def named_members(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The members by their verdict, in the order of `wording.VERDICT`, then by name."""
    order = list(wording.VERDICT)
    named = [{**r, "name": wording.member(r["member"])} for r in rows]
    return sorted(named, key=lambda r: (order.index(str(r["verdict"])), str(r["name"]).casefold()))


def told_steps(steps: Sequence[HistoryStep]) -> list[dict[str, Any]]:
    """How the status came to be: only what changed something that is shown."""
    found = []
    for step in steps:
        changed = [name for name in step.changed if name not in _UNLISTED]
        if not changed and step.status_before == step.status_after:
            continue
        event = step.event
        found.append(
            {
                "on": step.as_of.isoformat(),
                "recorded_at": None if event is None else stamp(event.recorded_at),
                "before": step.status_before,
                "after": step.status_after,
                "changed": [wording.in_words(name) for name in changed if name != "status"]
                if step.status_before
                else [],
                "event": None
                if event is None
                else {"id": event.id, "version": event.version, "type": event.type, "fact": fact_json(event.fact)},
            }
        )
    return found


class TimelineEntry(NamedTuple):
    """A line of the timeline: an event, or several statements in a row, which are folded into one."""

    key: str
    events: Sequence[Mapping[str, Any]]
    words: str
    """What the folded statements are, in a few words; empty for a single event."""


def timeline(events: Sequence[Mapping[str, Any]]) -> list[TimelineEntry]:
    """All events, the last said first. Of one day, talk comes after what is reported."""
    ordered = sorted(events, key=lambda e: (e["on"], not _is_talk(e), e["version"]), reverse=True)
    found: list[TimelineEntry] = []
    talk: list[Mapping[str, Any]] = []
    for event in [*ordered, None]:
        if event is not None and _is_talk(event):
            talk.append(event)
            continue
        if len(talk) >= _FOLDED_TALK:
            found.append(TimelineEntry(f"talk-{talk[-1]['id']}", tuple(talk), _talk_words(talk)))
        else:
            found += [TimelineEntry(one["id"], (one,), "") for one in talk]
        talk = []
        if event is not None:
            found.append(TimelineEntry(event["id"], (event,), ""))
    return found


def _is_talk(event: Mapping[str, Any]) -> bool:
    return bool(event["type"] == "StatementMade")


def _talk_words(talk: Sequence[Mapping[str, Any]]) -> str:
    """8 statements: 3 support, 1 qualifies."""
    stances: dict[str, int] = {}
    for event in talk:
        if stance := event["fact"].get("stance"):
            stances[stance] = stances.get(stance, 0) + 1
    told = ", ".join(f"{n} {stance.removesuffix('s') if n > 1 else stance}" for stance, n in stances.items())
    return f"{len(talk)} statements" + (f": {told}" if told else "")


_REPORTS = (
    ProgressReported,
    PledgeMet,
    PledgeExceeded,
    PledgeMissed,
    MemberReported,
    TallyReported,
    MilestoneReached,
    MilestoneMissed,
    ConditionReported,
)
"""Facts that report how far a pledge is; all others promise, talk, or take back."""


def _last_report(fold: StatusFold, as_of: date, attested: explanations.Attestation) -> str | None:
    """The last report that counts on a day: where its source restated it, the restatement.

    Of one day a report that the evidence rests on goes before others, and a tally before the members that it counts.
    """
    view, status = fold.history.view(as_of), fold.status(as_of)
    if view is None or status is None:
        return None
    because = status.document["because"]
    counting = {*because["status"], *because["actual"]}
    reports = [item for item in view.of(*_REPORTS) if item.id in counting]

    def lateness(report: FactInForce[Any]) -> tuple[date, bool, bool, int]:
        is_tally = isinstance(report.fact, TallyReported)
        return report.said_on, report.id in attested.events, is_tally, report.version

    last = max(reports, key=lateness, default=None)
    return None if last is None else next(id_ for id_ in last.causes if fold.history.versions[id_] == last.version)


class StatusDay(NamedTuple):
    """A day on which the headline became another one."""

    on: date
    status: str


def status_days(segments: Sequence[StatusSegment], until: date) -> list[StatusDay]:
    """The days up to one on which the headline changed."""
    found: list[StatusDay] = []
    for segment in segments:
        if segment.valid_from <= until and (not found or found[-1].status != segment.status.status):
            found.append(StatusDay(segment.valid_from, segment.status.status))
    return found


def changes_of_status(story: PledgeStory, until: date) -> list[dict[str, Any]]:
    """The days up to one on which the headline changed, as all that is known tells it, each with what was said then.

    A figure that we corrected never was what it was recorded as, so a repair is named only where nothing else happened.
    """
    found: list[dict[str, Any]] = []
    before: str | None = None
    for on, status in status_days(story.segments, until):
        steps = [s for s in story.steps if s.as_of == on and s.status_before != s.status_after]
        steps.sort(key=lambda s: (s.event is not None, s.event is None or not isinstance(s.event.fact, REPAIRS)))
        event = steps[-1].event if steps else None
        named = None
        if event is not None:
            named = next((e for e in story.events if e["id"] == event.id), None)
        when = named["said"] if named is not None and named["on"] == on.isoformat() else wording.day(on)
        found.append({"on": on.isoformat(), "when": when, "before": before, "after": status, "event": named})
        before = status
    return found
