"""Whatever a cursor holds, it is one that the list gave or it is refused."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.resources.list_filters import _checksum
from tests.support.api import Api, running

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
SORTS = ["pledge", "-pledge", "title", "-title", "due", "-due", "ratio", "last_stated_on"]
NEAR = st.sampled_from(
    [
        "2024-01-01", "9999-12-31", "0001-01-01", "2024-01-01T00:00:00", "0001-01-01T00:00:00+23:59", "x\x00", "\ud800",
        "2024-01-01T00:00:00+00:00", "2999-01-01T00:00:00Z", True, False, None, -1, 0, 1, 2**63, 2**70, 1.0, 1e400,
        [], {}, "aid-2024", "Aid of 2024", "", "x" * 2000,
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    directory: Path = tmp_path_factory.mktemp("lists")
    with running(f"sqlite:///{directory}/tracker.db") as api:
        for number in range(3):
            api.open(f"aid-{number}", title=f"Aid {number}")
        yield api


def sealed(text: bytes, sort: str) -> str:
    """The text as a cursor that bears the right checksum."""
    return urlsafe_b64encode(_checksum(text, {"sort": sort}) + text).rstrip(b"=").decode()


def real(api: Api, sort: str) -> list[Any]:
    """What stands in a cursor of the list."""
    cursor = api.get("/v1/pledges", params={"sort": sort, "limit": 1}).json()["next_cursor"]
    fields: list[Any] = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[8:])
    return fields


def refused_or_answered(api: Api, cursor: str, sort: str) -> int:
    answer = api.get("/v1/pledges", params={"sort": sort, "cursor": cursor})
    assert answer.status_code in (200, 400, 409), (cursor, answer.text)
    if answer.status_code == 409:
        assert answer.json()["code"] == "other_log"
    if answer.status_code == 400:
        assert answer.json()["code"] == "invalid_parameter"
        assert answer.json()["errors"][0]["parameter"] == "cursor"
    page = api.get("/", params={"sort": sort, "cursor": cursor})
    assert page.status_code == answer.status_code or page.status_code in (200, 400), page.text
    return answer.status_code


CHECKED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@CHECKED
@given(JSON, st.sampled_from(SORTS))
def test_any_json_in_a_cursor_is_refused(lists: Api, value: Any, sort: str) -> None:
    assert refused_or_answered(lists, sealed(json.dumps(value).encode(), sort), sort) == 400


@CHECKED
@given(st.binary(max_size=60), st.sampled_from(SORTS))
def test_any_bytes_in_a_cursor_are_refused(lists: Api, value: bytes, sort: str) -> None:
    assert refused_or_answered(lists, sealed(value, sort), sort) == 400


@settings(CHECKED, max_examples=200)
@given(st.integers(0, 9), NEAR | JSON, st.sampled_from(SORTS))
def test_a_changed_cursor_is_refused_or_answered(lists: Api, place: int, value: Any, sort: str) -> None:
    fields = real(lists, sort)
    fields[place % len(fields)] = value
    refused_or_answered(lists, sealed(json.dumps(fields).encode(), sort), sort)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(
    "text", [b"[" * 3000, b'{"a":' * 600, b"[" * 1400 + b"]" * 1400, b"\xff\xfe", b"[NaN,1,1,1,1,1,1]", b"", b"nul"]
)
def test_a_deep_or_broken_cursor_is_refused(lists: Api, text: bytes, sort: str) -> None:
    assert refused_or_answered(lists, sealed(text, sort), sort) == 400


def test_a_cursor_is_followed(lists: Api) -> None:
    for sort in SORTS:
        cursor, seen = "", []
        for _ in range(3):
            answer = lists.get(
                "/v1/pledges", params={"sort": sort, "limit": 1} | ({"cursor": cursor} if cursor else {})
            )
            assert answer.status_code == 200, answer.text
            seen += [item["pledge"] for item in answer.json()["items"]]
            cursor = answer.json()["next_cursor"]
        assert sorted(seen) == ["aid-0", "aid-1", "aid-2"]
        assert cursor is None
