"""JSON schemas of the responses. Those of posted facts come from the facts' own models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from api.http.contract import Schema, ref
from api.http.problems import MAX_ERRORS
from api.resources.contracts import FLAG_NAMES, KINDS, STATUSES
from tracker.promises import MONTHS
from tracker.quantity import Op, OpenEnds
from tracker.rules.conditions import ConditionState
from tracker.rules.evaluation import AnswersBy
from tracker.rules.flags import Evidence
from tracker.rules.instalments import InstalmentState
from tracker.rules.outcome import LifecycleState, ScheduleState
from tracker.units import SLUG
from tracker.values import STAGES, MemberVerdict, Trajectory

_TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_DATE: Schema = {"type": "string", "format": "date"}
_INSTANT: Schema = {"type": "string", "format": "date-time"}
_DECIMAL: Schema = {"type": "string", "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]{1,18})?$"}
_ID: Schema = {"type": "string", "format": "uuid"}
_STAGE: Schema = {"enum": [*STAGES, "unspecified"]}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _enum(literal: Any) -> Schema:
    return {"enum": list(get_args(literal))}


def _object(needed: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None, about: str = "") -> Schema:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {**needed, **(optional or {})},
        "required": list(needed),
        "additionalProperties": False,
    }
    return {"description": about, **schema} if about else schema


CLOCKS: dict[str, Schema] = {"as_of": _DATE, "known_at": _or_null(_INSTANT), "position": _COUNT}
_QUANTITY, _DATES = ref("Amount"), ref("Dates")


_UNREAD: dict[str, Schema] = {
    "unreadable": _list(_object({"event": {"type": "object"}, "reason": _TEXT})),
}
"""The raw events that this version could not take in, each with why; left out where there is none."""


def _items(
    items: Schema, more: Mapping[str, Schema] | None = None, optional: Mapping[str, Schema] | None = None
) -> Schema:
    return _object({"items": _list(items), **CLOCKS, **(more or {})}, optional)


_FIGURE: dict[str, Schema] = {
    "quantity": _QUANTITY,
    "stage": _STAGE,
    "basis": _TEXT,
    "nature": _TEXT,
    "period": _or_null(_DATES),
    "attribution": _TEXT,
}
_CONVERSION = _object(
    {"from": _TEXT, "to": _TEXT, "rate": _or_null(_DECIMAL), "date": _or_null(_DATE), "provider": _TEXT},
    {"to_rate": _DECIMAL},
)
_MEMBER_COUNT = _or_null({"anyOf": [_COUNT, _QUANTITY]})
_MEMBERS = _object(
    dict.fromkeys(
        ("eligible", "met", "not_met", "not_applicable", "opted_out", "not_reported", "total"), _MEMBER_COUNT
    ),
    {"projected": _MEMBER_COUNT, "rows": _list({"type": "object"})},
)
_MILESTONE = _object(
    {
        "milestone": _TEXT,
        "due": _or_null(_TEXT),
        "first_due": _or_null(_TEXT),
        "state": _TEXT,
        "late": {"type": "boolean"},
        "stated_on": _or_null(_DATE),
        "event": _or_null(_ID),
    }
)
_SHARE = _object(
    {
        "subset": _TEXT,
        "share": _QUANTITY,
        "of": _or_null(_ID),
        "bound": _or_null(_QUANTITY),
        "derived": {"const": True},
        "event": _ID,
    }
)
_CONDITION = _object({"condition": _TEXT, "text": _TEXT, "state": _enum(ConditionState)}, {"event": _ID})
_PERIOD = _object(
    {
        "start": _DATE,
        "end": _DATE,
        "status": {"enum": list(STATUSES)},
        "actual": _or_null(_QUANTITY),
        "ratio": _or_null(ref("Ratio")),
    }
)
_PERIODS_TALLY = _object(
    {"closed": _COUNT, "kept": _COUNT, "not_kept": _COUNT, "unreported": _COUNT, "undecided": _COUNT},
    {"total": _COUNT},
    "How the closed periods came out.",
)
_STATED = {"stated_on": _DATE, "event": _ID}

STATUS = _object(
    {
        "pledge": {"type": "string", "pattern": f"^{SLUG}$"},
        "title": _TEXT,
        "pledgor": ref("Who"),
        "beneficiary": _or_null(ref("Who")),
        "kind": {"enum": list(KINDS)},
        "tags": _list(_TEXT),
        "status": {"enum": list(STATUSES)},
        "flags": _list({"enum": list(FLAG_NAMES)}),
        "target": _or_null(_QUANTITY),
        "actual": _or_null(_QUANTITY),
        "ratio": _or_null(ref("Ratio")),
        "progress": _or_null(ref("Ratio")),
        "stage": _or_null(_STAGE),
        "period": _or_null(_DATES),
        "window": _or_null(_DATES),
        "deadline": _or_null(_DATE),
        "schedule": _object({"current": _enum(ScheduleState), "original": _enum(ScheduleState)}),
        "trajectory": _enum(Trajectory),
        "claimed_trajectory": _list(
            _object({"trajectory": _enum(Trajectory), "speaker": _or_null(ref("Who")), **_STATED})
        ),
        "evidence": _enum(Evidence),
        "lifecycle": _enum(LifecycleState),
        "past_targets": _list(
            _object({"target": _or_null(_QUANTITY), "window": _or_null(_DATES), "until": _DATE, "status": _TEXT})
        ),
        "because": {"type": "object", "additionalProperties": _list(_ID)},
        "rules_version": _TEXT,
        "last_stated_on": _DATE,
        "version": {"type": "integer", "minimum": 1},
        **CLOCKS,
    },
    {
        "part_of": _TEXT,
        "joint": _list(_object({"party": ref("Who")}, {"share": _DECIMAL})),
        "relative_target": _QUANTITY,
        "baseline": _object({"quantity": _QUANTITY}, {"on": _TEXT, "text": _TEXT}),
        "announced_amounts": _list(_object({"quantity": _QUANTITY, "event": _ID}, {"period": _DATES})),
        "recurrence": _object({"every": {"enum": list(MONTHS)}, "start": _DATE}, {"end": _DATE}),
        "periods": _list(_PERIOD),
        "periods_tally": _PERIODS_TALLY,
        "instalments": _list(_object({"due": _TEXT, "quantity": _QUANTITY, "state": _enum(InstalmentState)})),
        "conditions": _list(
            _object({"condition": _TEXT, "text": _TEXT, "state": _enum(ConditionState)}, {"event": _ID})
        ),
        "direction": {"enum": ["up", "down"]},
        "answers_by": _enum(AnswersBy),
        "required_stage": _or_null(_STAGE),
        "tolerance": _DECIMAL,
        "original": _object({"target": _or_null(_QUANTITY), "window": _or_null(_DATES)}),
        "projection": _object({"quantity": _QUANTITY, "stage": _STAGE, "period": _or_null(_DATES), **_STATED}),
        "members": _MEMBERS,
        "milestones": _list(_MILESTONE),
        "shares": _list(_SHARE),
        "other_measures": _list(_object({"quantity": _QUANTITY, **_STATED})),
        "assessment": _object(
            {"rating": _TEXT, "rubric": _TEXT, "rubric_version": _TEXT, "reasoning": _TEXT, **_STATED}
        ),
        "conversion": _CONVERSION,
        "conversions": _list(_CONVERSION),
    },
    "One pledge at a point on both clocks.",
)

_GROUP: dict[str, Schema] = {
    "by_status": {"type": "object", "additionalProperties": _COUNT},
    "by_kind": {"type": "object", "additionalProperties": _COUNT},
    "flags": {"type": "object", "additionalProperties": _COUNT},
    "totals": _list({"type": "object"}),
}

SCHEMAS: dict[str, Schema] = {
    "Amount": _object(
        {"op": _enum(Op), "value": _DECIMAL, "unit": _TEXT},
        {"upper": _DECIMAL, "open": _enum(OpenEnds), "text": _TEXT},
        "A quantity in full, with the source's words in `text`.",
    ),
    "Ratio": _object(
        {"op": _enum(Op), "value": _DECIMAL},
        {"upper": _DECIMAL, "open": _enum(OpenEnds)},
        "The actual as a share of the target, or of the way to it.",
    ),
    "Dates": _object({}, {"start": _DATE, "end": _DATE, "latest": _DATE, "text": _TEXT}),
    "Who": _object({"name": _TEXT}, {"code": _TEXT}),
    "Event": _object(
        {
            "id": _ID,
            "pledge": _TEXT,
            "version": {"type": "integer", "minimum": 1},
            "recorded_at": _INSTANT,
            "recorded_by": _TEXT,
            "fact": {"type": "object"},
            "position": {"type": "integer", "minimum": 1},
        },
        about="A recorded fact in its envelope. The fact is as it was posted.",
    ),
    "Receipt": _object(
        {"event": ref("Event"), "position": _COUNT, "version": _COUNT, "replayed": {"type": "boolean"}},
        about="What was recorded, whole.",
    ),
    "Batch": _object(
        {"recorded": _COUNT, "first_position": _COUNT, "last_position": _COUNT, "replayed": {"type": "boolean"}}
    ),
    "DryRun": _object(
        {
            "dry_run": {"const": True},
            "events": _list(ref("Event")),
            "statuses": _list(ref("Status")),
            **CLOCKS,
        },
        about="What would be recorded, and the statuses it would give.",
    ),
    "Status": STATUS,
    "StatusPage": _items(ref("Status"), {"next_cursor": _or_null(_TEXT), "total": _COUNT}),
    "EventItems": _items(ref("Event")),
    "LogPage": _items(ref("Event"), {"next_after": _or_null(_COUNT)}),
    "History": _items(
        _object(
            {
                "event": _or_null(ref("Event")),
                "as_of": _DATE,
                "status_before": _or_null(_TEXT),
                "status_after": _or_null(_TEXT),
                "changed": _list(_TEXT),
            }
        ),
        {"axis": {"enum": ["as_of", "known"]}},
        _UNREAD,
    ),
    "Timeline": _items(
        _object(
            {
                "valid_from": _DATE,
                "valid_to": _or_null(_DATE),
                "known_from": _COUNT,
                "known_to": _or_null(_COUNT),
                "status": {"enum": list(STATUSES)},
                "actual": _or_null(_QUANTITY),
                "ratio": _or_null(ref("Ratio")),
                "flags": _list(_TEXT),
            }
        ),
        optional=_UNREAD,
    ),
    "Timemap": _items(_object({"as_of": _DATE, "datetime": _TEXT, "url": _TEXT})),
    "Figures": _items(
        _object(
            {
                "event": _ID,
                "type": _TEXT,
                "stated_on": _DATE,
                **_FIGURE,
                "as_recorded": _or_null(_object(_FIGURE)),
                "rank": _TEXT,
                "final": _or_null({"type": "boolean"}),
                "chosen": {"type": "boolean"},
                "outcome": _TEXT,
                "why": _TEXT,
                "conflicts": _list(_ID),
                "conversion": _or_null(_CONVERSION),
                "converted": _or_null(_QUANTITY),
            }
        ),
        optional=_UNREAD,
    ),
    "Members": _items(
        _object(
            {
                "member": _TEXT,
                "verdict": _enum(MemberVerdict),
                "reason": _or_null(_TEXT),
                "figure": _or_null(_object(_FIGURE)),
                "stated_on": _or_null(_DATE),
                "event": _or_null(_ID),
            }
        ),
        optional=_UNREAD,
    ),
    "Summary": _object(
        {**_GROUP, **CLOCKS},
        {
            "groups": _list({"type": "object"}),
            "converted": {"type": "object"},
        },
    ),
    "Diff": _items(
        _object(
            {
                "pledge": _TEXT,
                "status_before": _or_null(_TEXT),
                "status_after": _or_null(_TEXT),
                "actual_before": _or_null(_QUANTITY),
                "actual_after": _or_null(_QUANTITY),
                "events": _list(ref("Event")),
            },
            _UNREAD,
        ),
        {"from": _object(CLOCKS), "to": _object(CLOCKS)},
    ),
    "Export": _object({"items": _list(ref("Status")), **CLOCKS}, {"license": _TEXT}),
    "Replay": _object(
        {"items": _list(ref("Status")), **CLOCKS},
        {
            "differences": _list(
                _object(
                    {
                        "pledge": _TEXT,
                        "about": _TEXT,
                        "members": _list(_TEXT),
                        "replayed": _or_null({"type": "object"}),
                        "projected": _or_null({"type": "object"}),
                    }
                )
            )
        },
    ),
    "CloudEvent": _object(
        {
            "specversion": {"const": "1.0"},
            "id": _ID,
            "source": {"type": "string", "format": "uri-reference"},
            "type": _TEXT,
            "subject": _TEXT,
            "time": _INSTANT,
            "datacontenttype": {"const": "application/json"},
            "sequence": {"type": "string", "pattern": "^[0-9]{19}$"},
            "data": ref("Event"),
        },
        {"license": _TEXT},
        about="CloudEvents 1.0 in JSON, and `sequence`: the position, padded so that it sorts as text.",
    ),
    "Log": _object(
        {
            "log": _TEXT,
            "head": _COUNT,
            "first_recorded_at": _or_null(_INSTANT),
            "last_recorded_at": _or_null(_INSTANT),
            "rules_version": _TEXT,
            "forks": _list(_object({"from": _TEXT, "position": _COUNT, "at": _INSTANT, "reason": _TEXT})),
        },
        about="Which log this is: `log` is its id, `forks` says when and after which event it got another one.",
    ),
    "Health": {
        "description": "Whether all is well. `checks` has each condition by its name, with a sentence where it fails.",
        "type": "object",
        "properties": {
            "status": {"enum": ["live", "not_live", "ready", "not_ready"]},
            "checks": {
                "type": "object",
                "additionalProperties": _object({"ok": {"type": "boolean"}, "why": _TEXT}),
            },
            "store": {"enum": ["reachable", "unreachable"]},
            "log": _TEXT,
            "refusal": {"description": "Why nothing is written, as the code of its problem.", "type": "string"},
            "head": _COUNT,
            "position": _COUNT,
            "lag": _COUNT,
            "max_lag": _COUNT,
            "heartbeat": {"type": ["string", "null"], "format": "date-time"},
            "parked": _COUNT,
            "parked_events": _list(_object({"position": _COUNT, "pledge": _TEXT})),
        },
        "required": ["status", "checks"],
    },
    "Problem": {
        "description": "What went wrong, RFC 9457.",
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "instance": _TEXT,
            "code": _TEXT,
            "errors": {
                **_list(
                    {
                        "type": "object",
                        "properties": {"pointer": _TEXT, "message": _TEXT, "code": _TEXT},
                        "required": ["pointer", "message"],
                    }
                ),
                "maxItems": MAX_ERRORS,
            },
            "total": {**_COUNT, "description": "How many errors there are; at most 100 are listed."},
        },
        "required": ["type", "title", "status", "detail", "instance", "code", "errors", "total"],
    },
    "ProblemType": _object({"code": _TEXT, "type": _TEXT, "title": _TEXT, "status": _COUNT, "about": _TEXT}),
}
