"""The words that parameters and answers have in common: headlines, kinds, flags, types of facts, orders."""

from __future__ import annotations

from typing import get_args

from projections.queries import SORTS
from tracker.facts import FACT_TYPES
from tracker.rules.flags import FLAGS
from tracker.rules.outcome import Headline
from tracker.rules.replayed import STALE_FLAG
from tracker.values import Kind

STATUSES: tuple[str, ...] = get_args(Headline)
KINDS: tuple[str, ...] = get_args(Kind)
FLAG_NAMES = (*FLAGS, STALE_FLAG)
SORT_NAMES = tuple(f"{sign}{name}" for name in SORTS for sign in ("", "-"))
TYPE_NAMES = tuple(FACT_TYPES)
