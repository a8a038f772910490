"""The API on a real port, in a thread of this process: for streams, whose answer has no end."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import httpx
import uvicorn

from api.app import create_app
from api.http.server import ServedProtocol
from api.services import Services
from api.settings import Settings
from tests.support.api import ADMIN, patient
from tests.support.waiting import HANG_SECONDS, wait_until


class Live:
    """A server's socket and address, its inner services and a client with the admin key."""

    def __init__(self, socket: socket.socket, services: Services, server: uvicorn.Server) -> None:
        self.socket = socket
        self.address = address = f"http://127.0.0.1:{socket.getsockname()[1]}"
        self.services = services
        self._server = server
        self.client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=HANG_SECONDS)

    def stalled(self) -> int:
        """How many connections hold bytes that their reader does not take."""
        return sum(connection.flow.write_paused for connection in list(self._server.server_state.connections))

    def post(self, path: str, body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()


@contextmanager
def serving(database_url: str, **settings: Any) -> Iterator[Live]:
    """The API on a store whose tables are there, or that is a SQLite file.

    The server itself breaks nothing off at its end: whatever keeps it from ending is a hang, which fails.
    """
    given: dict[str, Any] = {"admin_key": ADMIN, "rate_limit": 0, "failed_key_limit": 0, **settings}
    app = create_app(Settings(_env_file=None, database_url=database_url, **given))
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="on", proxy_headers=False, http=ServedProtocol, ws="none")
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    wait_until(lambda: server.started or not thread.is_alive())
    assert server.started
    live = Live(listening, app.state.services, server)
    try:
        with patient(live.services):
            yield live
    finally:
        live.client.close()
        live.services.end_streams()  # what the signal does that no thread gets
        server.should_exit = True
        thread.join(HANG_SECONDS)
        listening.close()
        assert not thread.is_alive(), "the server does not end"
