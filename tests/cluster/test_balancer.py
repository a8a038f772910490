"""HAProxy with the shipped configuration, before real servers: reads go to whoever reads, writes to who records."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.support.api import made
from tests.support.nats import free_port
from tests.support.paths import ROOT
from tests.support.servers import KEY, serving
from tests.support.shell import gone, with_tables
from tests.support.waiting import HANG_SECONDS, wait_until

CONFIGURATION = ROOT / "deploy/haproxy/haproxy.cfg"


@contextmanager
def balancer(one: str, two: str, reader: str, *, tls: Path | None = None) -> Iterator[httpx.Client]:
    """Debian's HAProxy before three servers; how it is asked. `tls` is a certificate with its key."""
    port = free_port()
    scheme, listen = ("http", "") if tls is None else ("https", f" ssl crt {tls}")
    addresses = {
        "TRACKER_LISTEN": f"127.0.0.1:{port}{listen}", "TRACKER_ONE": one, "TRACKER_TWO": two, "TRACKER_READER": reader,
    }  # fmt: skip
    process = subprocess.Popen(
        ["haproxy", "-f", str(CONFIGURATION)], env={**os.environ, **addresses},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(lambda: _listens(port), process)  # type: ignore[arg-type]
        address = f"{scheme}://127.0.0.1:{port}"
        with httpx.Client(base_url=address, headers=KEY, timeout=HANG_SECONDS, verify=tls is None) as client:
            yield client
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_reads_and_writes_go_on_though_a_server_is_killed(postgres_url: str, tmp_path: Path) -> None:
    shell = with_tables(postgres_url, tmp_path)
    with ExitStack() as ending:
        one, two, reader = (
            ending.enter_context(serving(shell, *arguments, **env))
            for arguments, env in (((), {}), ((), {}), (("--no-projector",), {"TRACKER_READ_ONLY": "true"}))
        )
        client = ending.enter_context(balancer(*(s.address.removeprefix("http://") for s in (one, two, reader))))

        def status(method: str = "GET", path: str = "/v1/pledges", **given: object) -> int:
            return client.request(method, path, **given).status_code  # type: ignore[arg-type]

        wait_until(lambda: status() == 200)
        wait_until(lambda: status("POST", json={"pledge": "first", "fact": made()}) == 201)
        gone(one.process)
        for number in range(60):
            assert status(path=f"/v1/pledges?limit={1 + number}") == 200  # asked again of another one
        wait_until(lambda: status("POST", json={"pledge": "second", "fact": made()}) == 201)
        gone(two.process)
        wait_until(lambda: status("POST", json={"pledge": "third", "fact": made()}) == 503)
        assert {status(path=f"/v1/pledges?limit={1 + number}") for number in range(20)} == {200}
        assert client.get("/v1/pledges/second").json()["pledge"] == "second"


def test_tls_is_ended_where_the_address_says_so(tmp_path: Path) -> None:
    key, certificate, site = (tmp_path / name for name in ("key.pem", "certificate.pem", "site.pem"))
    made_by = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run([*made_by, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    site.write_bytes(certificate.read_bytes() + key.read_bytes())
    with balancer("127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", tls=site) as client:
        assert client.get("/v1/pledges").status_code == 503  # HAProxy's own: nobody is there
