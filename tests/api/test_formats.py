"""Formats: what the caller asks for, exactly, streamed in little memory, under the licence of the data."""

import csv
import io
import json
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from api.formats import iati, parquet
from api.formats.provenance import Provenance
from api.formats.table import EXPORT_FORMATS, write_events, write_statuses
from api.http import data_license, media
from tests.support.api import Api, problem, progress, running, statement
from tests.support.import_files import read_items

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EVENTS = ("/v1/events", "/v1/pledges/aid-2024/events")


def accepted(api: Api, path: str, accept: str) -> Any:
    return api.get(path, headers={"Accept": accept})


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("application/*;q=0.5, text/csv", "text/csv"),
        ("text/csv;q=0.5, application/x-ndjson;q=0.9", "application/x-ndjson"),
        ("text/csv; q = 0.5 , application/json ; q=0.4", "text/csv"),
        ("application/json;q=0, */*", "application/x-ndjson"),
        ("text/csv;q=0.001", "text/csv"),
        ("TEXT/CSV", "text/csv"),
        ("image/png, */*;q=0.1", "application/json"),
        ("application/json;q=0.5, application/json", "application/json"),
    ],
)
def test_what_is_liked_best_is_given(kept: Api, accept: str, given: str) -> None:
    for path in ("/v1/pledges", "/v1/export", *EVENTS):
        assert accepted(kept, path, accept).headers["content-type"].partition(";")[0] == given


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "application/json"),
        ("text/html, application/xml;q=0.9, text/csv;q=0.85, */*;q=0.8", "text/csv"),
        ("text/html, application/xml;q=0.9", "application/xml"),
        ("application/xml, text/html;q=0.9, */*;q=0.8", "application/xml"),
        ("application/xml, */*;q=0.1", "application/xml"),
        ("application/xml", "application/xml"),
    ],
)
def test_a_browser_that_opens_an_export_did_not_ask_for_xml(kept: Api, accept: str, given: str) -> None:
    answer = accepted(kept, "/v1/export", accept)
    assert answer.headers["content-type"].partition(";")[0] == given
    named = kept.get("/v1/export?format=iati", headers={"Accept": accept})
    assert named.headers["content-type"].startswith("application/xml")


@pytest.mark.parametrize("accept", ["image/png", "text/csv;q=0", "*/*;q=0", "csv", "text/csv;q=2", "application/xml"])
def test_what_is_not_offered_is_406_and_says_what_is(kept: Api, accept: str) -> None:
    refused = problem(accepted(kept, "/v1/pledges", accept), 406, "not_acceptable")
    assert [media.partition(";")[0] for media in refused["offered"]] == [
        "application/json", "application/x-ndjson", "text/csv", XLSX,
    ]  # fmt: skip
    assert "json, ndjson, csv, xlsx" in refused["detail"]
    assert "pip install" not in refused["detail"]


def test_the_parameter_goes_before_the_header(kept: Api) -> None:
    answer = kept.get("/v1/pledges?format=csv", headers={"Accept": "application/json"})
    assert answer.headers["content-type"].startswith("text/csv")
    for path in ("/v1/pledges?format=cloudevents", "/v1/events?format=parquet", "/v1/summary?format=ndjson"):
        problem(kept.get(path), 406, "not_acceptable")
    problem(kept.get("/v1/export?format=iati2"), 406, "not_acceptable")
    problem(kept.get("/v1/export?format=csv&format=json"), 400, "invalid_parameter")


@pytest.mark.parametrize("path", EVENTS)
def test_events_are_cloudevents(kept: Api, path: str) -> None:
    answer = kept.get(f"{path}?format=cloudevents")
    assert answer.headers["content-type"].startswith("application/cloudevents-batch+json")
    assert answer.content == accepted(kept, path, "application/cloudevents-batch+json").content
    served = kept.get(path).json()["items"]
    for wrapped, event in zip(answer.json(), served, strict=True):
        assert wrapped["data"] == event
        assert wrapped["specversion"] == "1.0"
        assert (wrapped["id"], wrapped["subject"], wrapped["time"]) == (
            event["id"], event["pledge"], event["recorded_at"],
        )  # fmt: skip
        assert wrapped["type"] == f"org.commitments-tracker.{event['fact']['type']}"
        assert wrapped["source"].endswith(f".invalid/v1/pledges/{event['pledge']}")
        assert int(wrapped["sequence"]) == event["position"]
        assert all(name.isalnum() and name.islower() for name in wrapped), "attribute names of CloudEvents §3.1"
    assert kept.get(f"/v1/events?format=cloudevents&after={kept.head()}").json() == []
    following = kept.get("/v1/events?format=cloudevents&limit=1")
    assert 'rel="next"' in following.headers["link"]
    assert "format=cloudevents" in following.headers["link"]


@pytest.mark.parametrize(
    ("settings", "base"),
    [
        ({"public_url": "https://pledges.example.org/a/"}, "https://pledges.example.org/a"),
        ({"public_url": "https://b.example", "origin": "example.com/log"}, "https://b.example"),
        ({"origin": "example.com/log"}, "https://example.com/log"),
        ({"origin": "example.com:8443"}, "https://example.com:8443"),
        ({"origin": "https://example.com/log/"}, "https://example.com/log"),
        ({"origin": "our-log/“x”"}, "https://our-log.invalid/%E2%80%9Cx%E2%80%9D"),
        ({}, "https://commitments-tracker-LOG.invalid"),
    ],
)
def test_the_source_of_a_cloudevent_is_absolute(sqlite_url: str, settings: dict[str, str], base: str) -> None:
    with running(sqlite_url, **settings) as api:
        api.open()
        base = base.replace("LOG", api.get("/v1/log").json()["log"])
        (event,) = api.get("/v1/events?format=cloudevents").json()
    assert event["source"] == f"{base}/v1/pledges/aid-2024"
    assert event["dataschema"] == f"{base}/schema/openapi.json#/components/schemas/Event"


def test_csv_opens_in_a_spreadsheet_and_comes_back_by_import(lite: Api, tmp_path: Path) -> None:
    lite.open(title='=HYPERLINK("http://x","a")', pledgor={"name": '@Union, "quoted"'})
    lite.add(progress("over 50bn EUR", speaker={"name": "-1+1"}))
    lite.add(statement(summary="+44 says, 'so'"))
    raw = lite.get("/v1/events?format=csv").content
    assert raw.count(b"\r\n") == 4
    assert b"\n" not in raw.replace(b"\r\n", b"")
    for row in csv.reader(io.StringIO(raw.decode(), newline="")):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    path = tmp_path / "events.csv"
    path.write_bytes(raw)
    items, problems = read_items(path)
    assert problems == []
    assert [item.fact for item in items] == [event["fact"] for event in lite.get("/v1/events").json()["items"]]
    path = tmp_path / "events.ndjson"
    path.write_bytes(lite.get("/v1/events?format=ndjson").content)
    assert [item.fact for item in read_items(path)[0]] == [item.fact for item in items]
    statuses = lite.get("/v1/export?format=csv").text
    assert "'=HYPERLINK" in statuses


def test_without_the_extra_parquet_is_not_offered_and_says_how_to_have_it(
    lite: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "find_spec", lambda library: None)
    for asked in ({"params": {"format": "parquet"}}, {"headers": {"Accept": "application/vnd.apache.parquet"}}):
        refused = problem(lite.get("/v1/export", **asked), 406, "not_acceptable")
        assert "pip install 'commitments-tracker[parquet]'" in refused["detail"]
        assert "application/vnd.apache.parquet" not in refused["offered"]
    both = "application/vnd.apache.parquet, text/csv;q=0.1"
    assert accepted(lite, "/v1/export", both).headers["content-type"].startswith("text/csv")


# --- the table


def test_no_two_formats_share_a_name_and_each_has_a_writer() -> None:
    names = [export_format.name for export_format in EXPORT_FORMATS]
    assert sorted(names) == sorted(set(names))
    assert [f.name for f in EXPORT_FORMATS if f.statuses is None and f.events is None] == []


def test_a_route_offers_what_the_table_can_write(kept: Api) -> None:
    paths = kept.get("/schema/openapi.json").json()["paths"]
    offered = {
        path: set(paths[path]["get"]["responses"]["200"]["content"])
        for path in ("/v1/pledges", "/v1/export", "/v1/events", "/v1/pledges/{pledge}/events")
    }
    statuses = {f.media.essence for f in EXPORT_FORMATS if f.statuses}
    events = {f.media.essence for f in EXPORT_FORMATS if f.events}
    assert offered["/v1/export"] == statuses
    assert offered["/v1/pledges"] == {f.media.essence for f in EXPORT_FORMATS if f.paged}
    assert offered["/v1/events"] == offered["/v1/pledges/{pledge}/events"] == events


def test_a_format_that_does_not_hold_the_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="iati does not hold events"):
        write_events("iati", [], Provenance({}))
    with pytest.raises(ValueError, match="cloudevents does not hold statuses"):
        write_statuses("cloudevents", [], Provenance({}))


# --- in little memory


def documents(api: Api, pulled: list[int]) -> Iterator[bytes]:
    """The same status again and again, as many as are taken."""
    one = api.get("/v1/pledges/aid-2024").content
    for number in count():
        pulled.append(number)
        yield one


def written(form: str, found: Iterable[bytes]) -> Iterator[bytes]:
    return write_statuses(form, found, Provenance({}))


@pytest.mark.parametrize("form", ["json", "ndjson", "csv", "xlsx", "parquet", "iati"])
def test_a_stream_pulls_what_it_sends_and_holds_no_more(kept: Api, form: str) -> None:
    pulled: list[int] = []
    pieces = written(form, documents(kept, pulled))
    assert pulled == []
    for _ in islice(pieces, 3):
        pass
    most = {"parquet": 3 * parquet.ROW_GROUP_ROWS, "iati": iati.BATCH_STATUSES, "xlsx": 300}.get(form, 3)
    assert len(pulled) <= most


@pytest.mark.parametrize("form", ["json", "ndjson", "csv", "xlsx", "parquet", "iati"])
def test_a_large_export_takes_the_memory_of_a_small_one(kept: Api, form: str) -> None:
    """5,000 statuses are 7 MB of JSON; what is held meanwhile is one of them, or a batch."""
    found = islice(documents(kept, []), 5_000)
    arrow_before = pyarrow.total_allocated_bytes()
    tracemalloc.start()
    try:
        size = sum(len(piece) for piece in written(form, found))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < {"parquet": 16_000_000, "iati": 4_000_000}.get(form, 1_000_000)
    assert size > 1_500_000 or form in ("parquet", "xlsx")
    assert pyarrow.total_allocated_bytes() - arrow_before < 1_000_000


# --- the licence


def test_the_licence_goes_with_the_data(sqlite_url: str) -> None:
    with running(sqlite_url, data_license="CC-BY-4.0") as api:
        api.open()
        link = '<https://spdx.org/licenses/CC-BY-4.0.html>; rel="license"'
        for form in ("json", "ndjson", "csv", "parquet", "iati"):
            answer = api.get(f"/v1/export?format={form}")
            assert link in answer.headers["link"]
            assert link in api.get(f"/v1/export?format={form}", headers={"If-None-Match": "*"}).headers["link"]
        assert api.get("/v1/export").json()["license"] == "CC-BY-4.0"
        assert link in api.get("/v1/events?format=csv").headers["link"]
        api.open("two")
        both = api.get("/v1/pledges?limit=1").headers["link"]
        assert 'rel="next"' in both
        assert link in both
        table = pyarrow.parquet.read_table(io.BytesIO(api.get("/v1/export?format=parquet").content))
        assert table.schema.metadata[b"license"] == b"CC-BY-4.0"


def test_the_licence_stands_in_files_that_leave_their_headers_behind(sqlite_url: str, tmp_path: Path) -> None:
    with running(sqlite_url, data_license="CC-BY-4.0") as api:
        api.open()
        api.add(progress("over 50bn EUR"))
        for path in ("/v1/export", "/v1/pledges", *EVENTS):
            table = list(csv.DictReader(io.StringIO(api.get(f"{path}?format=csv").text, newline="")))
            assert [row["license"] for row in table] == ["CC-BY-4.0"] * len(table)
            assert list(table[0])[-1] == "license"
        for path in EVENTS:
            assert [event["license"] for event in api.get(f"{path}?format=cloudevents").json()] == ["CC-BY-4.0"] * 2
            lines = api.get(f"{path}?format=ndjson").text.splitlines()
            assert [json.loads(line) for line in lines] == api.get(path).json()["items"]
        file = tmp_path / "events.csv"
        file.write_bytes(api.get("/v1/events?format=csv").content)
        items, problems = read_items(file)
        assert problems == []
        assert [item.fact for item in items] == [event["fact"] for event in api.get("/v1/events").json()["items"]]


def test_without_a_licence_nothing_is_said_of_one(kept: Api) -> None:
    assert "license" not in kept.get("/v1/events?format=csv").text.partition("\r\n")[0]
    assert "license" not in kept.get("/v1/export?format=csv").text.partition("\r\n")[0]
    assert "license" not in kept.get("/v1/events?format=cloudevents").json()[0]


def test_a_licence_is_an_address_an_identifier_or_words() -> None:
    assert data_license.address("https://example.org/terms") == "https://example.org/terms"
    assert data_license.address("ODbL-1.0") == "https://spdx.org/licenses/ODbL-1.0.html"
    assert data_license.address("Ask us first") is None
    assert data_license.address('https://x/"><script>') is None
    assert data_license.with_license_link('</a>; rel="next"', "Ask us") == '</a>; rel="next"'
    assert data_license.with_license_link(None, None) is None
