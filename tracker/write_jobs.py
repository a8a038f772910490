"""Requests on their way to the writer's transaction: what becomes of each, and which may share one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tracker import tracing
from tracker.errors import PledgeExists, VersionConflict
from tracker.pledge import Pledge
from tracker.requests import DecidedRequest, Draft, Posted, Recorded, Request

Outcome = Recorded | BaseException
"""What became of a request: what was recorded, or why nothing was."""


@dataclass(slots=True)
class Job:
    """A request on its way; `request` is None until it is decoded. `done` is called once, with the outcome."""

    done: Callable[[Outcome], None]
    posted: Posted | None = None
    request: Request | None = None
    decided: DecidedRequest | None = None
    trace: object = field(default_factory=tracing.here)
    key: str | None = None
    payload_hash: bytes | None = None
    is_settled: bool = False

    def settle(self, outcome: Outcome) -> None:
        """Tell the outcome; only the first one counts."""
        if not self.is_settled:
            self.is_settled = True
            self.done(outcome)


def must_be_expected(request: Request, draft: Draft, pledge: Pledge) -> None:
    """Let a draft pass whose pledge is at the version that it expects.

    Raises: VersionConflict if it is not; PledgeExists if the request is to open a pledge that is there.
    """
    if draft.expected_version is not None and draft.expected_version != pledge.version:
        raise VersionConflict(
            f'"{pledge.id}" is at version {pledge.version}, not {draft.expected_version}', version=pledge.version
        )
    if request.opens and pledge.version:
        raise PledgeExists(f'the slug "{pledge.id}" is taken', pointer="/pledge", pledge=pledge.id)


def one_transaction(
    waiting: list[tuple[Job, Request]],
) -> tuple[list[tuple[Job, Request]], list[tuple[Job, Request]]]:
    """The requests that may share the next transaction, and the rest.

    A batch has a transaction of its own, and so has the second request under one idempotency key: it must find the
    first one recorded.
    """
    if len(waiting[0][1].drafts) > 1:
        return waiting[:1], waiting[1:]
    group: list[tuple[Job, Request]] = []
    keys: set[str] = set()
    for job, request in waiting:
        if len(request.drafts) > 1 or (request.key is not None and request.key in keys):
            break
        group.append((job, request))
        if request.key is not None:
            keys.add(request.key)
    return group, waiting[len(group) :]
