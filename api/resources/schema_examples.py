"""Examples that satisfy their schemas, made from the schemas themselves: none can be forgotten or grow wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from api.http.contract import Schema

_EXAMPLES: dict[str, str] = {
    "title": "Military aid to Ukraine in 2024",
    "name": "NATO Allies",
    "publisher": "Interfax-Ukraine",
    "member": "BE",
    "summary": "20.9bn euros were committed in the first half of the year.",
    "reason": "The source gave another figure since.",
    "milestone": "The first delivery",
    "on": "2024-06",
    "due": "2024-06-30",
    "first_due": "2024-06-30",
    "published_on": "2024-10-17",
    "url": "https://example.org/report",
    "archive_url": "https://web.archive.org/web/2024/https://example.org/report",
    "media_type": "application/pdf",
    "unit": "EUR",
    "type": "ProgressReported",
    "rules_version": "2+ecb-0.18",
    "q": "40bn",
    "party": "Ukraine",
    "pledgor": "NATO Allies",
    "beneficiary": "UA",
    "rating": "Compromise",
    "rubric": "Promise Tracker",
    "recorded_by": "alice",
    "proposed_by": "carla",
    "decided_by": "alice",
    "note": "From the report of the second quarter.",
    "about": "There is no pledge of that name at these clocks.",
    "as_known_now": "/v1/pledges/nato-ukraine-2024",
    "attribution": "all",
    "basis": "cumulative",
    "changed": "status",
    "code": "UA",
    "condition": "parliament-agrees",
    "cursor": "gc8LtutFyEtbIjIwMjQtMTItMzEiXQ",
    "datetime": "Wed, 12 Feb 2025 00:00:00 GMT",
    "detail": "there is no pledge 'nato-ukraine-2042'",
    "flag": "late",
    "flags": "single_source",
    "from": "USD",
    "instance": "/v1/pledges/nato-ukraine-2042",
    "key": "UA",
    "license": "CC-BY-4.0",
    "locator": "paragraph 6",
    "log": "bd485a2f06d65d440d94",
    "Tracker-Log": "bd485a2f06d65d440d94",
    "measurable_note": "An irreversible path has no number and no day.",
    "members": "status",
    "message": "is a date, YYYY-MM-DD",
    "nature": "actual",
    "next_cursor": "gc8LtutFyEtbIjIwMjQtMTItMzEiXQ",
    "origin": "Mark Rutte in Brussels, 2024-10-16",
    "outcome": "chosen",
    "pointer": "/figure/quantity",
    "provider": "ECB",
    "quote": "Over 50 billion euro were provided.",
    "rank": "normal",
    "rate": "1.0866",
    "to_rate": "0.8615",
    "reasoning": "More was given than had been promised, and in time.",
    "ref": "first-report",
    "reference": "TX-2024-118",
    "refusal": "the log lost events that were known",
    "root": "GI4vTxZbsTL0yJF0vh7J7Sof22xJ4CrkPA0yq9+ym6o=",
    "rubric_version": "1",
    "share": "50",
    "state": "open",
    "status": "met",
    "status_after": "met",
    "status_before": "in_progress",
    "subject": "nato-ukraine-2024",
    "subset": "European Allies and Canada",
    "tag": "ukraine",
    "tags": "ukraine",
    "text": "over 50 billion euro",
    "to": "EUR",
    "tolerance": "0.05",
    "why": "the latest reading of the deadline has passed",
    "If-Match": '"2"',
    "If-None-Match": '"0171ac93aa02180b05"',
    "Idempotency-Key": "2024-10-17-report-3",
    "Last-Event-ID": "812",
}
"""Texts of members that read better than a word of their type; one that its schema refuses is left out there."""

_BY_FORMAT = {
    "date": "2024-12-31",
    "date-time": "2026-11-21T16:00:00.123456Z",
    "uuid": "01a217ba-1200-7101-8101-010101010101",
    "uri": "https://example.org/report",
    "uri-reference": "/problems/pledge_not_found",
}
_TEXTS = (
    *("nato-ukraine-2024", "40000000000", "2024-12-31", "0000000000000000002", "EUR", "BE", "2", "a" * 64),
    *("https://example.org/report", "https://web.archive.org/web/x", "application/pdf", "2024-06"),
    _BY_FORMAT["uuid"],
)
"""Texts of which the first that a pattern takes is the example."""


def example_of(schema: Schema, schemas: Mapping[str, Schema], name: str = "") -> Any:
    """An example of a schema with all members that it needs; `schemas` are those that it refers to.

    `name` is that of the member it is for.
    """
    if "$ref" in schema:
        return example_of(schemas[str(schema["$ref"]).rpartition("/")[2]], schemas, name)
    if "const" in schema:
        return schema["const"]
    if examples := schema.get("examples"):
        return examples[0]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("oneOf", "anyOf", "allOf"):
        if choice in schema:
            return example_of(schema[choice][0], schemas, name)
    kinds = schema.get("type", "object")
    match kinds if isinstance(kinds, str) else kinds[0]:
        case "object":
            members = schema.get("properties", {})
            if not members and schema.get("minProperties"):
                return {"stated_on": "2024-10-16"}
            return {of: example_of(members[of], schemas, of) for of in members if of in schema.get("required", ())}
        case "array":
            return [example_of(schema["items"], schemas, name)] if schema.get("items") else []
        case "integer":
            return max(int(schema.get("minimum", 0)), 2)
        case "number":
            return 1.25
        case "boolean":
            return True
        case "null":
            return None
    return _text(schema, name)


def _text(schema: Schema, name: str) -> str:
    if (of_format := _BY_FORMAT.get(str(schema.get("format")))) is not None:
        return of_format
    pattern = re.compile(str(schema.get("pattern", "")))
    for text in (*([_EXAMPLES[name]] if name in _EXAMPLES else []), *_TEXTS):
        if pattern.search(text) and len(text) <= schema.get("maxLength", len(text)):
            return text
    return _TEXTS[0]
