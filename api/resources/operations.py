"""The names of the operations in the OpenAPI document, as generated clients call them, and the chapters they are in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

OPERATION_NAMES = {
    ("get", "/health/live"): "check_live",
    ("get", "/health/reads"): "check_reads",
    ("get", "/health/ready"): "check_ready",
    ("get", "/ledger/checkpoint"): "get_checkpoint",
    ("get", "/ledger/key"): "get_verifier_key",
    ("get", "/ledger/proof/consistency"): "prove_consistency",
    ("get", "/ledger/proof/event"): "prove_event",
    ("get", "/ledger/proof/inclusion"): "prove_inclusion",
    ("get", "/ledger/tile/{place}"): "get_tile",
    ("get", "/metrics"): "get_metrics",
    ("get", "/problems"): "list_problem_types",
    ("get", "/problems/{code}"): "get_problem_type",
    ("get", "/schema/openapi.json"): "get_openapi_document",
    ("put", "/v1/captures"): "put_capture",
    ("get", "/v1/captures/{sha256}"): "get_capture",
    ("get", "/v1/deadlines.ics"): "get_deadlines",
    ("get", "/v1/diff"): "get_differences",
    ("get", "/v1/events"): "list_events",
    ("post", "/v1/events"): "record_batch",
    ("get", "/v1/events/stream"): "stream_events",
    ("get", "/v1/export"): "export_statuses",
    ("get", "/v1/feed.atom"): "get_feed",
    ("get", "/v1/log"): "get_log",
    ("get", "/v1/parties"): "list_parties",
    ("get", "/v1/parties/{key}"): "get_party",
    ("post", "/v1/pledges"): "open_pledge",
    ("get", "/v1/pledges"): "list_pledges",
    ("get", "/v1/pledges/{pledge}"): "get_pledge",
    ("get", "/v1/pledges/{pledge}/badge.svg"): "get_badge",
    ("get", "/v1/pledges/{pledge}/events"): "list_pledge_events",
    ("post", "/v1/pledges/{pledge}/events"): "record_fact",
    ("get", "/v1/pledges/{pledge}/figures"): "list_figures",
    ("get", "/v1/pledges/{pledge}/history"): "get_history",
    ("get", "/v1/pledges/{pledge}/members"): "list_members",
    ("get", "/v1/pledges/{pledge}/parts"): "list_parts",
    ("get", "/v1/pledges/{pledge}/timeline"): "get_timeline",
    ("get", "/v1/pledges/{pledge}/timemap"): "get_timemap",
    ("get", "/v1/proposals"): "list_proposals",
    ("post", "/v1/proposals"): "propose_fact",
    ("get", "/v1/proposals/{proposal}"): "get_proposal",
    ("post", "/v1/proposals/{proposal}/accept"): "accept_proposal",
    ("post", "/v1/proposals/{proposal}/decline"): "decline_proposal",
    ("post", "/v1/proposals/{proposal}/return"): "return_proposal",
    ("post", "/v1/proposals/{proposal}/revise"): "revise_proposal",
    ("post", "/v1/proposals/{proposal}/withdraw"): "withdraw_proposal",
    ("get", "/v1/replay"): "replay_log",
    ("get", "/v1/statuses"): "count_statuses",
    ("get", "/v1/summary"): "get_summary",
}
"""The name of each operation; one without gets the name of its function."""

_CHAPTERS = (
    ("/v1/pledges", "Pledges"),
    ("/v1/parties", "Parties"),
    *((f"/v1/{name}", "Reports") for name in ("summary", "statuses", "diff", "export", "feed.atom", "deadlines.ics")),
    *((f"/v1/{name}", "Log") for name in ("events", "log")),
    ("/v1/replay", "Auditing"),
    ("/ledger", "Auditing"),
    ("/v1/proposals", "Proposals"),
    ("/v1/captures", "Captures"),
    *((path, "Operations") for path in ("/health", "/metrics")),
    *((path, "About") for path in ("/problems", "/schema/openapi.json")),
)
"""The chapter of the addresses that begin so. What begins otherwise is a page or a file, and is not in the document."""

CHAPTERS = (
    "Pledges",
    "Parties",
    "Reports",
    "Log",
    "Recording",
    "Proposals",
    "Captures",
    "Auditing",
    "Operations",
    "About",
)
"""The chapters, in order."""


def chapter_of(method: str, path: str) -> str | None:
    """The chapter of an operation; None for a page or a file."""
    chapter = next((chapter for start, chapter in _CHAPTERS if path == start or path.startswith(f"{start}/")), None)
    return "Recording" if method == "post" and chapter in ("Pledges", "Log") else chapter


def name_of(method: str, path: str, function: Callable[..., Any]) -> str:
    """The name of an operation, in snake_case."""
    return OPERATION_NAMES.get((method, path)) or function.__qualname__.replace("Controller.", "_").lower()
