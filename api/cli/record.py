"""``tracker seed`` and ``tracker import``: facts from files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from api.cli.common import Wrong, now, opened_stores, progress, say
from api.imports.importer import MAX_CHUNK, Importer, ImportPlan, ImportProblem

_SHOWN = 1_000
"""Problems listed at most; the number of all is told."""

_ROWS_SHOWN = 20
"""Rows named at most that a map leaves out."""


@click.command()
def seed() -> None:
    """Load the seed events; running it twice changes nothing.

    \b
    Example:
      tracker seed
    """
    from api.imports.files import read_lines
    from seeds import seed_lines

    contents = [file.read_bytes() for file in seed_lines()]
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
    "--map", "map_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="MAP.toml",
    help="How the columns of a CSV or XLSX file become facts; without it they have our names.",
)  # fmt: skip
@click.option("--sheet", metavar="NAME", help="The sheet of a workbook. [default: the map's, else the first]")
@click.option("--dry-run", is_flag=True, help="Check everything, record nothing.")
@click.option("--oldest-first", is_flag=True, help="Order the facts by stated_on before they are recorded.")
@click.option("--skip-recorded", is_flag=True, help="Leave out facts that their pledge has word for word already.")
@click.option("--by", default="import", show_default=True, metavar="NAME", help="Who records, in recorded_by.")
@click.option("--chunk", type=click.IntRange(1, MAX_CHUNK), default=MAX_CHUNK, hidden=True)
def import_(
    file: Path,
    map_file: Path | None,
    sheet: str | None,
    dry_run: bool,
    oldest_first: bool,
    skip_recorded: bool,
    by: str,
    chunk: int,
) -> None:
    """Record the facts of an NDJSON, CSV or XLSX file.

    The whole file is checked first. All problems are listed with their line, or sheet and row, and nothing is recorded
    while there is one. An import that was interrupted goes on where it stopped; one that is run twice changes nothing.
    The columns and the map are described in docs/import.md.

    \b
    Examples:
      tracker import facts.ndjson
      tracker import facts.csv --dry-run
      tracker import aid.xlsx --map aid.toml --by desk
    """
    from api.imports.files import read_items
    from api.imports.mapping import BadMap, read_map
    from api.imports.rows import UnreadableFile

    if map_file is not None and file.suffix.lower() in (".ndjson", ".jsonl"):
        raise click.UsageError("a map is for CSV and XLSX files; NDJSON has facts already")
    if not 0 < len(by.strip()) <= 64 or not by.isprintable():
        raise click.UsageError("--by is a name of 1 to 64 characters on one line")
    try:
        mapping = None if map_file is None else read_map(map_file)
        left_out: list[str] = []
        items, problems = read_items(
            file, mapping=mapping, sheet=sheet, oldest_first=oldest_first, leave=left_out.append
        )
    except BadMap as bad:
        for sentence in bad.problems:
            say(f"{map_file}: {sentence}")
        raise Wrong("The map cannot be used; nothing was recorded.") from None
    except UnreadableFile as unreadable:
        raise Wrong(f"{file}: {unreadable}") from None
    if left_out:
        say(_of_rows(left_out))
    if not items and not problems:
        say(f"{file} has no facts; nothing was recorded.")
        return
    digest = hashlib.sha256(file.read_bytes())
    digest.update(repr((None if map_file is None else map_file.read_bytes(), sheet, oldest_first)).encode())
    with opened_stores() as stores:
        importer = Importer(stores.tracker, f"import {digest.hexdigest()}", by.strip(), now, chunk)
        with progress("Checking", len(items)) as advance:
            plan = importer.plan(items, problems, skip_recorded=skip_recorded, advance=advance)
        _must_be_sound(plan.problems, str(file))
        if dry_run:
            say(f"{_there(plan)}{plan.size} facts can be recorded. Nothing was, this was a dry run.")
        else:
            _record(importer, plan, str(file))


def _of_rows(left_out: list[str]) -> str:
    """Which rows a map leaves out."""
    rows, _, first = left_out[0].rpartition(" ")
    shown = [first, *(place.rpartition(" ")[2] for place in left_out[1:_ROWS_SHOWN])]
    more = f" and {len(left_out) - len(shown)} more" if len(left_out) > len(shown) else ""
    if len(left_out) == 1:
        return f"One row became no fact, as the map has it: {left_out[0]}."
    return f"{len(left_out)} rows became no fact, as the map has it: {rows}s {', '.join(shown)}{more}."


def _record(importer: Importer, plan: ImportPlan, name: str) -> None:
    recorded = 0

    def done(count: int) -> None:
        nonlocal recorded
        recorded += count
        advance(count)

    with progress("Recording", plan.size) as advance:
        problems = importer.record(plan, done)
    _must_be_sound(problems, name, plan.recorded + recorded)
    say(f"{_there(plan)}{f'{plan.size} facts recorded.' if plan.size else 'Nothing was changed.'}")


def _there(plan: ImportPlan) -> str:
    return f"{plan.recorded} facts were recorded already. " if plan.recorded else ""


def _must_be_sound(problems: list[ImportProblem], name: str, there: int = 0) -> None:
    if not problems:
        return
    for problem in problems[:_SHOWN]:
        say(str(problem))
    if len(problems) > _SHOWN:
        say(f"… and {len(problems) - _SHOWN} more")
    count = "one problem" if len(problems) == 1 else f"{len(problems)} problems"
    after = f"the {there} facts before stay recorded" if there else "nothing was recorded"
    raise Wrong(f"{name}: {count}; {after}.")
