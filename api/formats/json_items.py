"""Statuses and events as one JSON object: `{"items": […], …}`, the clocks and the position behind the items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic_core import to_json

from api.formats.provenance import Provenance


def write_items(documents: Iterable[bytes], provenance: Provenance) -> Iterator[bytes]:
    """The documents as they are served, one a line, and the members of the footer beside them."""
    yield b'{"items":['
    for number, document in enumerate(documents):
        yield (b",\n" if number else b"\n") + document
    footer = provenance.footer
    yield b"]," + to_json(footer)[1:] + b"\n" if footer else b"]}\n"
