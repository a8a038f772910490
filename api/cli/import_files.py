"""`tracker seed` and `tracker import`: facts from files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import get_args

import click

import seeds
from api.cli.group import CommandFailed
from api.cli.import_difference import show_difference
from api.cli.stores import now, opened_stores
from api.cli.terminal import answer, progress, say
from api.imports.bounds import check_file_size
from api.imports.files import is_iati, is_lines, read_items, read_lines
from api.imports.iati import FOLLOWED_AS
from api.imports.importer import MAX_CHUNK_FACTS, Importer, ImportPlan
from api.imports.items import ImportProblem, UnreadableFile
from api.imports.map_template import map_template as first_map
from api.imports.problem_rows import write_problem_rows
from api.imports.releases import difference_of
from api.imports.sheet_layout import Encoding
from api.imports.sheet_map import MAX_MAP_BYTES, BadMap, Follow, parse_map, ready_map, ready_map_names
from tracker.application import Tracker

MAX_LISTED_PROBLEMS = 1_000
"""Problems that are listed at most; the number of all of them stands in the last line."""

MAX_NAMED_ROWS = 20
"""Rows that are named at most of those that a map leaves out."""

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
    items, problems = read_lines(line for content in contents for line in content.split(b"\n"))
    key = f"seed {hashlib.sha256(b''.join(contents)).hexdigest()}"
    with opened_stores() as stores:
        importer = Importer(stores.tracker, key, "seed", now)
        plan = importer.plan(items, problems)
        if plan.recorded == 0:
            # A newer release may have more of them: what is there word for word stays as it is.
            plan = importer.plan(items, problems, skip_recorded=True)
        _must_be_sound(plan.problems, "The seed")
        _must_be_sound(importer.record(plan), "The seed")
        pledges = len({item.pledge for item in items})
        if plan.size:
            say(f"{plan.size} facts on {pledges} pledges recorded.")
        else:
            say(f"The seed is loaded already: {len(items)} facts on {pledges} pledges. Nothing was changed.")


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
@click.option("--chunk", "chunk_facts", type=click.IntRange(1, MAX_CHUNK_FACTS), default=MAX_CHUNK_FACTS, hidden=True)
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
    try:
        mapping = None if map_bytes is None else parse_map(map_bytes)
        left_out: list[str] = []
        remarks: list[str] = []
        items, problems = read_items(
            file,
            mapping=mapping,
            sheet=sheet,
            oldest_first=oldest_first,
            encoding=encoding,
            ignored=ignored,
            released_on=day,
            note_left_out=left_out.append,
            note_remark=remarks.append,
        )
    except BadMap as bad:
        for sentence in bad.problems:
            say(f"{map_name}: {sentence}")
        raise CommandFailed("The map cannot be used; nothing was recorded.") from None
    except UnreadableFile as unreadable:
        raise CommandFailed(f"{file}: {unreadable}") from None
    if left_out:
        say(_left_out_sentence(left_out))
    for remark in remarks[:MAX_NAMED_ROWS]:
        say(remark)
    if len(remarks) > MAX_NAMED_ROWS:
        say(f"… and {len(remarks) - MAX_NAMED_ROWS} more cells like these")
    if not items and not problems:
        say(f"{file} has no facts; nothing was recorded.")
        return
    digest = hashlib.sha256(file.read_bytes())
    told = (map_bytes, sheet, oldest_first)
    digest.update(repr((*told, encoding, ignored) if encoding or ignored else told).encode())
    if mapping is not None and mapping.reads_release:
        digest.update(str(day).encode())
    with opened_stores() as stores:
        refs: Mapping[str, str] | None = None
        follow = Follow(name=FOLLOWED_AS) if is_iati(file) else None if mapping is None else mapping.follow
        if follow is not None:
            head = stores.log.head()
            difference = difference_of(items, stores.tracker, follow.name, day, ours=follow.ours)
            show_difference(difference, restate=restate, whole=dry_run)
            items = [*difference.new, *(difference.changed if restate else ())]
            # What is recorded of a release follows from what the log has: the head stands in the idempotency key.
            refs, skip_recorded = difference.recorded_refs, True
            digest.update(f"{day} {head}".encode())
        importer = Importer(stores.tracker, f"import {digest.hexdigest()}", by.strip(), now, chunk_facts)
        with progress("Checking", len(items)) as advance:
            plan = importer.plan(items, problems, skip_recorded=skip_recorded, recorded_refs=refs, advance=advance)
        if problems_file is not None:
            found = write_problem_rows(file, plan.problems, mapping=mapping, sheet=sheet, encoding=encoding)
            problems_file.write_bytes(b"".join(found))
        if _has_grown(plan, stores.tracker):
            say("Rows of this file are recorded already. If it has grown, --skip-recorded leaves those out.")
        _must_be_sound(plan.problems, str(file))
        if dry_run:
            say(f"{_recorded_before(plan)}{plan.size} facts can be recorded. Nothing was, this was a dry run.")
        else:
            _record(importer, plan, str(file))


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


def _has_grown(plan: ImportPlan, tracker: Tracker) -> bool:
    """Whether facts of the file are refused because the log has them, whichever import they came with."""
    refused = {problem.place for problem in plan.problems if problem.code in _RECORDED_CODES}
    pledges = {item.pledge for item in plan.items if item.place in refused}
    return any(tracker.version(pledge) for pledge in islice(pledges, MAX_NAMED_ROWS))


def _left_out_sentence(left_out: list[str]) -> str:
    """The sentence that names the rows that a map leaves out, the first of them at least."""
    rows, _, first = left_out[0].rpartition(" ")
    shown = [first, *(place.rpartition(" ")[2] for place in left_out[1:MAX_NAMED_ROWS])]
    more = f" and {len(left_out) - len(shown)} more" if len(left_out) > len(shown) else ""
    if len(left_out) == 1:
        return f"One row became no fact, as the map has it: {left_out[0]}."
    return f"{len(left_out)} rows became no fact, as the map has it: {rows}s {', '.join(shown)}{more}."


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


def _must_be_sound(problems: list[ImportProblem], name: str, recorded: int = 0) -> None:
    """List the problems of a file, of which so many facts are recorded.

    Raises: CommandFailed if there is a problem.
    """
    if not problems:
        return
    for problem in problems[:MAX_LISTED_PROBLEMS]:
        say(str(problem))
    if len(problems) > MAX_LISTED_PROBLEMS:
        say(f"… and {len(problems) - MAX_LISTED_PROBLEMS} more")
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    after = f"the {recorded} facts before stay recorded" if recorded else "nothing was recorded"
    raise CommandFailed(f"{name}: {count}; {after}.")
