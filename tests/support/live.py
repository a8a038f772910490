"""The API on a real port, in a thread of this process: for streams, whose answer has no end."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import httpx
import uvicorn

from api.app import create_app
from api.http.shutdown import AbortingProtocol
from api.services import Services
from api.settings import Settings
from tests.support.api import ADMIN


class Live:
    """A server's socket and address, its inner services and a client with the admin key."""

    def __init__(self, socket: socket.socket, services: Services) -> None:
        self.socket = socket
        self.address = address = f"http://127.0.0.1:{socket.getsockname()[1]}"
        self.services = services
        self.client = httpx.Client(base_url=address, headers={"Authorization": f"Bearer {ADMIN}"}, timeout=20)

    def post(self, path: str, body: Any) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()


@contextmanager
def serving(database_url: str, **settings: Any) -> Iterator[Live]:
    """The API on a store whose tables are there, or that is a SQLite file."""
    given: dict[str, Any] = {"admin_key": ADMIN, "rate_limit": 0, **settings}
    app = create_app(Settings(_env_file=None, database_url=database_url, **given))
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=5, http=AbortingProtocol)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    live = Live(listening, app.state.services)
    try:
        yield live
    finally:
        live.client.close()
        live.services.end_streams()  # what the signal does that no thread gets
        server.should_exit = True
        thread.join()
        listening.close()
