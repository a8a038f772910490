"""Health: whether the process lives, and whether it may be sent requests."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Response
from litestar.di import NamedDependency

from api.http.contract import JSON, read, ref
from api.http.problems import RETRY_AFTER
from api.http.responses import uncached_json
from api.resources.contracts import serves
from api.services import Services
from tracker.errors import TrackerError, Unavailable

SHOWN_PARKED_EVENTS = 20
"""Parked events that readiness names; the projector's log has all of them, with the reasons."""

_HEALTH = {JSON: ref("Health")}


class HealthController(Controller):
    """What a supervisor asks before it restarts the process, and a load balancer before it sends requests."""

    path = "/health"

    @read("/live", serves("The process runs.", _HEALTH), threaded=False)
    def live(self) -> Response[bytes]:
        """Whether the process answers; no store is asked."""
        return uncached_json({"status": "live"})

    @read("/ready", serves("The store is there and the projection is near the log.", _HEALTH, "unavailable"))
    def ready(self, services: NamedDependency[Services]) -> Response[bytes]:
        """Whether the store answers and the projection is not far behind the log. Parked events are shown.

        What the log had when this process began must be there: a server never answers 404 for a pledge it was given.
        """
        try:
            services.tracker.log.look()
            progress = services.timeline.progress()
            parked = services.timeline.parked()[:SHOWN_PARKED_EVENTS] if progress.parked else []
        except TrackerError:
            raise Unavailable("the store does not answer") from None
        ready = progress.lag <= services.settings.max_lag and progress.position >= services.heads.at_start
        refusal = services.tracker.log.guard.refusal
        ready = ready and refusal is None
        report: dict[str, Any] = {
            "status": "ready" if ready else "not_ready",
            "store": "reachable",
            "head": progress.head,
            "position": progress.position,
            "lag": progress.lag,
            "log": services.tracker.log.guard.log,
            **({} if refusal is None else {"refusal": refusal.code, "detail": refusal.detail}),
            "max_lag": services.settings.max_lag,
            "heartbeat": progress.heartbeat,
            "parked": progress.parked,
            "parked_events": [{"position": p.position, "pledge": p.pledge} for p in parked],
        }
        return uncached_json(report) if ready else uncached_json(report, 503, {"Retry-After": RETRY_AFTER})
