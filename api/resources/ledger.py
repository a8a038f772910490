"""The ledger: the log as any client of C2SP's tlog-tiles reads and verifies it, and proofs for who has no client.

What is answered here is the same for everybody and needs no key. Full tiles never change while the log has its id.
"""

from __future__ import annotations

from litestar import Controller
from litestar.di import NamedDependency
from pydantic_core import to_json

from api.http.contract import JSON, AnyRequest, Contract, Parameter, Reply, Schema, read
from api.http.parameters import Query, integer, invalid
from api.http.responses import NO_CACHE, BytesResponse
from api.resources.contracts import IF_NONE_MATCH
from api.resources.schema_parts import COUNT, TEXT, list_of, object_of
from api.services import Services
from projections.ledger.reader import PublishedCheckpoint
from tracker.errors import TrackerError
from tracker.log.rows import MAX_POSITION
from tracker.signed_note import encode_base64
from tracker.tile_tree import TileReader
from tracker.tiles import TILE_WIDTH, Bundle, parse_path
from tracker.tlog_proof import FILE_EXTENSION, TlogProof

PREFIX = "/ledger/"
"""The prefix of the log, as the specification calls it: `checkpoint` and `tile/…` are below it."""

TEXT_PLAIN = "text/plain; charset=utf-8"
OCTETS = "application/octet-stream"

FOR_EVER = "public, max-age=86400, immutable"
"""Full tiles, and proofs between sizes that are given: a day, after which another log may stand here."""

A_DAY = "public, max-age=86400"
"""Full entry bundles: the line of an event may be withheld later."""

A_MINUTE = "public, max-age=60"
"""Partial tiles and bundles: soon the next ones are asked for."""


class NoCheckpoint(TrackerError):
    """Nothing was signed yet: the process that projects signs, within a second of its start. Ask again then."""

    code = "no_checkpoint"
    title = "There is no checkpoint yet"


def _open(about: str, content: dict[str, Schema], *query: Parameter, problems: tuple[str, ...] = ()) -> Contract:
    return Contract(
        needs="open",
        replies={200: Reply(about, content, {"ETag": "The tag of these bytes.", "Cache-Control": "How long."})},
        query=query,
        headers=(IF_NONE_MATCH,),
        problems=("unknown_parameter", *problems),
        tag="Auditing",
    )


def _size(name: str, about: str, *, is_needed: bool = False) -> Parameter:
    return Parameter(name, about, {"type": "integer", "minimum": 0, "maximum": MAX_POSITION}, is_needed)


_POSITION = Parameter(
    "position",
    "The event's position in the log, from 1.",
    {"type": "integer", "minimum": 1, "maximum": MAX_POSITION},
    is_needed=True,
)
_HASH: Schema = {
    "description": "32 bytes in base64.",
    "type": "string",
    "examples": ["GI4vTxZbsTL0yJF0vh7J7Sof22xJ4CrkPA0yq9+ym6o="],
}
_TEXT_FILE: dict[str, Schema] = {"text/plain": TEXT}
_OUT = ("invalid_parameter", "out_of_tree", "no_checkpoint")

CHECKPOINT = _open("The signed checkpoint (C2SP tlog-checkpoint).", _TEXT_FILE, problems=("no_checkpoint",))
KEY = _open("Verifier keys, one a line.", _TEXT_FILE, problems=("no_checkpoint",))
TILE = _open(
    "The tile or entry bundle.", {OCTETS: {"type": "string"}}, problems=("not_found", "invalid_tile", "tile_missing")
)
INCLUSION = _open(
    "An inclusion proof (RFC 6962).",
    {
        JSON: object_of(
            {
                "position": {"description": "The event's position in the log, from 1.", **COUNT},
                "index": {"description": "The index of its leaf: the position less 1.", **COUNT},
                "size": {"description": "The size of the tree that it is proved to be in.", **COUNT},
                "leaf": {**_HASH, "description": "The hash of the event's stored bytes, 32 bytes in base64."},
                "root": {**_HASH, "description": "The root hash of that tree, 32 bytes in base64."},
                "proof": {"description": "The hashes from the leaf up to the root.", **list_of(_HASH)},
            }
        )
    },
    _POSITION,
    _size("size", "The size of the tree; by default that of the last checkpoint."),
    problems=_OUT,
)
CONSISTENCY = _open(
    "A consistency proof (RFC 6962).",
    {
        JSON: object_of(
            {
                "from": {"description": "The size of the smaller tree.", **COUNT},
                "to": {"description": "The size of the larger tree.", **COUNT},
                "from_root": {**_HASH, "description": "The root hash of the smaller tree, 32 bytes in base64."},
                "to_root": {**_HASH, "description": "The root hash of the larger tree, 32 bytes in base64."},
                "proof": {"description": "The hashes by which the larger continues the smaller.", **list_of(_HASH)},
            }
        )
    },
    _size("from", "The size of the smaller tree.", is_needed=True),
    _size("to", "The size of the larger tree; by default that of the last checkpoint."),
    problems=_OUT,
)
EVENT_PROOF = _open(
    "One event, its proof and the checkpoint in one file (C2SP tlog-proof).",
    _TEXT_FILE,
    _POSITION,
    problems=(*_OUT, "tile_missing"),
)


class LedgerController(Controller):
    """The log for auditors: tiles, checkpoints and proofs."""

    path = "/ledger"

    @read("/checkpoint", CHECKPOINT)
    def checkpoint(self, services: NamedDependency[Services]) -> BytesResponse:
        """The last signed checkpoint: origin, size and root of the log, as a signed note."""
        return BytesResponse(_signed(services).note, media_type=TEXT_PLAIN)

    @read("/key", KEY)
    def key(self, services: NamedDependency[Services]) -> BytesResponse:
        """The keys with which checkpoints are signed, for verifiers. While a key is changed there are two."""
        _signed(services)
        keys = services.ledger.state().keys
        return BytesResponse("".join(f"{key}\n" for key in keys).encode(), media_type=TEXT_PLAIN)

    @read("/tile/{place:path}", TILE)
    def tile(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """A tile of hashes, or a bundle of entries. The path is that of C2SP tlog-tiles: `0/x001/067`,
        `entries/000.p/15`. The entry of an event of which something is withheld is empty."""
        path = request.scope["path"].removeprefix(PREFIX)
        place = parse_path(path)
        body = services.ledger.fetch(path)
        full = A_DAY if isinstance(place, Bundle) else FOR_EVER
        return BytesResponse(body, media_type=OCTETS, cache_control=full if place.width == TILE_WIDTH else A_MINUTE)

    @read("/proof/inclusion", INCLUSION)
    def inclusion(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The proof that the event at a position is in the tree of a size."""
        query: Query = request.scope["state"]["query"]
        index, size = _needed(query, "position", 1) - 1, integer(query, "size", 0, MAX_POSITION)
        tree = _tree(services, size)
        return _json(
            {
                "position": index + 1,
                "index": index,
                "size": tree.size,
                "leaf": encode_base64(tree.subtree(0, index)),
                "root": encode_base64(tree.root()),
                "proof": [encode_base64(value) for value in tree.inclusion_proof(index)],
            },
            is_fixed=size is not None,
        )

    @read("/proof/consistency", CONSISTENCY)
    def consistency(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """The proof that the log of one size begins with the log of a smaller one. Of the empty log there is nothing to
        prove: the proof from it is empty, as that between equal sizes."""
        query: Query = request.scope["state"]["query"]
        first, second = _needed(query, "from", 0), integer(query, "to", 0, MAX_POSITION)
        tree, before = _tree(services, second), _tree(services, first)
        return _json(
            {
                "from": first,
                "to": tree.size,
                "from_root": encode_base64(before.root()),
                "to_root": encode_base64(tree.root()),
                "proof": [encode_base64(value) for value in (tree.consistency_proof(first) if first else ())],
            },
            is_fixed=second is not None,
        )

    @read("/proof/event", EVENT_PROOF)
    def event(self, request: AnyRequest, services: NamedDependency[Services]) -> BytesResponse:
        """One event as a file that is checked offline: its line, the inclusion proof and the signed checkpoint.

        The line of an event of which something is withheld is left out."""
        query: Query = request.scope["state"]["query"]
        position, signed = _needed(query, "position", 1), _signed(services)
        tree = services.ledger.tree(signed.size)
        proof = TlogProof.make(position - 1, signed.note, tree.subtree, extra=services.ledger.line(position))
        headers = {"Content-Disposition": f'attachment; filename="event-{position}{FILE_EXTENSION}"'}
        return BytesResponse(bytes(proof), media_type=TEXT_PLAIN, headers=headers)


def _signed(services: Services) -> PublishedCheckpoint:
    """The last checkpoint.

    Raises: NoCheckpoint if there is none.
    """
    found = services.ledger.checkpoint()
    if found is None:
        raise NoCheckpoint("nothing was signed yet; the process that projects signs within a second of its start")
    return services.ledger.intact(found)


def _tree(services: Services, size: int | None) -> TileReader:
    """The tree of a size, None for that of the last checkpoint.

    Raises: NoCheckpoint if there is none; OutOfTree if the last one does not cover so many.
    """
    signed = _signed(services)
    return services.ledger.tree(signed.size if size is None else size)


def _needed(query: Query, name: str, low: int) -> int:
    """A whole number that must be given.

    Raises: InvalidParameter if it is not, or is no such number.
    """
    found = integer(query, name, low, MAX_POSITION)
    if found is None:
        raise invalid(name, "is needed")
    return found


def _json(value: object, *, is_fixed: bool) -> BytesResponse:
    return BytesResponse(to_json(value), cache_control=FOR_EVER if is_fixed else NO_CACHE)
