"""The files of a log are a stranger's: every one is bounded before it is read, wherever it comes from."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import click
import pytest

from api.cli import log_sources
from api.cli.log_sources import SourceUnavailable, TooLong, max_bytes, opened_source
from tests.support.file_servers import answering, serving_files
from tracker.tiles import InvalidTile, TileMissing

FULL = "tile/0/000"


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in ({"Content-Length": str(len(body))} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def refusal(answer: Callable[[BaseHTTPRequestHandler], None]) -> str:
    """Why nothing is read from a server that answers so."""
    with (
        answering(answer) as address,
        opened_source(address) as fetch,
        pytest.raises(SourceUnavailable) as refused,
    ):
        fetch(FULL)
    return refused.value.detail


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_sources, "PAUSE_SECONDS", 0.0)


@pytest.mark.parametrize("how", ["directory", "web"])
def test_a_file_is_read_as_it_is_and_one_that_is_not_there_is_missing(how: str, tmp_path: Path) -> None:
    (tmp_path / "tile" / "0").mkdir(parents=True)
    (tmp_path / FULL).write_bytes(b"x" * 8192)
    with serving_files(tmp_path) as address, opened_source(address if how == "web" else str(tmp_path)) as fetch:
        assert fetch(FULL) == b"x" * 8192
        for gone in ("tile/0/001", "tile/entries/000", "checkpoint", "tile/0/000.p/3"):
            with pytest.raises(TileMissing):
                fetch(gone)


@pytest.mark.parametrize("how", ["directory", "web"])
@pytest.mark.parametrize("path", [FULL, "tile/0/000.p/7", "key", "checkpoint"])
def test_a_file_that_is_longer_than_it_can_be_is_refused(how: str, path: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * (max_bytes(path) + 1))
    with (
        serving_files(tmp_path) as address,
        opened_source(address if how == "web" else str(tmp_path)) as fetch,
        pytest.raises(TooLong),
    ):
        fetch(path)


def test_no_file_of_a_log_has_another_path() -> None:
    for path in ("../secret", "tile/0/../../x", "tile/entries/0", "key/", ""):
        with pytest.raises(InvalidTile):
            max_bytes(path)


def test_a_pipe_or_a_directory_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "checkpoint")
    (tmp_path / "key").mkdir()
    (tmp_path / "tile").write_bytes(b"")
    with opened_source(str(tmp_path)) as fetch:
        for path in ("checkpoint", "key"):
            with pytest.raises(SourceUnavailable):
                fetch(path)
        with pytest.raises(TileMissing):
            fetch(FULL)
    with pytest.raises(click.UsageError, match="is no directory"), opened_source(str(tmp_path / "nowhere")):
        pass


def test_an_answer_without_an_end_is_left_at_the_bound() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(b"x" * 65_536)

    with answering(endless) as address, opened_source(address) as fetch, pytest.raises(TooLong):
        fetch(FULL)


def test_what_unpacks_to_far_more_is_left_at_the_bound() -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    with (
        answering(lambda handler: send(handler, bomb, Content_Encoding="gzip")) as address,
        opened_source(address) as fetch,
        pytest.raises(TooLong),
    ):
        fetch(FULL)


def test_a_compressed_answer_is_unpacked_and_another_encoding_refused() -> None:
    plain = b"x" * 8192
    with (
        answering(lambda handler: send(handler, gzip.compress(plain), Content_Encoding="gzip")) as address,
        opened_source(address) as fetch,
    ):
        assert fetch(FULL) == plain
    for encoding, body in (("br", plain), ("gzip", plain)):
        with (
            answering(lambda handler, e=encoding, b=body: send(handler, b, Content_Encoding=e)) as address,
            opened_source(address) as fetch,
            pytest.raises(SourceUnavailable),
        ):
            fetch(FULL)


def test_a_server_that_stumbles_is_asked_again_and_one_that_does_not_come_back_is_told() -> None:
    asked: list[int] = []

    def at_the_third(handler: BaseHTTPRequestHandler) -> None:
        asked.append(1)
        send(handler, b"x" * 8192, 200 if len(asked) == 3 else 503)

    with answering(at_the_third) as address, opened_source(address) as fetch:
        assert len(fetch(FULL)) == 8192
    assert "503" in refusal(lambda handler: send(handler, b"", 503))
    with opened_source(address) as fetch, pytest.raises(SourceUnavailable):
        fetch(FULL)


def test_an_answer_that_is_cut_off_is_no_file() -> None:
    with (
        answering(lambda handler: send(handler, b"x" * 100, Content_Length="8192")) as address,
        opened_source(address) as fetch,
        pytest.raises(SourceUnavailable),
    ):
        fetch(FULL)


def test_a_circle_of_redirections_and_a_refusal_are_told() -> None:
    assert refusal(lambda handler: send(handler, b"", 302, Location=handler.path))
    assert refusal(lambda handler: send(handler, b"", 302, Location="file:///etc/passwd"))
    assert refusal(lambda handler: send(handler, b"", 302, Location="http://xn--/x"))
    assert refusal(lambda handler: send(handler, b"", 302, Location=f"http://{'a' * 300}.example.org/x"))
    assert "403" in refusal(lambda handler: send(handler, b"", 403))
