"""The desk on both stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api import prepare, running
from tests.support.receivers import receiving
from tests.support.shell import with_tables
from tests.support.webhook_desk import Desk


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    prepare(database_url)
    shell = with_tables(database_url, tmp_path)
    with running(database_url, public_url="https://pledges.example.org") as api, receiving() as receiver:
        yield Desk(api, shell, receiver)
