"""`tracker log export`: the public log as static files."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.group import fail
from api.cli.log_answers import shown_checkpoint
from api.cli.log_private import must_be_elsewhere, write_private
from api.cli.log_store import opened_ledger
from api.cli.terminal import answer, progress, say
from projections.ledger.export import export_log
from tracker.merkle import MerkleError


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--private",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what is not public, too, for a move to another store: FILE is its owner's alone, and not in DIR.",
)
@click.option("--quick", is_flag=True, help="Do not look into full files that are there, only add what is new.")
def export(directory: Path, private: Path | None, quick: bool) -> None:
    """Write the public log as static files for any web server.

    DIR then has what c2sp.org/tlog-tiles asks for, the signed checkpoint, tiles and entry bundles, and the verifier
    key. Nothing in it is secret, and nobody has to trust who serves it. Run it again, by hand or by a timer, to add
    what is new and to write anew what was damaged (--quick only adds); cut off, it goes on where it was. For a move to
    another store (`tracker log import`) --private writes what is not public: idempotency keys, proposals, hashes of
    keys, ids of the log, whole lines of which something is withheld.

    \b
    Examples:
      tracker log export published
      python -m http.server --directory published
      tracker log export published --private moving.private
    """
    if private is not None:
        must_be_elsewhere(private, directory)
    with opened_ledger() as ledger:
        size = ledger.size()
        try:
            with progress("Exporting", size) as advance:
                exported = export_log(ledger, directory, advance, quick=quick)
        except MerkleError as wrong:
            fail(f"{wrong.detail.rstrip('.')}.")
        except OSError as error:
            fail(f"{directory} cannot be written to: {error.strerror}")
        if private is not None:
            with progress("Writing what is private", exported.checkpoint.size) as advance:
                number = write_private(private, ledger, exported.checkpoint, advance)
            say(f"{private} has what is not public, of {number} events: it is a secret, as the database is.")
    answer(f"{shown_checkpoint(exported.checkpoint)}; {exported.written} files written")
    if exported.taken_out:
        answer(f"{exported.taken_out} lines were taken out that are withheld by now")
