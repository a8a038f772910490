"""A log on each store."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tracker.log.open import open_recorder
from tracker.log.recorder import LogRecorder


@pytest.fixture
def log(database_url: str) -> Iterator[LogRecorder]:
    with closing(open_recorder(database_url)) as log:
        yield log
