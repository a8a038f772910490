"""The C library's allocator, kept from holding on to memory that large answers have left.

Of itself glibc has up to eight heaps a processor, each as large as it ever was, and puts blocks of up to 32 MB into
them once it has seen such a one freed. A server whose threads make lists of 200 kB grew by a sixth in a minute so.
"""

from __future__ import annotations

import ctypes
import os

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""Names of glibc's `mallopt(3)`."""

_HEAPS = 2
"""Heaps of all threads together."""

_BLOCK_BYTES = 128 * 1024
"""Size from which a block is the machine's own and goes back to it when it is freed, as is what is free at an end."""


def keep_small() -> None:
    """Let this process give back what it has freed; without glibc, or where MALLOC_ variables say how, do nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None or any(name.startswith("MALLOC_") for name in os.environ):
        return
    for name, value in (
        (_M_ARENA_MAX, _HEAPS), (_M_MMAP_THRESHOLD, _BLOCK_BYTES), (_M_TRIM_THRESHOLD, _BLOCK_BYTES),
    ):  # fmt: skip
        mallopt(name, value)
