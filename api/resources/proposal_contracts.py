"""The contracts of the proposals: their addresses, bodies and answers, each stated once."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter

from api.http.contract import JSON, Contract, Needs, Parameter, Reply, Schema, ref
from api.http.log_ids import LOG, LOG_HEADER
from api.http.media import JSON_FORMAT
from api.http.min_position import MIN_POSITION
from api.http.negotiation import format_parameter
from api.resources.contracts import CURSOR, IDEMPOTENCY_KEY, IF_NONE_MATCH, PREFER, RECORDED_HEADERS
from api.resources.names import STATUSES
from api.resources.schema_parts import EVENT_UUID, INSTANT, TEXT, list_of, object_of, or_null
from tracker.proposal import MAX_REVISIONS, STATES
from tracker.units import SLUG
from tracker.values import Text

MAX_PAGE_PROPOSALS = 100
"""Proposals of a page, at most: each has a whole fact."""

PROPOSAL_PATTERN = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
"""A regular expression for the ids of proposals."""

PROPOSAL_ID: Schema = {
    "type": "string",
    "pattern": f"^{PROPOSAL_PATTERN}$",
    "examples": ["01a217ba-1200-7101-8101-010101010101"],
}

_SLUG: Schema = {"type": "string", "pattern": f"^{SLUG}$"}
_TEXT: Schema = TypeAdapter(Text).json_schema()
_REVISION: Schema = {"type": "integer", "minimum": 1, "maximum": MAX_REVISIONS}
_STATE: Schema = {"enum": list(STATES)}
_HEADLINE: Schema = or_null({"enum": list(STATUSES)})
_REPLAYED: Schema = {"type": "boolean"}

PROPOSAL_SCHEMAS: dict[str, Schema] = {
    "ProposalDraft": object_of({"pledge": _SLUG, "fact": ref("Fact")}, {"note": _TEXT}, "What is proposed, and why."),
    "ProposalRevision": object_of({"fact": ref("Fact")}, {"note": _TEXT}, "The fact in place of the one before."),
    "ProposalAcceptance": object_of({}, {"revision": _REVISION}, "The revision that was looked at."),
    "ProposalReason": object_of({"reason": _TEXT}, about="Why, for who proposed it."),
    "ProposalWithdrawal": object_of({}, {"reason": _TEXT}, "Why, if there is something to say."),
    "ProposalReceipt": object_of(
        {
            "proposal": EVENT_UUID,
            "revision": _REVISION,
            "state": _STATE,
            "would": object_of(
                {"status_before": _HEADLINE, "status_after": _HEADLINE, "warnings": list_of(ref("Warning"))}
            ),
        },
        {"replayed": _REPLAYED},
        "What was proposed, and what recording it would do.",
    ),
    "Proposal": object_of(
        {
            "proposal": EVENT_UUID,
            "revision": _REVISION,
            "pledge": TEXT,
            "fact": {"type": "object", "properties": {"type": TEXT}, "required": ["type"]},
            "note": or_null(TEXT),
            "state": _STATE,
            "proposed_by": TEXT,
            "proposed_at": INSTANT,
        },
        {"decided_by": TEXT, "reason": TEXT, "event": EVENT_UUID, "replayed": _REPLAYED},
        "A fact that waits, or waited, for a second pair of eyes.",
    ),
    "ProposalPage": object_of({"items": list_of(ref("Proposal")), "next_cursor": or_null(TEXT)}),
}
"""The schemas of the bodies and the answers."""

_MISSING = ("proposal_not_found",)
_CACHED = {"ETag": "The tag of these bytes."}


def _reads(about: str, schema: Schema, *query: Parameter, problems: tuple[str, ...] = ()) -> Contract:
    return Contract(
        needs="contributor",
        replies={200: Reply(about, {JSON: schema}, _CACHED)},
        query=(*query, LOG, format_parameter((JSON_FORMAT,))),
        headers=(IF_NONE_MATCH, MIN_POSITION),
        problems=("invalid_parameter", "unknown_parameter", "not_acceptable", "other_log", *problems),
        keyed=True,
    )


def _acts(
    needs: Needs,
    about: str,
    answer: str,
    body: str,
    *problems: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Contract:
    return Contract(
        needs=needs,
        replies={status: Reply(about, {JSON: ref(answer)}, {**RECORDED_HEADERS, **(headers or {})})},
        headers=(IDEMPOTENCY_KEY, LOG_HEADER, *((PREFER,) if answer == "Receipt" else ())),
        body={JSON: ref(body)},
        problems=(
            *("malformed", "invalid_parameter", "unknown_parameter", "unsupported_media_type", "invalid_fact"),
            *("too_large", "idempotency_mismatch", "other_log", "log_went_back", *problems),
        ),
        writes=True,
        keyed=True,
    )


_FACT = (
    *("pledge_not_found", "pledge_exists", "duplicate_fact", "mixed_basis", "already_voided", "unit_mismatch"),
    *("unknown_event", "wrong_event_type", "future_statement", "clock_implausible"),
)
_CLOSED = (*_MISSING, "proposal_closed")

LIST_PROPOSALS = _reads(
    "A page of proposals, the oldest first.",
    ref("ProposalPage"),
    Parameter("state", "Only those in this state.", _STATE),
    Parameter(
        "limit",
        "Items a page.",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_PROPOSALS, "default": MAX_PAGE_PROPOSALS},
    ),
    CURSOR,
)
ONE_PROPOSAL = _reads("One proposal.", ref("Proposal"), problems=_MISSING)
PROPOSE = _acts(
    "contributor", "It is proposed.", "ProposalReceipt", "ProposalDraft", *_FACT, status=201,
    headers={"Location": "Its address."},
)  # fmt: skip
REVISE = _acts("contributor", "It is the next revision.", "Proposal", "ProposalRevision", *_FACT, *_CLOSED)
WITHDRAW = _acts("contributor", "It is withdrawn.", "Proposal", "ProposalWithdrawal", *_CLOSED)
DECLINE = _acts("monitor", "It is declined.", "Proposal", "ProposalReason", *_CLOSED)
RETURN = _acts("monitor", "It is returned to who proposed it.", "Proposal", "ProposalReason", *_CLOSED)
ACCEPT = _acts(
    "monitor", "Its fact is recorded.", "Receipt", "ProposalAcceptance", *_CLOSED, "own_proposal", "revised",
    "refused_now", "clock_implausible", status=201, headers={"ETag": "Tag.", "Location": "The address of the pledge."},
)  # fmt: skip
