"""Webhooks go to public addresses alone, and are signed as Standard Webhooks."""

import asyncio
import socket
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from threading import Event

import httpcore
import pytest

from api.outgoing.public_addresses import AddressRefused, PublicBackend, Resolver, is_public
from api.outgoing.webhook_sender import RETRY_SECONDS, must_be_address, pause, retry_seconds, signature
from tests.support.waiting import HANG_SECONDS


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "2001::1",
        "fec0::1", "64:ff9b:1::a00:1", "::ffff:0:7f00:1", "100::1", "4000::1", "2001:db8::1", "ff0e::1", "0.1.2.3",
    ],
)  # fmt: skip
def test_all_others_are_not(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "169.254.169.254", "0x7f.1", "2130706433"])
def test_a_name_that_leads_to_one_is_refused_before_anything_is_connected_to(host: str) -> None:
    with pytest.raises((AddressRefused, httpcore.ConnectError), match=r"no address of the public|cannot be resolved"):
        asyncio.run(PublicBackend((), public=True).connect_tcp(host, 9, timeout=5))


def test_networks_of_the_operator_may_be_connected_to_and_nothing_else_without_tls() -> None:
    allowed = (ip_network("127.0.0.0/8"),)
    with pytest.raises(httpcore.ConnectError):  # allowed, and nobody listens
        asyncio.run(PublicBackend(allowed, public=False).connect_tcp("127.0.0.1", 9, timeout=5))
    with pytest.raises(AddressRefused, match="without TLS"):
        asyncio.run(PublicBackend(allowed, public=False).connect_tcp("93.184.216.34", 80, timeout=5))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/", "https:///hook", "https://user@example.org/", "https://:pw@example.org/", "hook",
        "https://example.org/#part", "https://example.org:99999/", "https://exämple.org/", "file:///etc/passwd",
        f"https://example.org/{'a' * 2000}", "https://example.org/a b", "https://example.org/a\nb",
    ],
)  # fmt: skip
def test_what_is_no_address_to_send_to_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|[Pp]ort"):
        must_be_address(url)


def test_the_address_that_was_looked_at_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["127.0.0.1", "10.0.0.1"])

    def two_faced(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", two_faced)
    with pytest.raises(httpcore.ConnectError):  # nobody listens there
        asyncio.run(PublicBackend((ip_network("127.0.0.0/8"),), public=True).connect_tcp("two.example", 9))
    assert next(answers) == "10.0.0.1"


def test_a_name_is_looked_up_once_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, may_answer = [], Event()

    def slow(host: str, *_: object, **__: object) -> list[object]:
        asked.append(host)
        may_answer.wait(HANG_SECONDS)
        raise OSError("nobody knows")

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def ask() -> list[object]:
        resolver = Resolver()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(resolver.addresses("slow.example"), 0)
        waiting = [asyncio.create_task(resolver.addresses("slow.example")) for _ in range(9)]
        await asyncio.sleep(0)
        may_answer.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [str(told) for told in asyncio.run(ask())] == ["nobody knows"] * 9
    assert asked == ["slow.example"]


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120), ("", None), ("soon", None), ("-5", None), ("Fri, 01 Mar 2024 12:30:00 GMT", 1_800),
        ("Fri, 01 Mar 2024 11:00:00 GMT", 0), ("Fri, 01 Mar 99999999999 12:30:00 GMT", None), ("9" * 400, None),
        ("Fri, 01 Mar 2024 12:30:00 +99999999999999", None),
    ],
)  # fmt: skip
def test_a_receiver_may_say_for_how_long_or_until_when_it_is_to_be_left_alone(told: str, seconds: int | None) -> None:
    assert retry_seconds(told, datetime(2024, 3, 1, 12, tzinfo=UTC)) == seconds


def test_the_signature_is_that_of_the_specification_s_example() -> None:
    secret, message = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    signed = signature(secret, message, 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_pauses_grow_for_four_days_and_end() -> None:
    pauses = [pause("message", attempts) for attempts in range(1, len(RETRY_SECONDS) + 1)]
    assert all(pause is not None for pause in pauses)
    assert all(
        seconds <= pause.total_seconds() <= 1.2 * seconds
        for seconds, pause in zip(RETRY_SECONDS, pauses, strict=True)
        if pause is not None
    )
    assert 4 * 86_400 < sum(RETRY_SECONDS) < 5 * 86_400
    assert pause("message", len(RETRY_SECONDS) + 1) is None
