"""A log moves from SQLite to PostgreSQL and back: what it takes, and that every byte is the same afterwards.

    python -m benchmarks.moving --postgres postgresql://…/empty --directory moving --pledges 103000

The directory and the database must be empty; a log of the synthetic pledges of `benchmarks.generate` is made first. The
import into PostgreSQL is killed half-way and run again. It prints Markdown for docs/scale.md.
"""

from __future__ import annotations

import argparse
import filecmp
from contextlib import closing
from pathlib import Path

from benchmarks.generate import load
from benchmarks.harness import Took, run_tracker
from tracker.log.open import open_recorder


def main() -> None:
    """Move a log there and back; print the figures as Markdown rows."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--postgres", required=True)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--pledges", type=int, default=100_000)
    args = parser.parse_args()
    run(args.postgres, args.directory, args.pledges)


def run(postgres: str, directory: Path, pledges: int) -> None:
    """Load, export, import into PostgreSQL, export, import into SQLite, export: all three exports MUST be the same.

    Raises: SystemExit if a file of one is another than the first one's.
    """
    directory.mkdir(parents=True, exist_ok=True)
    old, new = f"sqlite:///{directory}/old.db", f"sqlite:///{directory}/new.db"
    head = load(old, pledges)
    size = f"{_megabytes(directory / 'old.db')} MB"
    _row(f"a log of {head:,} events, never signed nor projected", None, size)
    _exported(old, directory, "first")
    run_tracker(_env(postgres, directory), "init")
    with closing(open_recorder(postgres, create_table=False)) as log:
        half = run_tracker(
            _env(postgres, directory), *_import(directory, "first"), until=lambda: log.head() >= head // 2
        )
        there = log.head()
    _row(f"import into PostgreSQL, killed at {there:,} events", half)
    _row("... run again: verified anew, and gone on with", _imported(postgres, directory, "first"))
    _exported(postgres, directory, "second")
    _row("import of that into SQLite", _imported(new, directory, "second"))
    _exported(new, directory, "third")
    for other in ("second", "third"):
        _must_be_the_same(directory / "first", directory / other)
    print(f"{len(_files(directory / 'first'))} files and the private one are the same in all three exports", flush=True)


def _exported(url: str, directory: Path, name: str) -> None:
    took = run_tracker(
        _env(url, directory), "log", "export", str(directory / name), "--private", _private(directory, name)
    )
    size = sum(file.stat().st_size for file in _files(directory / name).values())
    private = Path(_private(directory, name)).stat().st_size
    more = f"{size / 1e6:,.0f} MB in {len(_files(directory / name)):,} files, private {private / 1e6:,.1f} MB"
    _row(f"export from {_kind(url)}", took, more)


def _imported(url: str, directory: Path, name: str) -> Took:
    return run_tracker(_env(url, directory), *_import(directory, name))


def _import(directory: Path, name: str) -> tuple[str, ...]:
    return "log", "import", str(directory / name), "--private", _private(directory, name)


def _private(directory: Path, name: str) -> str:
    return str(directory / f"{name}.private")


def _env(url: str, directory: Path) -> dict[str, str]:
    return {"TRACKER_DATABASE_URL": url, "TRACKER_STATE_DIR": str(directory / "state")}


def _must_be_the_same(one: Path, other: Path) -> None:
    files, others = _files(one), _files(other)
    pairs = [(one.with_suffix(".private"), other.with_suffix(".private")), *((files[n], others.get(n)) for n in files)]
    wrong = [file for file, beside in pairs if beside is None or not filecmp.cmp(file, beside, shallow=False)]
    if wrong or files.keys() != others.keys():
        raise SystemExit(f"{other} is another export than {one}: {wrong[:5]}")


def _files(directory: Path) -> dict[str, Path]:
    return {str(path.relative_to(directory)): path for path in sorted(directory.rglob("*")) if path.is_file()}


def _megabytes(file: Path) -> int:
    return file.stat().st_size // 1_000_000


def _kind(url: str) -> str:
    return "SQLite" if url.startswith("sqlite") else "PostgreSQL"


def _row(work: str, took: Took | None, more: str = "") -> None:
    spent = ""
    if took is not None:
        spent = f"{took.seconds:,.0f} s, of processors {took.cpu_seconds:,.0f} s, {took.megabytes} MB"
    print(f"| {work} | {spent} | {more} |", flush=True)


if __name__ == "__main__":
    main()
