"""The edges: whose address counts, and no second way to an address."""

import stat
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from api.http import event_tail
from api.http.client_addresses import client_of
from api.http.headers import header
from api.settings import Settings
from tests.support import live
from tests.support.api import Api, problem
from tests.support.served import serving
from tests.support.waiting import HANG_SECONDS

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "wanted"),
    [
        ("1.2.3.4", None, "1.2.3.4"),
        ("1.2.3.4", b"6.6.6.6", "1.2.3.4"),  # believed from nobody else
        ("10.0.0.1", b"6.6.6.6", "6.6.6.6"),
        ("10.0.0.1", b"6.6.6.6, 1.2.3.4", "1.2.3.4"),  # the left of it anybody may have written
        ("10.0.0.1", b"6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"),
        ("10.0.0.1", b"10.1.1.1", "10.1.1.1"),
        ("10.0.0.1", b"unknown", "10.0.0.1"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("10.0.0.1", b"1.2.3.4:5678", "1.2.3.4"),
        ("::1", b"[2001:db8:1:2:3:4:5:6]:99", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", b"1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2::9", None, "2001:db8:1:2::/64"),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_trusted_proxy(
    peer: str, forwarded: bytes | None, wanted: str
) -> None:
    assert client_of(peer, forwarded, TRUSTED) == wanted


def test_nobody_is_trusted_by_default_and_a_wrong_network_is_told() -> None:
    assert Settings(_env_file=None).trusted_proxies == ()
    given = Settings(_env_file=None, trusted_proxies="10.0.0.0/8, 127.0.0.1")
    assert given.trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("127.0.0.1/32"))
    with pytest.raises(ValueError, match="trusted_proxies"):
        Settings(_env_file=None, trusted_proxies="somewhere")


def test_streams_are_counted_by_the_address_that_a_trusted_proxy_names(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_tail, "MAX_STREAMS_PER_HOLDER", 1)
    with live.serving(sqlite_url, trusted_proxies="127.0.0.0/8") as served, ExitStack() as open_streams:

        def asked(forwarded: str) -> int:
            """The status of one more stream that stays open."""
            headers = {"X-Forwarded-For": forwarded}
            stream = httpx.stream("GET", f"{served.address}/v1/events/stream", headers=headers, timeout=HANG_SECONDS)
            return open_streams.enter_context(stream).status_code

        assert [asked("6.6.6.6"), asked("6.6.6.6"), asked("1.1.1.1, 6.6.6.6")] == [200, 429, 429]
        assert [asked("6.6.6.7"), asked("2001:db8::1"), asked("2001:db8::2")] == [200, 200, 429]


def test_streams_are_counted_by_the_connection_where_no_proxy_is_trusted(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_tail, "MAX_STREAMS_PER_HOLDER", 1)
    with live.serving(sqlite_url) as served, ExitStack() as open_streams:
        address = f"{served.address}/v1/events/stream"
        for forwarded, wanted in (("6.6.6.6", 200), ("6.6.6.7", 429)):
            headers = {"X-Forwarded-For": forwarded}
            stream = httpx.stream("GET", address, headers=headers, timeout=HANG_SECONDS)
            assert open_streams.enter_context(stream).status_code == wanted


@pytest.mark.parametrize("path", ["/v1/pledges/aid-2024%2fevents", "/v1/pledges/aid-2024%2Fevents", "/v1%2Fpledges"])
def test_an_encoded_slash_is_no_other_way_to_an_address(lite: Api, path: str) -> None:
    lite.open()
    problem(lite.get(path), 404, "not_found")


def test_headers_of_one_name_are_joined_in_linear_time() -> None:
    scope = {"headers": [(b"x", b"a" * 1000)] * 20_000}
    assert len(header(scope, b"x") or b"") == 20_000 * 1002 - 2  # type: ignore[arg-type]


def test_the_file_of_the_record_is_its_owners_alone(tmp_path: Path) -> None:
    with serving(tmp_path):
        for file in tmp_path.glob("tracker.db*"):
            assert stat.S_IMODE(file.stat().st_mode) == (0o700 if file.is_dir() else 0o600), file
