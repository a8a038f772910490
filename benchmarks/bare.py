"""The peer of the polling rows: a Litestar handler that returns constant bytes and does nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from litestar import Litestar, get
from litestar.response import Response

BODY = Path(os.environ["BENCH_BODY"]).read_bytes() if "BENCH_BODY" in os.environ else b"{}"


@get("/constant", sync_to_thread=False)
def constant() -> Response[bytes]:
    """The bytes of `BENCH_BODY`."""
    return Response(BODY, media_type="application/json")


@get("/unchanged", sync_to_thread=False, status_code=304)
def unchanged() -> None:
    """A bare 304."""


app = Litestar(route_handlers=[constant, unchanged], openapi_config=None, logging_config=None)
