"""HTTP as uvicorn speaks it, with an end: a reader that takes nothing keeps no process from ending."""

from __future__ import annotations

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from api.http import streams

_AFTER = 0.5
"""Seconds after the last body was broken off."""


class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """A connection that is broken off when the process has been told to end for long enough.

    Bytes that are written and not taken outlive their answer, and uvloop waits for them without an end.
    """

    def shutdown(self) -> None:
        """The process ends: finish the answer at hand, but not at any price."""
        super().shutdown()
        self.loop.call_later(streams.ABORT_SECONDS + _AFTER, self.transport.abort)
