"""A synthetic log of any length as static files, and what it costs to verify it.

    python -m benchmarks.verify big-log --pledges 103000

The log is that of `benchmarks.generate`, written directly as tile files and signed with a key that everybody knows. It
is written once; then `tracker log verify` runs on it in a process of its own, beside SHA-256 of each event by itself.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path

from benchmarks.generate import log_lines
from benchmarks.harness import Row, compared
from benchmarks.load import in_process
from tracker.checkpoint import Checkpoint
from tracker.merkle import leaf_hash
from tracker.signed_note import SigningKey
from tracker.tile_tree import TileBuilder, TileReader
from tracker.tiles import TILE_WIDTH, Bundle, encode_bundle

KEY = SigningKey("benchmark.example/log", b"b" * 32)


def write_log(directory: Path, lines: Iterable[bytes]) -> int:
    """Write the files of a log; the number of its events."""
    builder, lines = TileBuilder(), iter(lines)
    while some := list(islice(lines, TILE_WIDTH)):
        bundle = Bundle(builder.size // TILE_WIDTH, len(some))
        _write(directory / bundle.path, encode_bundle(some))
        for tile, hashes in builder.extend(map(leaf_hash, some)):
            _write(directory / tile.path, hashes)
    for tile, hashes in builder.partial_tiles():
        _write(directory / tile.path, hashes)
    _write(directory / "key", f"{KEY.verifier}\n".encode())
    _write(directory / "checkpoint", Checkpoint(KEY.name, builder.size, builder.root()).sign([KEY]))
    return builder.size


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def _write_synthetic(directory: Path, pledges: int) -> None:
    write_log(directory, (line.state for line in log_lines(pledges)))


def hashing_seconds(directory: Path, size: int) -> float:
    """Seconds for SHA-256 of each event by itself, without reading them."""
    spent = 0.0
    entries = TileReader(size, lambda path: (directory / path).read_bytes()).entries()
    while some := list(islice(entries, 10_000)):
        started = time.perf_counter()
        for entry in some:
            sha256(entry).digest()
        spent += time.perf_counter() - started
    return spent


def verifying(directory: Path, *options: str) -> tuple[float, float, float]:
    """Seconds on the clock, seconds of all processors and peak memory in MB of `tracker log verify`."""
    command = [sys.executable, "-m", "tracker", "log", "verify", str(directory), "--key", str(KEY.verifier), *options]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000


def run(directory: Path, pledges: int) -> None:
    """Write the log if it is not there, verify it, and print a row of Markdown for each kind of run."""
    if not (directory / "checkpoint").exists():
        # In a process of its own: what this one has in memory would count as that of the verifier, which it starts.
        in_process(_write_synthetic, directory, pledges)
    size = int((directory / "checkpoint").read_text("utf-8").split("\n")[1])
    hashing = hashing_seconds(directory, size)
    print(f"| of {size:,} events | clock | all processors | events/s | peak memory | against hashing each event |")
    print("|--|--|--|--|--|--|")
    for name, options in (("verify", ()), ("verify and fold all statuses", ("--as-of", "2026-06-30"))):
        seconds, processors, megabytes = verifying(directory, *options)
        rate = size / seconds
        print(f"| {name} | {seconds:.1f} s | {processors:.1f} s | {rate:,.0f} | {megabytes:.0f} MB"
              f" | {hashing / seconds:.3f} of its speed |")  # fmt: skip


def rows(folder: Path, *, pledges: int, rounds: int) -> Iterator[Row]:
    """Row 10: events verified a second, beside SHA-256 of each event by itself."""
    in_process(_write_synthetic, folder / "log", pledges)
    size = int((folder / "log" / "checkpoint").read_text("utf-8").split("\n")[1])
    ours, peer = [], []
    for _ in range(rounds):
        ours.append(size / verifying(folder / "log")[0])
        peer.append(size / hashing_seconds(folder / "log", size))
    of = f"{size:,} events"
    yield compared("10", "verification of an export", ours, peer, "SHA-256 of each event", 0.2, unit="events/s", of=of)


def main() -> None:
    """Write a synthetic log as static files and measure its verification."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pledges", type=int, default=103_000)
    args = parser.parse_args()
    run(args.directory, args.pledges)


if __name__ == "__main__":
    main()
