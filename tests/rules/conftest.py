"""Fixtures of the tests of the rules."""

from collections.abc import Iterator

import pytest

from tests.support.given import RECORDS
from tests.support.profiles import is_mutating


@pytest.fixture
def every_record_holds() -> Iterator[None]:
    """After a test, what must hold of any record holds of each that it made.

    Not for each change of the rules (`make mutate`), which would take hours: test_any_stream.py asks the same.
    """
    RECORDS.clear()
    yield
    for record in () if is_mutating() else RECORDS:
        record.holds()
