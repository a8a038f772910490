"""Answers as files: CSV of everything, names that tell, and compression that conditional requests know of."""

import csv
import gzip
import io
from collections.abc import Iterator

import pytest

from tests.support.api import SOURCE, Api, progress, running

ONE = "/v1/pledges/aid-2024"
PLAIN = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "br, gzip"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One API for all tests of this module that change nothing."""
    with running(f"sqlite:///{tmp_path_factory.mktemp('downloads')}/tracker.db", data_license="CC-BY-4.0") as api:
        group = {"rule": "each_member", "members": ["BE", "FR"]}
        api.open("spending", kind="ratio", target="at least 2 percent:gdp", group=group)
        api.open(title="=1+1")
        api.add(progress("over 20bn EUR"))
        api.add({"type": "MemberReported", "stated_on": "2024-03-01", "member": "BE", "verdict": "met",
                 "source": SOURCE}, "spending")  # fmt: skip
        yield api


def table(api: Api, path: str) -> list[dict[str, str]]:
    answer = api.get(f"{path}{'&' if '?' in path else '?'}format=csv")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_every_list_is_a_table_too(told: Api) -> None:
    assert [row["pledge"] for row in table(told, "/v1/pledges")] == ["aid-2024", "spending"]
    assert table(told, "/v1/pledges")[0]["title"] == "'=1+1"
    assert [row["type"] for row in table(told, "/v1/events")] == [
        *("PledgeMade", "PledgeMade", "ProgressReported", "MemberReported"),
    ]
    steps = table(told, f"{ONE}/history?as_of=2025-02-01")
    assert [
        (row["as_of"], row["event.type"], row["status_after"])
        for row in steps
        if row["status_before"] != row["status_after"]
    ] == [
        ("2024-01-10", "PledgeMade", "announced"),
        ("2024-07-10", "ProgressReported", "in_progress"),
        ("2025-01-01", "", "overdue"),
    ]
    assert "status" in steps[0]["changed"].split("; ")
    assert len(steps[0]["event"]) == 36
    rectangles = table(told, f"{ONE}/timeline")
    assert rectangles[0]["valid_from"] == "2024-01-10"
    assert rectangles[0]["known_from"] == "2"
    (figure,) = table(told, f"{ONE}/figures")
    assert (figure["quantity"], figure["quantity.op"], figure["quantity.value"]) == (
        "over 20000000000 EUR", "gt", "20000000000",
    )  # fmt: skip
    assert (figure["period.end"], figure["chosen"], figure["license"]) == ("2024-06-30", "true", "CC-BY-4.0")
    assert [(row["member"], row["verdict"]) for row in table(told, "/v1/pledges/spending/members")] == [
        ("BE", "met"), ("FR", "not_reported"),
    ]  # fmt: skip
    (said,) = table(told, "/v1/diff?from=2024-07-09&to=2024-07-10&pledge=aid-2024")
    assert (said["status_after"], said["cause"], said["actual_after.value"]) == ("in_progress", "said", "20000000000")
    assert [row["as_of"] for row in table(told, "/v1/statuses?from=2024-01-31&to=2024-02-01")] == [
        "2024-01-31", "2024-02-01",
    ]  # fmt: skip


def test_a_table_without_rows_has_its_columns(told: Api) -> None:
    for path in ("/v1/pledges/spending/figures", f"{ONE}/members", "/v1/diff?from=2020-01-01&to=2020-01-01"):
        text = told.get(f"{path}{'&' if '?' in path else '?'}format=csv").text
        assert text.count("\r\n") == 1
        assert len(text.split(",")) > 5


def test_a_summary_is_a_table_of_what_was_counted_and_added(told: Api) -> None:
    rows = table(told, "/v1/summary?by=kind&currency=USD&as_of=2024-12-01")
    found = {(row["group"], row["about"], row["key"]): row for row in rows}
    assert found["", "status", "in_progress"]["pledges"] == "2"
    assert found["money", "kind", "money"]["pledges"] == "1"
    total = found["", "total", "EUR"]
    assert (total["pledges"], total["target.value"], total["actual"]) == ("1", "40000000000", "over 20000000000 EUR")
    assert (total["compared.pledges"], total["compared.target.value"]) == ("1", "40000000000")
    assert found["", "total", "percent:gdp"]["target"] == ""
    assert found["money", "converted", "USD"]["target.unit"] == "USD"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/pledges?format=csv&as_of=2024-12-31", "pledges-2024-12-31.csv"),
        ("/v1/pledges?format=ndjson&as_of=2024-12-31&at_position=2", "pledges-2024-12-31-at-2.ndjson"),
        (f"{ONE}/events?format=csv&as_of=2024-12-31", "aid-2024-events-2024-12-31.csv"),
        ("/v1/export?format=parquet&as_of=2024-12-31", "export-2024-12-31.parquet"),
        ("/v1/export?format=iati&as_of=2024-12-31", "export-2024-12-31.xml"),
        ("/v1/summary?format=csv&as_of=2024-12-31", "summary-2024-12-31.csv"),
        ("/v1/pledges", None),
        ("/v1/events?format=cloudevents", None),
        ("/v1/feed.atom", None),
        (f"{ONE}/badge.svg", None),
    ],
)
def test_downloads_have_a_telling_name(told: Api, path: str, name: str | None) -> None:
    disposition = told.get(path).headers.get("content-disposition")
    assert disposition == (None if name is None else f'attachment; filename="{name}"')


@pytest.mark.parametrize("path", ["/v1/pledges", ONE, "/v1/events?format=csv", "/schema/openapi.json", "/"])
def test_answers_are_compressed_where_the_client_takes_it(told: Api, path: str) -> None:
    plain, packed = told.get(path, headers=PLAIN), told.get(path, headers=GZIP)
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) == len(plain.content)
    assert "Accept-Encoding" in plain.headers["vary"]
    assert "Accept-Encoding" in packed.headers["vary"]
    assert plain.headers["etag"] != packed.headers["etag"]
    with told.client.stream("GET", path, headers=GZIP) as raw:
        assert gzip.decompress(b"".join(raw.iter_raw())) == plain.content
    for headers, answer in ((PLAIN, plain), (GZIP, packed)):
        head = told.client.head(path, headers=headers)
        assert (head.headers["etag"], head.headers["content-length"]) == (
            answer.headers["etag"], answer.headers["content-length"],
        )  # fmt: skip
        for given in (plain, packed):
            tag = given.headers["etag"]
            unchanged = told.get(path, headers={**headers, "If-None-Match": tag})
            assert (unchanged.status_code, unchanged.headers["etag"]) == (304, answer.headers["etag"])


@pytest.mark.parametrize(
    ("accepted", "packs"),
    [
        *(("gzip", True), ("*", True), ("deflate, gzip;q=0.5", True), ("gzip;q=0", False), ("*;q=0", False)),
        *(("gzip;q=0.000, *", False), ("identity", False), ("", False), ("x-squeeze", False), ("*;q=0, gzip", True)),
    ],
)
def test_the_encoding_is_the_clients_choice(told: Api, accepted: str, packs: bool) -> None:
    answer = told.get("/v1/pledges", headers={"Accept-Encoding": accepted})
    assert (answer.headers.get("content-encoding") == "gzip") is packs


def test_what_is_short_streamed_or_packed_already_is_not_compressed(told: Api) -> None:
    for path in ("/v1/log", "/v1/export", "/v1/export?format=parquet"):
        assert "content-encoding" not in told.get(path, headers=GZIP).headers


def test_a_write_takes_the_tag_of_either_encoding(lite: Api) -> None:
    lite.open()
    for number, headers in enumerate((PLAIN, GZIP)):
        tag = lite.get(ONE, headers=headers).headers["etag"]
        lite.add(progress(f"{number + 20}bn EUR"), **{"If-Match": tag})


def test_other_origins_see_the_headers_that_say_what_it_is(told: Api) -> None:
    exposed = told.get("/v1/pledges").headers["access-control-expose-headers"]
    for name in ("ETag", "Link", "Location", "Memento-Datetime", "Retry-After", "RateLimit", "Tracker-Log",
                 "Content-Disposition"):  # fmt: skip
        assert name in exposed.split(", ")
