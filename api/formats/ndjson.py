"""Statuses and events as NDJSON: a line is a document as it is served, and nothing is added to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from api.formats.provenance import Provenance


def write_lines(documents: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """The documents, one a line; the clocks and the licence have no place in this format."""
    return (document + b"\n" for document in documents)
