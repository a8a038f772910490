"""A large block that was freed goes back to the machine, also once the allocator has seen one of its size."""

import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

BLOCKS = """
import ctypes, sys
from api.http import allocator
class Told(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [*zip(names.split(), [ctypes.c_size_t] * 10)]
library = ctypes.CDLL(None)
library.mallinfo2.restype = Told
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = [ctypes.c_void_p]
if "small" in sys.argv:
    allocator.keep_small()
library.free(library.malloc(8_000_000))
before = library.mallinfo2().hblks
library.malloc(4_000_000)
print(library.mallinfo2().hblks - before)
"""


@pytest.mark.parametrize(("argument", "variables", "blocks"), [
    ("as it comes", {}, "0"), ("small", {}, "1"), ("small", {"MALLOC_ARENA_MAX": "4"}, "0"),
])  # fmt: skip
def test_a_large_block_is_the_machines_own_unless_the_operator_says_how(
    argument: str, variables: dict[str, str], blocks: str
) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", BLOCKS, argument]
    env = {**kept, **variables, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
    if "mallinfo2" in said.stderr:
        pytest.skip("this machine has no glibc of 2.33 or later")
    assert said.stdout.strip() == blocks, said.stderr
