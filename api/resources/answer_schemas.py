"""JSON schemas of the responses. Those of posted facts come from the facts' own models."""

from __future__ import annotations

from collections.abc import Mapping

from api.http.contract import Schema, ref
from api.http.problems import MAX_ERRORS
from api.resources.names import STATUSES
from api.resources.schema_parts import (
    COUNT,
    DATE,
    DECIMAL_STRING,
    EVENT_UUID,
    INSTANT,
    SHA256,
    STAGE,
    TEXT,
    list_of,
    object_of,
    one_of,
    or_null,
)
from api.resources.status_schemas import CLOCKS, CONVERSION, DATES, QUANTITY, STATUS
from projections.facets import FACETS
from tracker.fact_warnings import WarningCode
from tracker.quantity import Op, OpenEnds
from tracker.rules.causes import Cause
from tracker.values import MemberVerdict

_PROBLEM_CODE: Schema = {**TEXT, "examples": ["pledge_not_found"]}
_UNREAD: dict[str, Schema] = {
    "unreadable": list_of(object_of({"event": {"type": "object"}, "reason": TEXT})),
}
"""The raw events that this version could not take in, each with why; left out where there is none."""


def _items(
    items: Schema, more: Mapping[str, Schema] | None = None, optional: Mapping[str, Schema] | None = None
) -> Schema:
    return object_of({"items": list_of(items), **CLOCKS, **(more or {})}, optional)


_FIGURE: dict[str, Schema] = {
    "quantity": QUANTITY,
    "stage": STAGE,
    "basis": TEXT,
    "nature": TEXT,
    "period": or_null(DATES),
    "attribution": TEXT,
}
_BY_STATUS = object_of({}, dict.fromkeys(STATUSES, COUNT), "How many pledges have which status; none is left out.")
_ROLE: dict[str, Schema] = {"total": COUNT, "by_status": _BY_STATUS}
TOTAL = object_of(
    {
        "unit": TEXT,
        "pledges": COUNT,
        "reported": COUNT,
        "target": or_null(QUANTITY),
        "actual": or_null(QUANTITY),
        "compared": object_of({"pledges": COUNT, "target": or_null(QUANTITY), "actual": or_null(QUANTITY)}),
        "unconverted": COUNT,
    },
    about="Sums in one unit: `target` and `actual` each over all that have it, `compared` over those that have both."
    " Percentages and levels are never added. `unconverted` counts the actuals in another currency without a rate.",
)

_GROUP: dict[str, Schema] = {
    "by_status": _BY_STATUS,
    "by_kind": {"type": "object", "additionalProperties": COUNT},
    "flags": {"type": "object", "additionalProperties": COUNT},
    "totals": list_of(ref("Total")),
}

_RECORDED_FACT: Schema = {
    "anyOf": [
        ref("Fact"),
        {
            "description": "A fact that an earlier version took, or of which something is withheld.",
            "type": "object",
            "properties": {"type": TEXT},
            "required": ["type"],
        },
    ]
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
            "fact": _RECORDED_FACT,
            "position": {"type": "integer", "minimum": 1},
        },
        {"proposal": EVENT_UUID},
        about="A recorded fact in its envelope. The fact is as it was posted.",
    ),
    "Receipt": object_of(
        {
            "event": ref("Event"),
            "position": COUNT,
            "version": COUNT,
            "replayed": {"type": "boolean"},
            "warnings": list_of(ref("Warning")),
        },
        about="What was recorded, whole.",
    ),
    "Capture": object_of(
        {"sha256": SHA256, "media_type": TEXT, "bytes": COUNT}, about="A copy of a source that is kept."
    ),
    "Warning": object_of(
        {"code": one_of(WarningCode), "pointer": TEXT, "message": TEXT},
        {"event": EVENT_UUID},
        about="What is odd about a fact; it is recorded all the same.",
    ),
    "Batch": object_of(
        {"recorded": COUNT, "first_position": COUNT, "last_position": COUNT, "replayed": {"type": "boolean"}}
    ),
    "DryRun": object_of(
        {
            "dry_run": {"const": True},
            "events": list_of(ref("Event")),
            "statuses": list_of(ref("Status")),
            "warnings": list_of(ref("Warning")),
            **CLOCKS,
        },
        about="What would be recorded, and the statuses it would give.",
    ),
    "Status": STATUS,
    "StatusPage": _items(
        {
            "description": "A status; with `fields` the members of it that were asked for.",
            "anyOf": [ref("Status"), ref("StatusFields")],
        },
        {"next_cursor": or_null(TEXT), "total": COUNT},
        {"facets": object_of({facet: list_of(ref("FacetCount")) for facet in FACETS})},
    ),
    "Parts": _items(ref("Status"), {"by_status": _BY_STATUS, "next_cursor": or_null(TEXT), "total": COUNT}),
    "PartyPage": _items(
        object_of({"key": TEXT, "name": TEXT, "as_pledgor": object_of(_ROLE), "as_beneficiary": object_of(_ROLE)}),
        {"next_cursor": or_null(TEXT), "total": COUNT},
    ),
    "PartyAnswer": object_of(
        {
            "key": TEXT,
            "name": TEXT,
            "as_pledgor": object_of({**_ROLE, "totals": list_of(ref("Total"))}),
            "as_beneficiary": object_of({**_ROLE, "totals": list_of(ref("Total"))}),
            "changes": list_of(
                object_of(
                    {
                        "pledge": TEXT,
                        "title": or_null(TEXT),
                        "as_of": DATE,
                        "status_before": or_null({"enum": list(STATUSES)}),
                        "status_after": {"enum": list(STATUSES)},
                    }
                )
            ),
            **CLOCKS,
        },
        about="Who promised or was promised what: `key` is the code, else the slug of the name.",
    ),
    "Total": TOTAL,
    "StatusesOverTime": _items(object_of({"as_of": DATE, "by_status": _BY_STATUS})),
    "StatusFields": object_of({}, STATUS["properties"], "Those members of a status that `fields` names."),
    "FacetCount": object_of(
        {"key": TEXT, "count": COUNT},
        {"name": TEXT},
        "A value of a filter, and how many pledges it gives with all other filters.",
    ),
    "EventItems": _items(ref("Event")),
    "LogPage": _items(ref("Event"), {"next_after": COUNT}),
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
                "actual": or_null(QUANTITY),
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
                "conversion": or_null(CONVERSION),
                "converted": or_null(QUANTITY),
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
                "actual_before": or_null(QUANTITY),
                "actual_after": or_null(QUANTITY),
                "cause": one_of(Cause),
                "events": list_of(ref("Event")),
            },
            _UNREAD,
        ),
        {"from": object_of(CLOCKS), "to": object_of(CLOCKS)},
        {
            "counts": list_of(
                object_of(
                    {
                        "status_before": or_null({"enum": list(STATUSES)}),
                        "status_after": or_null({"enum": list(STATUSES)}),
                        "cause": one_of(Cause),
                        "pledges": COUNT,
                    }
                )
            )
        },
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
            "source": {"type": "string", "format": "uri", "examples": ["https://example.org/v1/pledges/a"]},
            "type": {
                "type": "string",
                "pattern": r"^org\.commitments-tracker\.[A-Za-z]+$",
                "examples": ["org.commitments-tracker.ProgressReported"],
            },
            "subject": TEXT,
            "time": INSTANT,
            "datacontenttype": {"const": "application/json"},
            "dataschema": {
                "type": "string",
                "format": "uri",
                "examples": ["https://example.org/schema/openapi.json#/components/schemas/Event"],
            },
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
            "title": {**TEXT, "examples": ["No such pledge"]},
            "status": {"type": "integer", "examples": [404]},
            "detail": TEXT,
            "instance": TEXT,
            "code": _PROBLEM_CODE,
            "errors": {
                **list_of(
                    {
                        "type": "object",
                        "properties": {"pointer": TEXT, "message": TEXT, "code": _PROBLEM_CODE},
                        "required": ["pointer", "message"],
                    }
                ),
                "maxItems": MAX_ERRORS,
            },
            "total": {**COUNT, "description": "How many errors there are; at most 100 are listed."},
            "first_recorded_at": {**INSTANT, "description": "When the pledge was first recorded: after the clocks."},
            "as_known_now": {**TEXT, "description": "The relative address that answers, with what is known now."},
        },
        "required": ["type", "title", "status", "detail", "instance", "code", "errors", "total"],
    },
    "ProblemType": object_of({"code": _PROBLEM_CODE, "type": TEXT, "title": TEXT, "status": COUNT, "about": TEXT}),
}
