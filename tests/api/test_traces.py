"""Spans by OpenTelemetry: a request, the commit of its events, their projection; collected in memory."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.api import Api, made, prepare, progress, running, statement
from tests.support.waiting import wait_until
from tracker import tracing

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from api.http import traces

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{CALLER}-01"}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What a process sends, kept in memory instead."""
    exporter = InMemorySpanExporter()

    def begin() -> traces.Traces:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        return traces.follow(provider)

    monkeypatch.setattr(traces, "begin", begin)
    yield exporter
    tracing.sink = None


@pytest.fixture
def traced(database_url: str, spans: InMemorySpanExporter) -> Iterator[Api]:
    prepare(database_url)
    with running(database_url, traces=True) as api:
        yield api


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def opened(traced: Api, spans: InMemorySpanExporter) -> None:
    """Open a pledge; its own spans, that of its projection the last, are over and gone."""
    traced.open()
    wait_until(lambda: bool(named(spans, "projection")))
    spans.clear()


def test_a_write_is_a_request_a_commit_and_a_projection(traced: Api, spans: InMemorySpanExporter) -> None:
    opened(traced, spans)
    traced.add(progress(), **TRACEPARENT)
    wait_until(lambda: bool(named(spans, "projection")))
    (request,) = named(spans, "POST /v1/pledges/{pledge}/events")
    (commit,) = named(spans, "commit")
    (projection,) = named(spans, "projection")
    assert request.parent is not None
    assert (f"{request.parent.trace_id:032x}", f"{request.parent.span_id:016x}") == (TRACE, CALLER)
    assert {f"{span.context.trace_id:032x}" for span in (request, commit, projection) if span.context} == {TRACE}
    assert commit.parent == request.context
    assert projection.parent == commit.context
    assert told(request)["http.response.status_code"] == 201
    for span in (commit, projection):
        assert told(span)["tracker.first_position"] == told(span)["tracker.last_position"] == 2
        assert span.start_time is not None
        assert span.end_time is not None
        assert span.start_time <= span.end_time
    assert (request.start_time or 0) <= (commit.start_time or 0) <= (projection.start_time or 0)


def test_a_batch_is_one_commit_with_its_positions(traced: Api, spans: InMemorySpanExporter) -> None:
    opened(traced, spans)
    facts = [{"pledge": "aid-2024", "fact": statement(summary=f"Number {n}.")} for n in range(5)]
    assert traced.post("/v1/events", facts).status_code == 201
    (commit,) = named(spans, "commit")
    assert (told(commit)["tracker.first_position"], told(commit)["tracker.last_position"]) == (2, 6)


def test_reads_and_refusals_are_requests_alone(traced: Api, spans: InMemorySpanExporter) -> None:
    opened(traced, spans)
    traced.get("/v1/pledges/nobody?as_of=2024-01-01")
    traced.post("/v1/pledges", {"pledge": "aid-2024", "fact": made()})
    read, write = spans.get_finished_spans()
    assert (read.name, told(read)["error.type"]) == ("GET /v1/pledges/{pledge}", "pledge_not_found")
    assert (write.name, told(write)["error.type"]) == ("POST /v1/pledges", "pledge_exists")
    assert read.parent is None
    assert read.status.status_code is not StatusCode.ERROR
    assert not any("nobody" in str(value) for value in told(read).values())


def test_without_the_setting_nothing_is_told(lite: Api, spans: InMemorySpanExporter) -> None:
    lite.open()
    lite.get("/v1/pledges")
    assert spans.get_finished_spans() == ()
