"""Fixtures of the tests of the rules."""

from collections.abc import Iterator

import pytest

from tests.support.given import RECORDS


@pytest.fixture
def every_record_holds() -> Iterator[None]:
    """After a test, what must hold of any record holds of each that it made."""
    RECORDS.clear()
    yield
    for record in RECORDS:
        record.holds()
