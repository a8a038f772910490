"""What is known of each change of the rules, kept in a file from one run of `make mutate` to the next.

For each module its digest, and for each of its functions a letter a change, in mutmut's order: n noticed, s survived,
u reached by no test, l took longer than was given, - not tried. A module that has changed since is begun anew. Tests of
the rules are only added, so what was noticed stays so; whether new tests notice what survived is asked with `--again`.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

FILE = Path(__file__).parent.parent / "rules" / "mutation_results.json"

Codes = dict[str, int | None]
"""By the name of a change mutmut's exit code; None where it is not known."""

KNOWN: dict[str, int | None] = {"n": 1, "s": 0, "u": 33, "l": None, "-": None}


def module_file(path: Path) -> str:
    """The file of a module, by that of its results, as in `mutants/tracker/rules/days.py.meta`."""
    return path.as_posix().partition("mutants/")[2].removesuffix(".meta")


def digest(file: str, root: Path) -> str:
    """The first digits of the SHA-256 of a module."""
    return sha256((root / file).read_bytes()).hexdigest()[:16]


def by_function(codes: Codes) -> dict[str, list[str]]:
    """The names of changes by that of their function, in mutmut's order."""
    found: dict[str, list[str]] = {}
    for name in codes:
        found.setdefault(name.rpartition("__mutmut_")[0], []).append(name)
    return found


def remember(files: dict[Path, Codes], root: Path, *, again: bool, kept: Path = FILE) -> set[str]:
    """Put what is kept of modules that are what they were into `files`; the names of changes that took too long."""
    known = json.loads(kept.read_text()) if kept.exists() else {}
    later = set()
    for path, codes in files.items():
        file = module_file(path)
        was = known.get(file)
        if was is None or was["sha256"] != digest(file, root):
            continue
        for function, names in by_function(codes).items():
            for name, letter in zip(names, was["changes"].get(function.rpartition(".")[2], ""), strict=False):
                if letter == "n" or not again:
                    codes[name] = codes[name] if letter in "l-" else KNOWN[letter]
                elif letter in "su":
                    codes[name] = None
                if letter == "l":
                    later.add(name)
    return later


def keep(files: dict[Path, Codes], later: set[str], root: Path, kept: Path = FILE) -> None:
    """Write down what is known."""
    known = {}
    for path, codes in files.items():
        if not codes:
            continue
        file = module_file(path)
        changes = {
            function.rpartition(".")[2]: "".join(_letter(codes[name], name in later) for name in names)
            for function, names in by_function(codes).items()
        }
        known[file] = {"sha256": digest(file, root), "changes": changes}
    kept.write_text(json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True) + "\n")


def _letter(code: int | None, took_long: bool) -> str:
    if code is None:
        return "l" if took_long else "-"
    return {0: "s", 33: "u", 5: "u"}.get(code, "n")
