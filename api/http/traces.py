"""Spans for OpenTelemetry, where TRACKER_TRACES says so: a request, the commit of its events, and their projection.

A request's span is a child of what its `traceparent` names. The commit is a child of the request, and of several that
were committed together each has one. The projection of an event is a child of its commit if the process that committed
it projects, too; another process tells of its batches on their own, with their positions. Where spans are sent to,
OpenTelemetry's own variables say: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME.

This module is imported only then: it needs the extra `otel`.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from importlib.metadata import version
from threading import Lock
from typing import Any

from litestar.types import Scope
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.propagate import extract
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, StatusCode

from api.http.headers import header
from tracker import tracing

NAME = "commitments-tracker"
"""The service and the instrument, where OTEL_SERVICE_NAME names no other."""

MAX_REMEMBERED = 10_000
"""Commits whose projection is awaited; the oldest is forgotten first, and its events are projected without a parent."""


class Traces:
    """The spans of one process. Implements `tracker.tracing.TraceSink`."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(NAME, version(NAME))
        self._commits: OrderedDict[int, Context] = OrderedDict()
        self._lock = Lock()

    def begin_request(self, scope: Scope) -> Span:
        """Begin the span of a request; it is at work in this task from now on. The response ends it."""
        carrier = {
            name: given.decode("latin-1")
            for name in ("traceparent", "tracestate")
            if (given := header(scope, name.encode())) is not None
        }
        method, route = str(scope["method"]), str(scope.get("path_template") or "none")  # type: ignore[typeddict-item]
        span = self._tracer.start_span(
            f"{method} {route}",
            context=extract(carrier, context=Context()),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": route},
        )
        context.attach(trace.set_span_in_context(span))  # the task of a request ends with it, and so does its context
        return span

    def end_request(self, span: Span, status: int, problem: str | None) -> None:
        """End the span of a request, whose answer begins."""
        span.set_attribute("http.response.status_code", status)
        if problem is not None:
            span.set_attribute("error.type", problem)
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        span.end()

    def here(self) -> Context:
        """The context of this task or thread."""
        return context.get_current()

    def committed(self, parent: object, began_ns: int, first: int, last: int, together: int) -> None:
        """Tell of a commit."""
        given = parent if isinstance(parent, Context) else Context()
        span = self._done("commit", given, began_ns, first, last, {"tracker.requests": together})
        with self._lock:
            self._commits[last] = trace.set_span_in_context(span, Context())
            while len(self._commits) > MAX_REMEMBERED:
                self._commits.popitem(last=False)

    def projected(self, began_ns: int, first: int, last: int) -> None:
        """Tell of a projection: under each of the commits whose last event it took in, else on its own."""
        with self._lock:
            waiting = [self._commits.pop(position) for position in [*self._commits] if first <= position <= last]
        for parent in waiting or [Context()]:
            self._done("projection", parent, began_ns, first, last, {})

    def shut_down(self) -> None:
        """Send what is left."""
        self._provider.shutdown()

    def _done(self, name: str, parent: Context, began_ns: int, first: int, last: int, more: dict[str, Any]) -> Span:
        attributes = {"tracker.first_position": first, "tracker.last_position": last, **more}
        span = self._tracer.start_span(name, context=parent, start_time=began_ns, attributes=attributes)
        span.end(time.time_ns())
        return span


def begin() -> Traces:
    """Send spans to where OpenTelemetry's variables say, from now on.

    Raises: ImportError without the exporter.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: NAME} | _named()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return follow(provider)


def follow(provider: TracerProvider) -> Traces:
    """Tell a provider of what this process does from now on."""
    traces = Traces(provider)
    tracing.sink = traces
    return traces


def _named() -> dict[str, str]:
    named = Resource.create().attributes.get(SERVICE_NAME, "")
    return {} if str(named).startswith("unknown_service") or not named else {SERVICE_NAME: str(named)}
