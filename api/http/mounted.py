"""The app below a path of a host: behind a proxy that keeps the path or strips it, or mounted in another ASGI app.

Routes, the cache and the metrics know paths without it (`placed`); every address that is given to a reader begins with
it (`addresses.address`). It comes from `TRACKER_BASE_PATH` or from the `root_path` of the ASGI scope, which servers and
frameworks set, and never from a header of the request.
"""

from __future__ import annotations

from typing import Any

from litestar import Litestar
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

from api.http.addresses import BASE


class MountedApp(Litestar):
    """A Litestar app that answers the same below `base_path` and without it."""

    base_path = ""
    """The path below which readers reach the app; without it the scope's `root_path` is."""

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        """Answer a request, or run the app's life."""
        if scope["type"] != "lifespan":
            scope = placed(scope, self.base_path)
        await super().__call__(scope, receive, send)


def placed(scope: Any, base: str) -> Any:
    """The scope of a request with its path below the mount, and a state of its own that has the base path.

    Frameworks that mount an app put what they have stripped, or left in the path, into `root_path`; a proxy that keeps
    the base path in the address says nothing of it.
    """
    root = scope.get("root_path", "").rstrip("/")
    if not root and not base:
        return scope
    path = scope["path"]
    inner = _below(root, path) or _below(base, path) or path
    return {**scope, "path": inner, "root_path": "", "state": {BASE: base or root}}


def _below(base: str, path: str) -> str | None:
    """The path below `base`, beginning with a slash; None if it is not below it."""
    if not base or not path.startswith(base):
        return None
    inner = path[len(base) :]
    return inner if inner.startswith("/") else None if inner else "/"
