"""`tracker seed` and `tracker import`: facts from files."""

from __future__ import annotations

import hashlib
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import get_args

import click

import seeds
from api.cli.group import CommandFailed
from api.cli.import_difference import show_difference
from api.cli.stores import opened_stores
from api.cli.terminal import answer, progress, say
from api.http.collector import collect_seldom
from api.http.system_clock import now
from api.imports.bounds import check_file_size
from api.imports.files import ImportFile, is_iati, is_lines, read_lines
from api.imports.importer import CHUNK_FACTS, MAX_CHUNK_FACTS, Importer, ImportPlan
from api.imports.items import MAX_NOTED, ImportProblem, Noted, UnreadableFile
from api.imports.map_template import map_template as first_map
from api.imports.problem_list import ProblemList
from api.imports.problem_rows import write_problem_rows
from api.imports.releases import difference_of
from api.imports.sheet_layout import Encoding
from api.imports.sheet_map import MAX_MAP_BYTES, BadMap, parse_map, ready_map, ready_map_names
from api.imports.spool import ItemSpool
from tracker.application import Tracker

MAX_LISTED_PROBLEMS = 1_000
"""Problems that are listed at most; the number of all of them stands in the last line."""

_RECORDED_CODES = ("duplicate_fact", "pledge_exists")
"""The codes of refusals that a file meets which has grown since it was imported."""

MAX_NAME_LENGTH = 64
"""Characters of a recorder's name."""


@click.command()
def seed() -> None:
    """Load the seed events; running it twice changes nothing.

    \b
    Example:
      tracker seed
    """
    contents = [file.read_bytes() for file in seeds.seed_files()]
    key = f"seed {hashlib.sha256(b''.join(contents)).hexdigest()}"
    with opened_stores() as stores, ItemSpool(now) as spool:
        spool.fill(read_lines(line for content in contents for line in content.split(b"\n")))
        spool.order(oldest_first=False)
        importer = Importer(stores.tracker, key, "seed", now)
        plan = importer.plan(spool)
        if plan.recorded == 0:
            # A newer release may have more of them: what is there word for word stays as it is.
            plan = importer.plan(spool, skip_recorded=True)
        _must_be_sound(plan.problems, "The seed")
        _must_be_sound(importer.record(plan), "The seed")
        if plan.size:
            say(f"{plan.size} facts on {spool.pledges} pledges recorded.")
        else:
            say(f"The seed is loaded already: {len(spool)} facts on {spool.pledges} pledges. Nothing was changed.")


@click.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option(
    "--map", "map_name", metavar="MAP.toml|NAME",
    help="How the columns of a CSV or XLSX file become facts: a file, or the name of a ready map of docs/import.md.",
)  # fmt: skip
@click.option("--map-template", is_flag=True, help="Print a first map for the file, and do nothing else.")
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook. [default: the map's, else the first]")
@click.option(
    "--encoding", type=click.Choice(get_args(Encoding)), help="Of a CSV file. [default: the map's, else utf-8]"
)
@click.option("--ignore-column", "ignored", multiple=True, metavar="NAME", help="A column not to read; repeatable.")
@click.option("--problems", "problems_file", type=click.Path(dir_okay=False, writable=True, path_type=Path),
              metavar="FILE.csv", help="Write rows with problems there, with a column that says why.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Check everything, record nothing.")
@click.option("--oldest-first", is_flag=True, help="Order the facts by stated_on before they are recorded.")
@click.option("--skip-recorded", is_flag=True, help="Leave out facts that their pledge has word for word already.")
@click.option("--restate", is_flag=True, help="Record what a release says otherwise than those before.")
@click.option("--released-on", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE",
              help="The day on which a release says so. [default: today]")  # fmt: skip
@click.option("--by", default="import", show_default=True, metavar="NAME", help="Who records, in recorded_by.")
@click.option("--chunk", "chunk_facts", type=click.IntRange(1, MAX_CHUNK_FACTS), default=CHUNK_FACTS, hidden=True)
def import_(
    file: Path,
    map_name: str | None,
    map_template: bool,
    sheet: str | None,
    encoding: Encoding | None,
    ignored: tuple[str, ...],
    problems_file: Path | None,
    dry_run: bool,
    oldest_first: bool,
    skip_recorded: bool,
    restate: bool,
    released_on: datetime | None,
    by: str,
    chunk_facts: int,
) -> None:
    """Record the facts of an NDJSON, CSV, XLSX or IATI file.

    The whole file is checked first. All problems are listed with their line, or sheet and row, and nothing is recorded
    while there is one. An import that was interrupted goes on where it stopped; one that is run twice changes nothing.
    The columns and the map are described in docs/import.md.

    \b
    Examples:
      tracker import facts.ndjson
      tracker import facts.csv --dry-run
      tracker import aid.xlsx --map-template > aid.toml
      tracker import aid.xlsx --map aid.toml --by desk
      tracker import aid-2.xlsx --map aid.toml --released-on 2024-05-31 --dry-run
      tracker import aid.csv --map aid.toml --encoding cp1252 --problems wrong.csv
    """
    if map_template:
        _print_template(file, sheet, encoding)
        return
    map_bytes = None if map_name is None else _map_bytes(map_name)
    day = now().date() if released_on is None else released_on.date()
    if map_name is not None and (is_lines(file) or is_iati(file)):
        raise click.UsageError("a map is for CSV and XLSX files; others say by themselves what they mean")
    if (restate or released_on is not None) and map_name is None and not is_iati(file):
        raise click.UsageError("--restate and --released-on are for IATI files and maps with [follow]")
    if not 0 < len(by.strip()) <= MAX_NAME_LENGTH or not by.isprintable():
        raise click.UsageError(f"--by is a name of 1 to {MAX_NAME_LENGTH} characters on one line")
    collect_seldom()  # rows come and go without cycles
    before = _written(file)
    with ItemSpool(now) as spool:
        try:
            mapping = None if map_bytes is None else parse_map(map_bytes)
            told = ImportFile(file, mapping, sheet, encoding, ignored, day, oldest_first=oldest_first)
            spool.fill(told.read())
        except BadMap as bad:
            for sentence in bad.problems:
                say(f"{map_name}: {sentence}")
            raise CommandFailed("The map cannot be used; nothing was recorded.") from None
        except UnreadableFile as unreadable:
            raise CommandFailed(f"{file}: {unreadable}") from None
        spool.order(oldest_first=told.oldest_first)
        _show_notes(told)
        if not len(spool) and not spool.problems and told.follow is None:
            say(f"{file} has no facts; nothing was recorded.")
            return
        options = (map_bytes, sheet, oldest_first)
        digest = _digest(file, repr((*options, encoding, ignored) if encoding or ignored else options))
        if _written(file) != before:
            raise CommandFailed(f"{file} was changed while it was read; nothing was recorded. Import it again.")
        if mapping is not None and mapping.reads_release:
            digest.update(str(day).encode())
        with opened_stores() as stores:
            if (follow := told.follow) is not None:
                head = stores.log.head()
                difference = difference_of(spool, stores.log, follow.name, day, ours=follow.ours, restate=restate)
                show_difference(difference, restate=restate, whole=dry_run)
                # What is recorded of a release follows from what the log has: the head stands in the idempotency key.
                skip_recorded = True
                digest.update(f"{day} {head}".encode())
            importer = Importer(stores.tracker, f"import {digest.hexdigest()}", by.strip(), now, chunk_facts)
            with progress("Checking", len(spool)) as advance:
                plan = importer.plan(spool, skip_recorded=skip_recorded, advance=advance)
            if problems_file is not None:
                _write_problems(problems_file, told, plan.problems)
            if plan.problems and not skip_recorded and _has_grown(plan.problems, spool, stores.tracker):
                say("Rows of this file are recorded already. If it has grown, --skip-recorded leaves those out.")
            _must_be_sound(plan.problems, str(file))
            if dry_run:
                say(f"{_recorded_before(plan)}{plan.size} facts can be recorded. Nothing was, this was a dry run.")
            else:
                _record(importer, plan, str(file))


def _written(file: Path) -> tuple[int, int, int]:
    """What changes when a file is written: its inode, bytes and time in nanoseconds; zeros if it is gone."""
    try:
        found = file.stat()
    except OSError:
        return 0, 0, 0
    return found.st_ino, found.st_size, found.st_mtime_ns


def _write_problems(path: Path, file: ImportFile, problems: ProblemList) -> None:
    """Write the rows with problems; where that cannot be done it is told, and the problems are listed all the same."""
    try:
        with path.open("wb") as out:
            out.writelines(write_problem_rows(file, problems))
    except (OSError, UnreadableFile) as wrong:
        say(f"{path} was not written: {wrong}")


def _digest(file: Path, options: str) -> hashlib._Hash:
    """The hash of the bytes of a file and of how it is read."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256")
    digest.update(options.encode())
    return digest


def _show_notes(file: ImportFile) -> None:
    """Tell which rows are left out, and what is read otherwise than it stands there."""
    if file.left_out.total:
        say(_left_out_sentence(file.left_out))
    for remark in file.remarks.first:
        say(remark)
    if file.remarks.total > len(file.remarks.first):
        say(f"… and {file.remarks.total - len(file.remarks.first)} more cells like these")


def _map_bytes(name: str) -> bytes:
    """The text of a map: of the file of this name, else of the ready map."""
    path = Path(name)
    try:
        if path.is_file():
            check_file_size(path, MAX_MAP_BYTES)
            return path.read_bytes()
        return ready_map(name)
    except KeyError:
        ready = ", ".join(ready_map_names())
        raise click.UsageError(
            f'there is no file "{name}", and no ready map is called so; there are: {ready}'
        ) from None
    except UnreadableFile as unreadable:
        raise CommandFailed(f"{name}: {unreadable}") from None
    except OSError as wrong:
        raise CommandFailed(f"{name}: {wrong.strerror}") from None


def _print_template(file: Path, sheet: str | None, encoding: Encoding | None) -> None:
    try:
        answer(first_map(file, sheet, encoding).rstrip("\n"))
    except UnreadableFile as unreadable:
        raise CommandFailed(f"{file}: {unreadable}") from None


def _has_grown(problems: ProblemList, spool: ItemSpool, tracker: Tracker) -> bool:
    """Whether facts of the file are refused because the log has them, whichever import they came with."""
    pledges = spool.pledges_of_problems(_RECORDED_CODES, MAX_NOTED)
    return any(tracker.version(pledge) for pledge in pledges)


def _left_out_sentence(left_out: Noted) -> str:
    """The sentence that names the rows that a map leaves out, the first of them at least."""
    rows, _, first = left_out.first[0].rpartition(" ")
    shown = [first, *(place.rpartition(" ")[2] for place in left_out.first[1:])]
    more = f" and {left_out.total - len(shown)} more" if left_out.total > len(shown) else ""
    if left_out.total == 1:
        return f"One row became no fact, as the map has it: {left_out.first[0]}."
    return f"{left_out.total} rows became no fact, as the map has it: {rows}s {', '.join(shown)}{more}."


def _record(importer: Importer, plan: ImportPlan, name: str) -> None:
    recorded = 0

    with progress("Recording", plan.size) as advance:

        def count_recorded(count: int) -> None:
            nonlocal recorded
            recorded += count
            advance(count)

        problems = importer.record(plan, count_recorded)
    _must_be_sound(problems, name, plan.recorded + recorded)
    say(f"{_recorded_before(plan)}{f'{plan.size} facts recorded.' if plan.size else 'Nothing was changed.'}")


def _recorded_before(plan: ImportPlan) -> str:
    return f"{plan.recorded} facts were recorded already. " if plan.recorded else ""


def _must_be_sound(problems: ProblemList | list[ImportProblem], name: str, recorded: int = 0) -> None:
    """List the problems of a file, of which so many facts are recorded.

    Raises: CommandFailed if there is a problem.
    """
    if not problems:
        return
    for problem in islice(problems, MAX_LISTED_PROBLEMS):
        say(str(problem))
    if len(problems) > MAX_LISTED_PROBLEMS:
        say(f"… and {len(problems) - MAX_LISTED_PROBLEMS} more")
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    after = f"the {recorded} facts before stay recorded" if recorded else "nothing was recorded"
    raise CommandFailed(f"{name}: {count}; {after}.")
