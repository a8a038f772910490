"""`tracker import` of many rows: processor time, and the most memory that the process took.

python -m benchmarks.importing [--rows 100000] [--pledges 10000] [--xlsx] [--dry-run] [--bad]
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from openpyxl import Workbook

from benchmarks.harness import PYTHON

HEADER = ("ID", "Donor", "Date", "Measure", "Amount (m)", "Currency", "Explanation", "Link")

MAP = """
[fields]
publisher = "Example Institute"
tier = "media"
stated_on = "{Date}"
[[fact]]
type = "PledgeMade"
once = true
pledge = "{Donor|slug}-aid"
fields = { title = "Aid of {Donor}", pledgor = "{Donor}", kind = "money", target = "at least 40bn EUR" }
[[fact]]
when = { "Measure" = "Allocation" }
type = "ProgressReported"
pledge = "{Donor|slug}-aid"
[fact.fields]
quantity = "{Amount (m)|number} million {Currency}"
stage = "allocated"
basis = "increment"
summary = "{Explanation}"
url = "{Link}"
locator = "{ID}"
"""


def rows(count: int, pledges: int, *, bad: bool) -> Iterator[tuple[str, ...]]:
    """So many announcements over ten years; bad ones have a currency that is none."""
    chance = random.Random(7)
    for number in range(count):
        day = f"{2015 + number * 9 // count}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 28):02d}"
        amount, currency = f"{number % 977 + 1}.{number % 10}", "QQQ" if bad else "EUR"
        said = f"Allocation number {number} by a decree"
        link = f"https://example.org/{number}"
        yield f"row-{number}", f"Donor {number % pledges}", day, "Allocation", amount, currency, said, link


def main() -> None:
    """Make a file, import it into a new store, and print what it took."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--pledges", type=int, default=10_000)
    parser.add_argument("--xlsx", action="store_true", help="a workbook instead of CSV")
    parser.add_argument("--dry-run", action="store_true", help="the check alone")
    parser.add_argument("--bad", action="store_true", help="a problem in every row")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / ("aid.xlsx" if given.xlsx else "aid.csv")
        write(file, rows(given.rows, given.pledges, bad=given.bad))
        (Path(folder) / "map.toml").write_text(MAP, encoding="utf-8")
        options = ["--dry-run"] if given.dry_run else []
        said, seconds, megabytes = took(Path(folder), "import", str(file), "--map", f"{folder}/map.toml", *options)
    print(said.splitlines()[-1])
    print(f"{seconds:.1f} s of processor time, {given.rows / seconds:,.0f} rows/s and core, {megabytes:.0f} MB at most")


def write(file: Path, lines: Iterator[tuple[str, ...]]) -> None:
    """Write the file."""
    if file.suffix == ".csv":
        with file.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([HEADER, *lines])
        return
    book = Workbook(write_only=True)
    page = book.create_sheet("Aid")
    page.append(HEADER)
    for *before, amount, currency, said, link in lines:
        page.append([*before, float(amount), currency, said, link])
    book.save(file)


def took(folder: Path, *command: str) -> tuple[str, float, float]:
    """What a command says on a new SQLite store, its seconds of processor time, and its most megabytes resident."""
    tracker = str(Path(PYTHON).with_name("tracker"))
    environment = os.environ | {"TRACKER_DATABASE_URL": f"sqlite:///{folder}/tracker.db"}
    subprocess.run([tracker, "init"], env=environment, check=True, capture_output=True)
    with subprocess.Popen([tracker, *command], env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return said, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()
