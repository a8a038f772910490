"""Which log this is: its id, how far it goes, and where it was forked."""

from __future__ import annotations

from litestar import Controller
from litestar.di import NamedDependency
from pydantic_core import to_json

from api.http.contract import AnyRequest, read
from api.http.responses import BytesResponse
from api.resources import contracts
from api.resources.read_request import ReadRequest
from api.services import Services
from projections.ledger.reader import PublishedCheckpoint
from tracker.event import stamp
from tracker.log.identity import LogIdentity
from tracker.log.recorder import LogRecorder
from tracker.rules.status_document import RULES_VERSION
from tracker.signed_note import encode_base64


class LogController(Controller):
    """The identity of the log."""

    @read("/v1/log", contracts.WHICH_LOG)
    def which(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The id of the log, how far it goes and since when, and where it was forked, and why."""
        read = ReadRequest(request, services)
        log = services.tracker.log
        mark = services.heads.checkpoint  # from before anything is read
        head, signed = log.head(), services.ledger.checkpoint()
        checkpoint = None if signed is None else _checkpoint(signed)
        body = to_json(
            {
                "log": read.log,
                "head": head,
                "first_recorded_at": _recorded_at(log, 1),
                "last_recorded_at": _recorded_at(log, head),
                "rules_version": RULES_VERSION,
                **({} if checkpoint is None else {"checkpoint": checkpoint}),
                "forks": [_fork(identity) for identity in log.identities() if identity.forked_from is not None],
            }
        )
        return read.about_log(head, body, checkpoint=mark)


def _recorded_at(log: LogRecorder, position: int) -> str | None:
    found = log.recorded_at(position)
    return None if found is None else stamp(found)


def _checkpoint(signed: PublishedCheckpoint) -> dict[str, object]:
    return {"size": signed.size, "root": encode_base64(signed.root), "signed_at": signed.signed_at}


def _fork(identity: LogIdentity) -> dict[str, object]:
    return {
        "from": identity.forked_from,
        "position": identity.position,
        "at": stamp(identity.at),
        "reason": identity.reason,
    }
