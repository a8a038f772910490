"""A short form of the faults of `make faults`: real processes, one try, on every store that has the fault.

Those of ELSEWHERE take half a minute each, and are tried by tests of their own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.catalogue import FAULTS, Fault
from faults.places import SqlitePlace
from faults.run import run
from tests.support.outages import can_mount

pytestmark = pytest.mark.slow

ELSEWHERE = frozenset(("projector-frozen", "projector-frozen-alone", "projector-absent", "leader-killed"))
"""Faults whose short forms are in test_projectors.py and test_health.py, on both stores, and in tests/cluster."""

LONG = frozenset(("projector-killed", "stalled-readers", "postgres-stopped", "postgres-frozen", "two-servers"))
"""Faults that take long even so; `make test-many` tries them, and `make test` their parts one by one."""

TRIES = [
    pytest.param(fault, store, id=f"{fault.key}-{store}", marks=[pytest.mark.many] * (fault.key in LONG))
    for fault in FAULTS
    if fault.key not in ELSEWHERE
    for store in fault.stores
]


@pytest.mark.parametrize(("fault", "store"), TRIES)
def test_nothing_is_lost_doubled_or_unnoticed(
    fault: Fault, store: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if fault.needs_mount and not can_mount(tmp_path):
        pytest.skip("a small file system cannot be mounted here")
    place = SqlitePlace() if store == "sqlite" else request.getfixturevalue("postgres")
    row = run(fault, place, times=1, short=True)
    assert row.broken == []
    assert (row.lost, row.doubled, row.unnoticed or 0) == (0, 0, 0)
    assert row.tried >= 1
    assert row.acknowledged > 0
