"""Health: whether the process lives, whether it answers reads, and whether the whole service is well."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple

from litestar import Controller, Response
from litestar.di import NamedDependency

from api.http.contract import JSON, Contract, Reply, read, ref
from api.http.known_heads import MAX_AGE_SECONDS
from api.http.problems import RETRY_AFTER
from api.http.responses import uncached_json
from api.resources.contracts import serves
from api.services import Services
from projections.liveness import ALIVE_SECONDS, STALL_SECONDS
from projections.table_reader import ProjectionProgress
from tracker.errors import ClockImplausible, LogWentBack, TrackerError

SHOWN_PARKED_EVENTS = 20
"""Parked events that readiness names; the projector's log has all of them, with the reasons."""

PROBE_GRACE_SECONDS = 1.0
"""Seconds beyond the read time-out after which health answers 503 whatever the store is doing."""

PROBES = 4
"""Questions of health that ask the store at one time, in threads of their own: where the store does not answer, the
other requests have all the threads that there are."""

FAILED_APPEND_SECONDS = 15.0
"""Seconds for which a failed append counts: later the projector's heartbeat, which is a write, tells more."""

NO_ANSWER = "the store does not answer"
"""Why a check of the store fails that got no answer."""

_HEALTH = {JSON: ref("Health")}


_probes = ThreadPoolExecutor(PROBES, thread_name_prefix="health")
_log = logging.getLogger("tracker.api")


class Check(NamedTuple):
    """One condition of health; `why` says in a sentence what is wrong, and is empty while it holds."""

    name: str
    why: str = ""


def _health(about: str) -> Contract:
    contract = serves(about, _HEALTH)
    failing = Reply("A check fails; `checks` says which one and why.", _HEALTH, {"Retry-After": "Seconds to wait."})
    return replace(contract, replies={**contract.replies, 503: failing})


class HealthController(Controller):
    """What a supervisor asks before it restarts the process, and a load balancer before it sends requests."""

    path = "/health"

    @read("/live", _health("The process runs, and so do its threads."), threaded=False)
    def live(self, services: NamedDependency[Services]) -> Response[bytes]:
        """Whether the process answers and its threads run; no store is asked. If not, a restart is the cure."""
        return _answer("live", [_threads(services)], {})

    @read("/reads", _health("This process answers reads, and follows the log."))
    async def reads(self, services: NamedDependency[Services]) -> Response[bytes]:
        """Whether this process can answer reads, and what it answers is not old."""
        return await _in_time(services, _is_read)

    @read("/ready", _health("The service is well: reads, writes and the projection."))
    async def ready(self, services: NamedDependency[Services]) -> Response[bytes]:
        """Whether reads are answered, the store takes writes, and a projector keeps up. Parked events are shown."""
        return await _in_time(services, _is_ready)


async def _in_time(services: Services, probe: Callable[[Services], Response[bytes]]) -> Response[bytes]:
    """What a probe of the store finds, or that it found nothing within the read time-out and a moment."""
    seconds = services.settings.read_timeout + PROBE_GRACE_SECONDS
    with suppress(TimeoutError):
        asked = asyncio.get_running_loop().run_in_executor(_probes, probe, services)
        return await asyncio.wait_for(asked, seconds)
    checks = [_threads(services), _follower(services), Check("store", f"{NO_ANSWER} within {seconds:g} s")]
    return _answer("ready", checks, _progress(services, None))


def _is_read(services: Services) -> Response[bytes]:
    checks, progress = _read_checks(services)
    return _answer("ready", checks, _progress(services, progress))


def _is_ready(services: Services) -> Response[bytes]:
    checks, progress = _read_checks(services)
    if progress is not None:
        checks += [*_stamp_checks(services)] if services.settings.read_only else [*_write_checks(services)]
        checks += [*_projector_checks(services, progress), _ledger(services)]
    return _answer("ready", checks, _progress(services, progress))


def _read_checks(services: Services) -> tuple[list[Check], ProjectionProgress | None]:
    """The checks of a process that reads, and how far the projection is; None if the store does not answer."""
    checks = [_threads(services), _follower(services)]
    try:
        services.tracker.log.look()
        progress = services.timeline.progress()
    except TrackerError:
        return [*checks, Check("store", NO_ANSWER)], None
    except Exception as error:  # a table that is not there, or another shape of it: reads are not answered
        return [*checks, Check("store", _told(error))], None
    checks.append(Check("store"))
    checks.append(Check("projection", "".join(_broken(services, progress))))
    return checks, progress


def _told(error: Exception) -> str:
    """Log an error that health met, for the operator; the sentence that the answer says of it."""
    _log.warning("health met an error of the store", exc_info=error)
    return "the store answers with an error; the log of this process has it"


def _threads(services: Services) -> Check:
    return Check("threads", "" if services.follower.watcher.is_alive else "the thread that follows the log has died")


def _follower(services: Services) -> Check:
    age = services.follower.watcher.age
    if age <= MAX_AGE_SECONDS:
        return Check("follower")
    return Check("follower", f"the log was last looked at {age:.0f} s ago" if age < 1e9 else "the log is not followed")


def _broken(services: Services, progress: ProjectionProgress) -> Iterator[str]:
    if progress.set == 0:
        yield "the projection has no tables yet"
    elif progress.position < services.heads.at_start:
        # A server never answers 404 for a pledge it was given.
        yield "the projection has not read what the log had when this process began"


def _write_checks(services: Services) -> Iterator[Check]:
    log = services.tracker.log
    yield from _stamp_checks(services)
    try:
        why = log.why_read_only() or services.store_room.why_none(log.full_at) or ""
    except TrackerError:
        why = NO_ANSWER
    except Exception as error:
        why = _told(error)
    if not why and log.last_failure is not None and time.monotonic() - log.last_failure[0] <= FAILED_APPEND_SECONDS:
        why = "the last write failed; the log of this process says why"
    yield Check("writes", why)


def _stamp_checks(services: Services) -> Iterator[Check]:
    """Whether the log is the one that is known, and whether this machine's clock may stamp."""
    refused = {LogWentBack: "", ClockImplausible: ""}
    try:
        services.tracker.must_allow_writes()
    except (LogWentBack, ClockImplausible) as refusal:
        refused[type(refusal)] = refusal.detail
    yield Check("log", refused[LogWentBack])
    yield Check("clock", refused[ClockImplausible])


def _projector_checks(services: Services, progress: ProjectionProgress) -> Iterator[Check]:
    projector = services.follower.projector
    projector.note(progress.heartbeat, progress.position, progress.head)
    silent = projector.silent_seconds
    ago = f"the last heartbeat was {silent:.0f} s ago" if silent < 1e9 else "none was ever seen at work"
    why = "" if silent <= ALIVE_SECONDS else f"no projector is at work: {ago}"
    if services.projector is not None:
        why = services.projector.trouble or why
    yield Check("projector", why)
    waiting = ""
    if progress.lag > services.settings.max_lag:
        waiting = f"{progress.lag} events wait for the projector, more than {services.settings.max_lag}"
    elif projector.stalled_seconds > STALL_SECONDS:
        waiting = f"{progress.lag} events have waited for {projector.stalled_seconds:.0f} s, and none is projected"
    yield Check("backlog", waiting)


def _ledger(services: Services) -> Check:
    """Whether what is recorded comes to be signed; if not, whoever signs has told why."""
    fault = services.ledger.state().fault
    waiting = services.follower.signing.stalled_seconds
    if not fault and waiting > STALL_SECONDS:
        fault = f"events have waited for {waiting:.0f} s, and no checkpoint covers them"
    return Check("ledger", fault)


def _progress(services: Services, progress: ProjectionProgress | None) -> dict[str, Any]:
    if progress is None:
        return {"store": "unreachable"}
    try:
        parked = services.timeline.parked()[:SHOWN_PARKED_EVENTS] if progress.parked else []
    except Exception as error:
        _told(error)
        parked = []
    guard = services.tracker.log.guard
    return {
        "store": "reachable",
        "log": guard.log,
        **({} if guard.refusal is None else {"refusal": guard.refusal.code}),
        "head": progress.head,
        "position": progress.position,
        "lag": progress.lag,
        "max_lag": services.settings.max_lag,
        "heartbeat": progress.heartbeat,
        "parked": progress.parked,
        "parked_events": [{"position": p.position, "pledge": p.pledge} for p in parked],
    }


def _answer(status: str, checks: list[Check], more: dict[str, Any]) -> Response[bytes]:
    """200 if every check holds, else 503; the body has both."""
    is_well = not any(check.why for check in checks)
    report = {
        "status": status if is_well else f"not_{status}",
        "checks": {check.name: {"ok": not check.why, "why": check.why} for check in checks},
        **more,
    }
    return uncached_json(report) if is_well else uncached_json(report, 503, {"Retry-After": RETRY_AFTER})
