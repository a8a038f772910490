"""A pledge at a moment, as web archives ask for it (RFC 7089)."""

import re
from datetime import UTC, datetime

import pytest
from freezegun import freeze_time

from tests.support.api import Api, problem, progress, running

ONE = "/v1/pledges/aid-2024"


def test_accept_datetime_leads_to_the_day(kept: Api) -> None:
    asked = {"Accept-Datetime": "Wed, 10 Jul 2024 15:00:00 GMT"}
    answer = kept.get(ONE, headers=asked, follow_redirects=False)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{ONE}?as_of=2024-07-10"
    assert "accept-datetime" in answer.headers["vary"].lower()
    found = kept.get(ONE, headers=asked)
    assert found.json()["as_of"] == "2024-07-10"
    assert found.headers["memento-datetime"] == "Wed, 10 Jul 2024 00:00:00 GMT"
    assert 'rel="original timegate"' in found.headers["link"]
    assert kept.get(f"{ONE}?as_of=2024-07-09", headers=asked).json()["as_of"] == "2024-07-09"


def test_every_address_that_is_led_to_or_listed_is_a_memento(sqlite_url: str) -> None:
    """RFC 7089 §4.1.2: what a TimeGate leads to, and a TimeMap lists, has its Memento-Datetime; today too."""
    with freeze_time("2026-11-21 12:00:00", real_asyncio=True), running(sqlite_url) as lite:
        lite.open()
        lite.add(progress(stated_on="2026-11-21"))
        for moment in ("Sat, 21 Nov 2026 12:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"):
            found = lite.get(ONE, headers={"Accept-Datetime": moment})
            assert str(found.url).endswith("?as_of=2026-11-21")
            assert found.headers["memento-datetime"] == "Sat, 21 Nov 2026 00:00:00 GMT"
        listed = re.findall(r'<([^>]+)>;rel="memento";datetime="([^"]+)"', lite.get(f"{ONE}/timemap").text)
        assert listed[-1] == (f"{ONE}?as_of=2026-11-21", "Sat, 21 Nov 2026 00:00:00 GMT")
        for address, moment in listed:
            assert lite.get(address).headers["memento-datetime"] == moment


def test_a_day_to_come_is_a_memento_once_it_has(sqlite_url: str) -> None:
    with freeze_time("2026-11-21 12:00:00", real_asyncio=True) as clock, running(sqlite_url) as api:
        api.open()
        tomorrow = f"{ONE}?as_of=2026-11-22"
        assert "memento-datetime" not in api.get(tomorrow).headers
        clock.move_to("2026-11-22 00:00:01")
        assert "memento-datetime" in api.get(tomorrow).headers


def test_the_present_is_no_memento(kept: Api) -> None:
    answer = kept.get(ONE)
    assert "memento-datetime" not in answer.headers
    assert answer.headers["vary"] == "Accept, Accept-Datetime, Accept-Encoding"
    assert "memento-datetime" in kept.get(f"{ONE}?at_position=1").headers


@pytest.mark.parametrize(
    ("moment", "as_of"),
    [
        ("Fri, 01 Jan 1999 00:00:00 GMT", "2024-01-10"),
        ("Tue, 09 Jan 2024 23:59:59 GMT", "2024-01-10"),
        ("Wed, 10 Jan 2024 00:00:00 GMT", "2024-01-10"),
        ("Fri, 01 Jan 2100 00:00:00 GMT", None),
    ],
)
def test_a_moment_before_the_first_or_after_the_last_leads_to_the_nearest(
    kept: Api, moment: str, as_of: str | None
) -> None:
    found = kept.get(ONE, headers={"Accept-Datetime": moment})
    assert found.status_code == 200
    assert found.json()["as_of"] == (as_of or datetime.now(UTC).date().isoformat())


def test_there_is_no_moment_of_what_is_not_there(kept: Api) -> None:
    asked = {"Accept-Datetime": "Wed, 10 Jul 2024 15:00:00 GMT"}
    problem(kept.get("/v1/pledges/nobody", headers=asked, follow_redirects=False), 404, "pledge_not_found")


@pytest.mark.parametrize("moment", ["yesterday", "2024-07-10", "", "Wed, 99 Jul 2024"])
def test_a_moment_is_an_http_date(kept: Api, moment: str) -> None:
    problem(kept.get(ONE, headers={"Accept-Datetime": moment}), 400, "invalid_parameter")


def test_the_timemap_lists_the_days_that_changed_the_status(lite: Api) -> None:
    lite.open()
    lite.add(progress())
    answer = lite.get(f"{ONE}/timemap")
    assert answer.headers["content-type"] == "application/link-format"
    assert f'<{ONE}?as_of=2024-07-10>;rel="memento";datetime="Wed, 10 Jul 2024 00:00:00 GMT"' in answer.text
    listed = lite.get(f"{ONE}/timemap", headers={"Accept": "application/json"}).json()["items"]
    assert listed[0]["as_of"] == "2024-01-10"
    assert "2025-01-01" in [item["as_of"] for item in listed]
    for item in listed:
        assert lite.get(item["url"]).headers["memento-datetime"] == item["datetime"]
    assert len(lite.get(f"{ONE}/timemap?format=json&as_of=2024-01-31").json()["items"]) == 1
