"""Whether spans are sent; the library for it is an extra, and is imported only then."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tracker.errors import TrackerError

if TYPE_CHECKING:
    from api.http.traces import Traces


class NoTracing(TrackerError):
    """TRACKER_TRACES is on, and the library is not installed."""


def must_be_there(*, on: bool) -> None:
    """Check that spans can be sent, if the setting is on.

    Raises: NoTracing if the library is not there.
    """
    if not on:
        return
    for name in ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"):
        try:
            import_module(name)
        except ModuleNotFoundError:
            raise NoTracing(
                f"TRACKER_TRACES needs {name}: pip install 'commitments-tracker[otel]', or set it to false"
            ) from None


def begin_traces(*, on: bool) -> Traces | None:
    """Send spans from now on; None where the setting is off.

    Raises: NoTracing if the library is not there.
    """
    if not on:
        return None
    must_be_there(on=on)
    from api.http import traces

    return traces.begin()
