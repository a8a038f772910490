"""A short form of `make attack`: every route, everybody, and some of every kind of input, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest

from attack.trial import Findings, attacked, on_store

MEBIBYTE = 2**20


@pytest.mark.slow
@pytest.mark.parametrize("public_read", [True, False], ids=["public", "private"])
def test_nobody_gets_more_than_is_his(tmp_path: Path, public_read: bool) -> None:
    with on_store(tmp_path, None, public_read=public_read) as (served, url):
        found = attacked(served, url, Findings("SQLite", public_read), full=(), share=4)
    print(f"{found.sent} requests in {found.seconds:.0f} s, {found.grown / MEBIBYTE:.0f} MiB, waits {found.waits}")
    print(dict(found.kinds), dict(found.statuses))
    assert found.broken == []
    assert found.sent > 800
    assert len(found.kinds) > 10
    assert found.grown < 400 * MEBIBYTE
