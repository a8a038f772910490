"""A file that is only ever written to, and whose bytes are taken away as they are made."""

from __future__ import annotations

from typing import Any


class Sink:
    """A file as zipfile and pyarrow want it; it cannot seek, and keeps what nobody has taken yet."""

    closed = False

    def __init__(self) -> None:
        self._written = bytearray()
        self._at = 0

    def write(self, piece: Any) -> int:
        """Append the bytes; the number of them."""
        piece = bytes(piece)
        self._written += piece
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        """How many bytes were written so far."""
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is closed: the last bytes are still to be taken."""

    def taken(self) -> bytes:
        """The bytes that were written since the last call."""
        written, self._written = bytes(self._written), bytearray()
        return written
