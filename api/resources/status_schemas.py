"""JSON schemas of a status and its parts."""

from __future__ import annotations

from api.http.contract import Schema, ref
from api.resources.names import FLAG_NAMES, KINDS, STATUSES
from api.resources.schema_parts import (
    COUNT,
    DATE,
    DECIMAL_STRING,
    EVENT_UUID,
    INSTANT,
    STAGE,
    TEXT,
    list_of,
    object_of,
    one_of,
    or_null,
)
from tracker.promises import MONTHS
from tracker.rules.conditions import ConditionState
from tracker.rules.evaluation import AnswersBy
from tracker.rules.flags import Evidence
from tracker.rules.instalments import InstalmentState
from tracker.rules.outcome import LifecycleState, ScheduleState
from tracker.units import SLUG
from tracker.values import Trajectory

CLOCKS: dict[str, Schema] = {"as_of": DATE, "known_at": or_null(INSTANT), "position": COUNT}
"""The clocks of every answer."""

QUANTITY, DATES = ref("Amount"), ref("Dates")

CONVERSION = object_of(
    {"from": TEXT, "to": TEXT, "rate": or_null(DECIMAL_STRING), "date": or_null(DATE), "provider": TEXT},
    {"to_rate": DECIMAL_STRING},
)
_MEMBER_COUNT = or_null({"anyOf": [COUNT, QUANTITY]})
_MEMBERS = object_of(
    dict.fromkeys(
        ("eligible", "met", "not_met", "not_applicable", "opted_out", "not_reported", "total"), _MEMBER_COUNT
    ),
    {"projected": _MEMBER_COUNT, "rows": list_of({"type": "object"})},
)
_MILESTONE = object_of(
    {
        "milestone": TEXT,
        "due": or_null(TEXT),
        "first_due": or_null(TEXT),
        "state": TEXT,
        "late": {"type": "boolean"},
        "stated_on": or_null(DATE),
        "event": or_null(EVENT_UUID),
    }
)
_SHARE = object_of(
    {
        "subset": TEXT,
        "share": QUANTITY,
        "of": or_null(EVENT_UUID),
        "bound": or_null(QUANTITY),
        "derived": {"const": True},
        "event": EVENT_UUID,
    }
)
_CONDITION = object_of({"condition": TEXT, "text": TEXT, "state": one_of(ConditionState)}, {"event": EVENT_UUID})
_PERIOD = object_of(
    {
        "start": DATE,
        "end": DATE,
        "status": {"enum": list(STATUSES)},
        "actual": or_null(QUANTITY),
        "ratio": or_null(ref("Ratio")),
    }
)
_PERIODS_TALLY = object_of(
    {"closed": COUNT, "kept": COUNT, "not_kept": COUNT, "unreported": COUNT, "undecided": COUNT},
    {"total": COUNT},
    "How the closed periods came out.",
)
STATED = {"stated_on": DATE, "event": EVENT_UUID}

STATUS = object_of(
    {
        "pledge": {"type": "string", "pattern": f"^{SLUG}$"},
        "title": TEXT,
        "pledgor": ref("Who"),
        "beneficiary": or_null(ref("Who")),
        "kind": {"enum": list(KINDS)},
        "tags": list_of(TEXT),
        "status": {"enum": list(STATUSES)},
        "flags": list_of({"enum": list(FLAG_NAMES)}),
        "target": or_null(QUANTITY),
        "actual": or_null(QUANTITY),
        "ratio": or_null(ref("Ratio")),
        "progress": or_null(ref("Ratio")),
        "stage": or_null(STAGE),
        "period": or_null(DATES),
        "window": or_null(DATES),
        "deadline": or_null(DATE),
        "schedule": object_of({"current": one_of(ScheduleState), "original": one_of(ScheduleState)}),
        "trajectory": one_of(Trajectory),
        "claimed_trajectory": list_of(
            object_of({"trajectory": one_of(Trajectory), "speaker": or_null(ref("Who")), **STATED})
        ),
        "evidence": one_of(Evidence),
        "lifecycle": one_of(LifecycleState),
        "past_targets": list_of(
            object_of({"target": or_null(QUANTITY), "window": or_null(DATES), "until": DATE, "status": TEXT})
        ),
        "because": {"type": "object", "additionalProperties": list_of(EVENT_UUID)},
        "rules_version": TEXT,
        "last_stated_on": DATE,
        "version": {"type": "integer", "minimum": 1},
        **CLOCKS,
    },
    {
        "part_of": TEXT,
        "joint": list_of(object_of({"party": ref("Who")}, {"share": DECIMAL_STRING})),
        "relative_target": QUANTITY,
        "baseline": object_of({"quantity": QUANTITY}, {"on": TEXT, "text": TEXT}),
        "announced_amounts": list_of(object_of({"quantity": QUANTITY, "event": EVENT_UUID}, {"period": DATES})),
        "recurrence": object_of({"every": {"enum": list(MONTHS)}, "start": DATE}, {"end": DATE}),
        "periods": list_of(_PERIOD),
        "periods_tally": _PERIODS_TALLY,
        "instalments": list_of(object_of({"due": TEXT, "quantity": QUANTITY, "state": one_of(InstalmentState)})),
        "conditions": list_of(_CONDITION),
        "direction": {"enum": ["up", "down"]},
        "answers_by": one_of(AnswersBy),
        "required_stage": or_null(STAGE),
        "tolerance": DECIMAL_STRING,
        "original": object_of({"target": or_null(QUANTITY), "window": or_null(DATES)}),
        "projection": object_of({"quantity": QUANTITY, "stage": STAGE, "period": or_null(DATES), **STATED}),
        "members": _MEMBERS,
        "milestones": list_of(_MILESTONE),
        "shares": list_of(_SHARE),
        "other_measures": list_of(object_of({"quantity": QUANTITY, **STATED})),
        "assessment": object_of({"rating": TEXT, "rubric": TEXT, "rubric_version": TEXT, "reasoning": TEXT, **STATED}),
        "conversion": CONVERSION,
        "conversions": list_of(CONVERSION),
    },
    "One pledge at a point on both clocks.",
)
