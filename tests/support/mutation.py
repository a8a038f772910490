"""`make mutate`: run the tests of the rules once for each change of the rules, and say by module how many noticed.

    python -m tests.support.mutation [--seconds 3] [--again] [--report] [PATTERN …]

mutmut makes the changes and finds which tests reach which function. Its own runner starts pytest anew for each change,
which takes longer than most tests do. Here the tests are collected once; for each change a forked process runs those
that run what it changes, the quickest first, and ends with the first that fails. Results are kept in mutants/ as mutmut
keeps them (`mutmut show NAME`), and in `mutation_results.FILE`, so a run that was broken off goes on where it was.
`--seconds` bounds the time of each change and leaves the rest for later, so that what was noticed is a lower bound.
"""

from __future__ import annotations

import argparse
import fnmatch
import gc
import importlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic, process_time
from typing import Any

from _pytest import outcomes

from tests.support.mutation_reach import Reach, measure
from tests.support.mutation_results import Codes, keep, remember

ROOT = Path(__file__).resolve().parent.parent.parent

KILLED, SURVIVED, UNTESTED, TIMED_OUT = 1, 0, 33, 36
"""mutmut's exit codes; None is a change that was not tried."""

NOT_ALL = 99
"""A child ends with it when its time is over before its tests are."""

OPTIONS = ["--rootdir=.", "--tb=native", "-pno:cacheprovider"]
WITHOUT = [f"-pno:{plugin}" for plugin in ("schemathesis", "playwright", "base_url", "faker")]
"""Plugins that give every test a fixture, which no test of the rules asks for."""

OF_ALL = {"request", "every_record_holds"}
"""Fixtures that a test of the rules can do without here."""

KEPT_EVERY = 50
"""Results that are written down at a time."""

MUCH = ("test_recorded", "test_against_oracle", "test_because", "test_comparison")
"""Tests that ask much of the rules for the time they take."""

STARTING_SECONDS, MAX_SECONDS = 5, 3_600
"""What a fresh process of pytest takes before its first test, and the bound of those that have none."""

LINES, STATS = Path("lines.json"), Path("mutmut-stats.json")
"""Where it stands in mutants/ which tests run which line, and which run which function; both are of the same tests."""

PATIENCE = 20
"""A test that takes so many times as long as without a change, and two seconds at least, never ends."""


class Changes:
    """The changes of all modules, as mutmut keeps them."""

    def __init__(self, folder: Path, *, again: bool = False) -> None:
        self.files = {path: json.loads(path.read_text()) for path in sorted(folder.glob("tracker/**/*.meta"))}
        stats = json.loads((folder / STATS).read_text())
        self.reached: dict[str, list[str]] = stats["tests_by_mangled_function_name"]
        self.seconds: dict[str, float] = stats["duration_by_test"]
        self.later = remember(self.codes(), ROOT, again=again)

    def tests(self, name: str, reach: Reach) -> list[str]:
        """The tests that run what is changed, the quickest first; those that ask much count as quick."""
        tests: Iterable[str] = self.reached.get(function_of(name), ())
        running = reach.tests(name)
        if running is not None:
            tests = running & set(tests)
        return sorted(tests, key=lambda test: self.seconds[test] / worth(test))

    def tests_of_module(self, module: str) -> list[str]:
        """The tests that reach a module, the quickest first."""
        found = {test for key, some in self.reached.items() if module_of(key) == module for test in some}
        return sorted(found, key=lambda test: self.seconds[test] / worth(test))

    def untried(self, patterns: list[str]) -> list[tuple[Path, str]]:
        """The changes that nothing is known of, in an order in which the first of them are a sample of all modules."""
        found = [
            (path, name)
            for path, kept in self.files.items()
            for name, code in kept["exit_code_by_key"].items()
            if code is None and (not patterns or any(fnmatch.fnmatch(name, pattern) for pattern in patterns))
        ]
        random.Random(0).shuffle(found)
        return sorted(found, key=lambda change: change[1] in self.later)

    def codes(self) -> dict[Path, Codes]:
        """What is known of the changes of each module."""
        return {path: kept["exit_code_by_key"] for path, kept in self.files.items()}

    def learn(self, path: Path, name: str, code: int | None) -> None:
        """Note what came of a change; None if it took too long."""
        self.files[path]["exit_code_by_key"][name] = code
        (self.later.add if code is None else self.later.discard)(name)

    def keep(self, paths: Iterable[Path]) -> None:
        """Write down what came of the changes of some modules."""
        for path in paths:
            path.write_text(json.dumps(self.files[path], indent=4))
        keep(self.codes(), self.later, ROOT)

    def report(self) -> str:
        """How many changes of each module were noticed, and the names of those that were not."""
        rows, total, survivors = list[str](), Counter[str](), list[str]()
        for path, kept in self.files.items():
            codes = kept["exit_code_by_key"]
            found = Counter(kind(code) for code in codes.values())
            survivors += [name for name, code in codes.items() if kind(code) in ("survived", "untested")]
            if codes:
                module = path.relative_to("mutants").with_suffix("").with_suffix("").as_posix().replace("/", ".")
                rows.append(_row(f"`{module}`", found))
                total += found
        head = "| module | changes | noticed | survived | not reached | not tried | noticed of tried | of all |"
        return "\n".join([head, "|---|" + 7 * "--:|", *rows, _row("all", total), "", *survivors])


def worth(test: str) -> int:
    """How much a test asks, as against one that compares one answer."""
    return 100 if any(name in test for name in MUCH) else 1


def kind(code: int | None) -> str:
    """What came of a change, by mutmut's exit code."""
    return {None: "untried", SURVIVED: "survived", UNTESTED: "untested", 5: "untested"}.get(code, "noticed")


def _row(name: str, found: Counter[str]) -> str:
    cells = [found.total(), *(found[each] for each in ("noticed", "survived", "untested", "untried"))]
    shares = [100 * found["noticed"] / max(1, whole) for whole in (found.total() - found["untried"], found.total())]
    return f"| {name} | {' | '.join([*map(str, cells), *(f'{share:.1f} %' for share in shares)])} |"


def function_of(name: str) -> str:
    """The name under which mutmut counts the tests of a change's function."""
    return name.rpartition("__mutmut_")[0]


def module_of(name: str) -> str:
    """The module of a change."""
    return name.rpartition(".")[0]


class EachChange:
    """A pytest plugin: in place of one run of all tests, one for each change in a process of its own."""

    def __init__(self, changes: Changes, chosen: list[tuple[Path, str]], imported: set[str], seconds: float) -> None:
        self.changes, self.chosen, self.imported, self.seconds = changes, chosen, imported, seconds
        self.killers: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def pytest_runtestloop(self, session: Any) -> bool:
        """Try every change."""
        self.items = {item.nodeid: item for item in session.items}
        gc.collect()
        gc.freeze()
        if self.after("", list(self.items), inf) != SURVIVED:
            sys.exit("a test fails without any change")
        modules = {module_of(name) for _, name in self.chosen if function_of(name) in self.imported}
        self.again = {m for m in modules if self.after("", self.changes.tests_of_module(m), inf, m) == SURVIVED}
        if not LINES.exists() or LINES.stat().st_mtime < STATS.stat().st_mtime:
            measure(session.items, lambda item: run_item(item, lambda: None), LINES)
        self.reach = Reach(LINES)
        began, tried = monotonic(), Counter[str]()
        for number, (path, name) in enumerate(self.chosen, 1):
            code = self.tried(name)
            self.changes.learn(path, name, code)
            tried[kind(code)] += 1
            if number % KEPT_EVERY == 0 or number == len(self.chosen):
                self.changes.keep({path for path, _ in self.chosen[max(0, number - KEPT_EVERY) : number]})
                rate = 60 * number / (monotonic() - began)
                print(f"{number}/{len(self.chosen)} {dict(tried)}, {rate:.0f} a minute, {name}", file=sys.__stderr__)
        return True

    def tried(self, name: str) -> int | None:
        """What the tests say of a change; None if they were not all run. What ended others like it goes first."""
        here, near = self.killers[function_of(name)], self.killers[module_of(name)]
        module = module_of(name) if function_of(name) in self.imported else None
        if module is not None and module not in self.again:
            return self.anew(name)
        found = self.changes.tests(name, self.reach) if module is None else self.changes.tests_of_module(module)
        tests = sorted(found, key=lambda test: (-here[test], -near[test]))
        code = self.after(name, tests, self.seconds, module) if tests else UNTESTED
        # What other modules took from this one when they were imported is as it was: a fresh process has to confirm.
        return self.anew(name) if module is not None and code == SURVIVED else code

    def anew(self, name: str) -> int | None:
        """What the tests of its module say of a change that acts while modules are imported, in a fresh process."""
        files = defaultdict[str, float](float)
        for test in self.changes.tests_of_module(module_of(name)):
            files[test.partition("::")[0]] += self.changes.seconds[test]
        quickest = sorted(files, key=files.__getitem__)
        command = [sys.executable, "-m", "pytest", "-x", "-q", *OPTIONS, *WITHOUT, *quickest]
        environment = {**os.environ, "MUTANT_UNDER_TEST": name, "PYTHONPATH": str(Path.cwd())}
        bound = min(self.seconds + STARTING_SECONDS, MAX_SECONDS)
        limited = partial(resource.setrlimit, resource.RLIMIT_CPU, (int(bound), int(bound)))
        ended = subprocess.run(command, env=environment, capture_output=True, check=False, preexec_fn=limited)
        return {0: SURVIVED, -signal.SIGXCPU: None, -signal.SIGKILL: None}.get(ended.returncode, KILLED)

    def after(self, name: str, tests: list[str], seconds: float, module: str | None = None) -> int | None:
        """What these tests say of a change; None if that takes more seconds of CPU.

        `module` is imported once more before them, for a change that acts while it is.
        """
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self.run(name, tests, writing, seconds, module)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read().decode()
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == KILLED and said:
            self.killers[function_of(name)][said] += 1
            self.killers[module_of(name)][said] += 1
        return None if code == NOT_ALL else code if code in (SURVIVED, TIMED_OUT) else KILLED

    def run(self, name: str, tests: list[str], pipe: int, seconds: float, module: str | None) -> None:
        """In the child: run the tests until one fails."""
        null = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(null, stream)
        os.environ["MUTANT_UNDER_TEST"] = name
        signal.signal(signal.SIGVTALRM, lambda *_: os._exit(TIMED_OUT))
        if module is not None:
            signal.setitimer(signal.ITIMER_VIRTUAL, STARTING_SECONDS)
            try:
                importlib.reload(sys.modules[module])
            except BaseException:
                os._exit(KILLED)
        until = process_time() + seconds
        for test in tests:
            item = self.items.get(test)
            if item is None:
                continue
            if process_time() > until:
                os._exit(NOT_ALL)
            self.running = (test, pipe)
            signal.setitimer(signal.ITIMER_VIRTUAL, max(2.0, PATIENCE * self.changes.seconds[test]))
            run_item(item, self.died)
        os._exit(SURVIVED)

    def died(self) -> None:
        """In the child: a test has failed."""
        test, pipe = self.running
        os.write(pipe, test.encode())
        os._exit(KILLED)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """In the child: pytest reports a part of a test."""
        if report.failed:
            self.died()


def run_item(item: Any, died: Callable[[], None]) -> None:
    """Run a test: one that takes its parameters alone as a function, which is many times faster; else by pytest."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if set(item.fixturenames) - OF_ALL - params.keys():
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return
    try:
        item.obj(**params)
    except outcomes.Skipped:
        pass
    except BaseException:
        died()


def run_while_imported(modules: Iterable[str]) -> set[str]:
    """The functions that run while these modules are imported: a change of them shows in no process forked later."""
    script = (
        "import importlib, sys\nfrom mutmut.state import state\n"
        "[importlib.import_module(name) for name in sys.argv[1:]]\nprint(*state()._stats)"
    )
    environment = {**os.environ, "MUTANT_UNDER_TEST": "stats", "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", script, *sorted(modules)]
    told = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    return set(told.stdout.split())


def main() -> None:
    """Try the changes that were not tried yet, and print what is known of all."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("patterns", nargs="*", help="names of changes, as tracker.rules.outcome.*")
    parser.add_argument("--seconds", type=float, default=inf, help="CPU time that each change may take")
    parser.add_argument("--again", action="store_true", help="ask again whether what survived is noticed by now")
    parser.add_argument("--report", action="store_true", help="try nothing")
    args = parser.parse_args()
    changes = Changes(Path("mutants"), again=args.again)
    chosen = [] if args.report else changes.untried(args.patterns)
    if chosen:
        settings = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["mutmut"]
        os.chdir("mutants")
        sys.path[0] = str(Path.cwd())  # the changed modules, and the tests beside them
        for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
            del sys.modules[name]
        imported = run_while_imported({module_of(name) for _, name in chosen})
        os.environ["MUTANT_UNDER_TEST"] = ""
        changes.files = {Path("..") / path: kept for path, kept in changes.files.items()}
        chosen = [(Path("..") / path, name) for path, name in chosen]
        chosen.sort(key=lambda change: function_of(change[1]) in imported)  # those that need a fresh process come last
        import pytest

        plugin = EachChange(changes, chosen, imported, args.seconds)
        options = ["-q", "-s", *OPTIONS, *WITHOUT, *settings["pytest_add_cli_args"]]
        pytest.main([*options, *settings["pytest_add_cli_args_test_selection"]], plugins=[plugin])
        os.chdir("..")
        changes = Changes(Path("mutants"))
    print(changes.report())


if __name__ == "__main__":
    main()
