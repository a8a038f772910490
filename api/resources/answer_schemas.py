"""JSON schemas of the responses. Those of posted facts come from the facts' own models."""

from __future__ import annotations

from collections.abc import Mapping

from api.http.contract import Schema, ref
from api.http.problems import MAX_ERRORS
from api.resources.contracts import FLAG_NAMES, KINDS, STATUSES
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
from tracker.quantity import Op, OpenEnds
from tracker.rules.conditions import ConditionState
from tracker.rules.evaluation import AnswersBy
from tracker.rules.flags import Evidence
from tracker.rules.instalments import InstalmentState
from tracker.rules.outcome import LifecycleState, ScheduleState
from tracker.units import SLUG
from tracker.values import MemberVerdict, Trajectory

CLOCKS: dict[str, Schema] = {"as_of": DATE, "known_at": or_null(INSTANT), "position": COUNT}
_QUANTITY, _DATES = ref("Amount"), ref("Dates")


_UNREAD: dict[str, Schema] = {
    "unreadable": list_of(object_of({"event": {"type": "object"}, "reason": TEXT})),
}
"""The raw events that this version could not take in, each with why; left out where there is none."""


def _items(
    items: Schema, more: Mapping[str, Schema] | None = None, optional: Mapping[str, Schema] | None = None
) -> Schema:
    return object_of({"items": list_of(items), **CLOCKS, **(more or {})}, optional)


_FIGURE: dict[str, Schema] = {
    "quantity": _QUANTITY,
    "stage": STAGE,
    "basis": TEXT,
    "nature": TEXT,
    "period": or_null(_DATES),
    "attribution": TEXT,
}
_CONVERSION = object_of(
    {"from": TEXT, "to": TEXT, "rate": or_null(DECIMAL_STRING), "date": or_null(DATE), "provider": TEXT},
    {"to_rate": DECIMAL_STRING},
)
_MEMBER_COUNT = or_null({"anyOf": [COUNT, _QUANTITY]})
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
        "share": _QUANTITY,
        "of": or_null(EVENT_UUID),
        "bound": or_null(_QUANTITY),
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
        "actual": or_null(_QUANTITY),
        "ratio": or_null(ref("Ratio")),
    }
)
_PERIODS_TALLY = object_of(
    {"closed": COUNT, "kept": COUNT, "not_kept": COUNT, "unreported": COUNT, "undecided": COUNT},
    {"total": COUNT},
    "How the closed periods came out.",
)
_STATED = {"stated_on": DATE, "event": EVENT_UUID}

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
        "target": or_null(_QUANTITY),
        "actual": or_null(_QUANTITY),
        "ratio": or_null(ref("Ratio")),
        "progress": or_null(ref("Ratio")),
        "stage": or_null(STAGE),
        "period": or_null(_DATES),
        "window": or_null(_DATES),
        "deadline": or_null(DATE),
        "schedule": object_of({"current": one_of(ScheduleState), "original": one_of(ScheduleState)}),
        "trajectory": one_of(Trajectory),
        "claimed_trajectory": list_of(
            object_of({"trajectory": one_of(Trajectory), "speaker": or_null(ref("Who")), **_STATED})
        ),
        "evidence": one_of(Evidence),
        "lifecycle": one_of(LifecycleState),
        "past_targets": list_of(
            object_of({"target": or_null(_QUANTITY), "window": or_null(_DATES), "until": DATE, "status": TEXT})
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
        "relative_target": _QUANTITY,
        "baseline": object_of({"quantity": _QUANTITY}, {"on": TEXT, "text": TEXT}),
        "announced_amounts": list_of(object_of({"quantity": _QUANTITY, "event": EVENT_UUID}, {"period": _DATES})),
        "recurrence": object_of({"every": {"enum": list(MONTHS)}, "start": DATE}, {"end": DATE}),
        "periods": list_of(_PERIOD),
        "periods_tally": _PERIODS_TALLY,
        "instalments": list_of(object_of({"due": TEXT, "quantity": _QUANTITY, "state": one_of(InstalmentState)})),
        "conditions": list_of(
            object_of({"condition": TEXT, "text": TEXT, "state": one_of(ConditionState)}, {"event": EVENT_UUID})
        ),
        "direction": {"enum": ["up", "down"]},
        "answers_by": one_of(AnswersBy),
        "required_stage": or_null(STAGE),
        "tolerance": DECIMAL_STRING,
        "original": object_of({"target": or_null(_QUANTITY), "window": or_null(_DATES)}),
        "projection": object_of({"quantity": _QUANTITY, "stage": STAGE, "period": or_null(_DATES), **_STATED}),
        "members": _MEMBERS,
        "milestones": list_of(_MILESTONE),
        "shares": list_of(_SHARE),
        "other_measures": list_of(object_of({"quantity": _QUANTITY, **_STATED})),
        "assessment": object_of({"rating": TEXT, "rubric": TEXT, "rubric_version": TEXT, "reasoning": TEXT, **_STATED}),
        "conversion": _CONVERSION,
        "conversions": list_of(_CONVERSION),
    },
    "One pledge at a point on both clocks.",
)

_GROUP: dict[str, Schema] = {
    "by_status": {"type": "object", "additionalProperties": COUNT},
    "by_kind": {"type": "object", "additionalProperties": COUNT},
    "flags": {"type": "object", "additionalProperties": COUNT},
    "totals": list_of({"type": "object"}),
}

SCHEMAS: dict[str, Schema] = {
    "Amount": object_of(
        {"op": one_of(Op), "value": DECIMAL_STRING, "unit": TEXT},
        {"upper": DECIMAL_STRING, "open": one_of(OpenEnds), "text": TEXT},
        "A quantity in full, with the source's words in `text`.",
    ),
    "Ratio": object_of(
        {"op": one_of(Op), "value": DECIMAL_STRING},
        {"upper": DECIMAL_STRING, "open": one_of(OpenEnds)},
        "The actual as a share of the target, or of the way to it.",
    ),
    "Dates": object_of({}, {"start": DATE, "end": DATE, "latest": DATE, "text": TEXT}),
    "Who": object_of({"name": TEXT}, {"code": TEXT}),
    "Event": object_of(
        {
            "id": EVENT_UUID,
            "pledge": TEXT,
            "version": {"type": "integer", "minimum": 1},
            "recorded_at": INSTANT,
            "recorded_by": TEXT,
            "fact": {"type": "object"},
            "position": {"type": "integer", "minimum": 1},
        },
        about="A recorded fact in its envelope. The fact is as it was posted.",
    ),
    "Receipt": object_of(
        {"event": ref("Event"), "position": COUNT, "version": COUNT, "replayed": {"type": "boolean"}},
        about="What was recorded, whole.",
    ),
    "Batch": object_of(
        {"recorded": COUNT, "first_position": COUNT, "last_position": COUNT, "replayed": {"type": "boolean"}}
    ),
    "DryRun": object_of(
        {
            "dry_run": {"const": True},
            "events": list_of(ref("Event")),
            "statuses": list_of(ref("Status")),
            **CLOCKS,
        },
        about="What would be recorded, and the statuses it would give.",
    ),
    "Status": STATUS,
    "StatusPage": _items(ref("Status"), {"next_cursor": or_null(TEXT), "total": COUNT}),
    "EventItems": _items(ref("Event")),
    "LogPage": _items(ref("Event"), {"next_after": or_null(COUNT)}),
    "History": _items(
        object_of(
            {
                "event": or_null(ref("Event")),
                "as_of": DATE,
                "status_before": or_null(TEXT),
                "status_after": or_null(TEXT),
                "changed": list_of(TEXT),
            }
        ),
        {"axis": {"enum": ["as_of", "known"]}},
        _UNREAD,
    ),
    "Timeline": _items(
        object_of(
            {
                "valid_from": DATE,
                "valid_to": or_null(DATE),
                "known_from": COUNT,
                "known_to": or_null(COUNT),
                "status": {"enum": list(STATUSES)},
                "actual": or_null(_QUANTITY),
                "ratio": or_null(ref("Ratio")),
                "flags": list_of(TEXT),
            }
        ),
        optional=_UNREAD,
    ),
    "Timemap": _items(object_of({"as_of": DATE, "datetime": TEXT, "url": TEXT})),
    "Figures": _items(
        object_of(
            {
                "event": EVENT_UUID,
                "type": TEXT,
                "stated_on": DATE,
                **_FIGURE,
                "as_recorded": or_null(object_of(_FIGURE)),
                "rank": TEXT,
                "final": or_null({"type": "boolean"}),
                "chosen": {"type": "boolean"},
                "outcome": TEXT,
                "why": TEXT,
                "conflicts": list_of(EVENT_UUID),
                "conversion": or_null(_CONVERSION),
                "converted": or_null(_QUANTITY),
            }
        ),
        optional=_UNREAD,
    ),
    "Members": _items(
        object_of(
            {
                "member": TEXT,
                "verdict": one_of(MemberVerdict),
                "reason": or_null(TEXT),
                "figure": or_null(object_of(_FIGURE)),
                "stated_on": or_null(DATE),
                "event": or_null(EVENT_UUID),
            }
        ),
        optional=_UNREAD,
    ),
    "Summary": object_of(
        {**_GROUP, **CLOCKS},
        {
            "groups": list_of({"type": "object"}),
            "converted": {"type": "object"},
        },
    ),
    "Diff": _items(
        object_of(
            {
                "pledge": TEXT,
                "status_before": or_null(TEXT),
                "status_after": or_null(TEXT),
                "actual_before": or_null(_QUANTITY),
                "actual_after": or_null(_QUANTITY),
                "events": list_of(ref("Event")),
            },
            _UNREAD,
        ),
        {"from": object_of(CLOCKS), "to": object_of(CLOCKS)},
    ),
    "Export": object_of({"items": list_of(ref("Status")), **CLOCKS}, {"license": TEXT}),
    "Replay": object_of(
        {"items": list_of(ref("Status")), **CLOCKS},
        {
            "differences": list_of(
                object_of(
                    {
                        "pledge": TEXT,
                        "about": TEXT,
                        "members": list_of(TEXT),
                        "replayed": or_null({"type": "object"}),
                        "projected": or_null({"type": "object"}),
                    }
                )
            )
        },
    ),
    "CloudEvent": object_of(
        {
            "specversion": {"const": "1.0"},
            "id": EVENT_UUID,
            "source": {"type": "string", "format": "uri-reference"},
            "type": TEXT,
            "subject": TEXT,
            "time": INSTANT,
            "datacontenttype": {"const": "application/json"},
            "sequence": {"type": "string", "pattern": "^[0-9]{19}$"},
            "data": ref("Event"),
        },
        {"license": TEXT},
        about="CloudEvents 1.0 in JSON, and `sequence`: the position, padded so that it sorts as text.",
    ),
    "Log": object_of(
        {
            "log": TEXT,
            "head": COUNT,
            "first_recorded_at": or_null(INSTANT),
            "last_recorded_at": or_null(INSTANT),
            "rules_version": TEXT,
            "forks": list_of(object_of({"from": TEXT, "position": COUNT, "at": INSTANT, "reason": TEXT})),
        },
        {"checkpoint": object_of({"size": COUNT, "root": TEXT, "signed_at": INSTANT})},
        about="Which log this is: `log` is its id, `forks` says when and after which event it got another one.",
    ),
    "Health": {
        "description": "Whether all is well. `checks` has each condition by its name, with a sentence where it fails.",
        "type": "object",
        "properties": {
            "status": {"enum": ["live", "not_live", "ready", "not_ready"]},
            "checks": {
                "type": "object",
                "additionalProperties": object_of({"ok": {"type": "boolean"}, "why": TEXT}),
            },
            "store": {"enum": ["reachable", "unreachable"]},
            "log": TEXT,
            "refusal": {"description": "Why nothing is written, as the code of its problem.", "type": "string"},
            "head": COUNT,
            "position": COUNT,
            "lag": COUNT,
            "max_lag": COUNT,
            "heartbeat": {"type": ["string", "null"], "format": "date-time"},
            "parked": COUNT,
            "parked_events": list_of(object_of({"position": COUNT, "pledge": TEXT})),
        },
        "required": ["status", "checks"],
    },
    "Problem": {
        "description": "What went wrong, RFC 9457.",
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
            "instance": TEXT,
            "code": TEXT,
            "errors": {
                **list_of(
                    {
                        "type": "object",
                        "properties": {"pointer": TEXT, "message": TEXT, "code": TEXT},
                        "required": ["pointer", "message"],
                    }
                ),
                "maxItems": MAX_ERRORS,
            },
            "total": {**COUNT, "description": "How many errors there are; at most 100 are listed."},
        },
        "required": ["type", "title", "status", "detail", "instance", "code", "errors", "total"],
    },
    "ProblemType": object_of({"code": TEXT, "type": TEXT, "title": TEXT, "status": COUNT, "about": TEXT}),
}
