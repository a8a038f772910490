"""`tracker doctor`: settings, store, roles, clock, disk, projector, file modes and versions in one screen."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Thread

import click
from rich.text import Text

from api.cli import doctor_checks
from api.cli.doctor_checks import Finding, Installation, opened_log, wrong
from api.cli.failures import failure_sentence
from api.cli.group import fail
from api.cli.stores import read_settings
from api.cli.terminal import columns, show
from api.settings import Settings

CHECK_SECONDS = 20.0
"""Seconds of one check, at most: more than a read of the store may take, and the wait for a heartbeat."""

_BOUND_READ_SECONDS = 5.0

Check = Callable[[], Finding | Iterable[Finding]]


@click.command()
def doctor() -> None:
    """Look at settings, store, roles, clock, disk, projector, files and versions; exit 1 if something is wrong.

    Each line is ok, note or wrong; below what is wrong stands what to do. Nothing is changed, and every check has a
    bound of time, so that it may be run beside a service that hangs.

    \b
    Example:
      tracker doctor
    """
    found = list(_examined())
    table = columns("", "what", "how it stands")
    for name, finding in found:
        table.add_row(Text(finding.mark), Text(name), Text(finding.said))
        if finding.mend:
            table.add_row("", "", Text(f"→ {finding.mend}"))
    show(table)
    if number := sum(finding.mark == "wrong" for _, finding in found):
        fail(f"{number} {'thing is' if number == 1 else 'things are'} wrong.")


def _examined() -> Iterator[tuple[str, Finding]]:
    yield from _named("versions", doctor_checks.versions)
    try:
        settings = read_settings()
    except click.UsageError as refused:
        yield "settings", wrong(refused.message, "correct it; nothing else can be looked at before")
        return
    yield from _named("settings", lambda: doctor_checks.settings_in_force(settings))
    yield from _named("disk", lambda: doctor_checks.disks(settings))
    yield from _named("files", lambda: doctor_checks.file_modes(settings))
    if settings.sqlite and not Path(settings.store_name).exists():
        yield "store", wrong(f"there is no log at {settings.store_name}", "`tracker init` makes one")
        return
    yield from _of_the_store(settings)


def _of_the_store(settings: Settings) -> Iterator[tuple[str, Finding]]:
    bound = settings.model_copy(update={"read_timeout": min(settings.read_timeout, _BOUND_READ_SECONDS)})
    about: dict[str, Callable[[Installation], Finding | Iterable[Finding]]] = {
        "store": doctor_checks.store,
        "roles": doctor_checks.roles,
        "clock": doctor_checks.clock,
        "projector": doctor_checks.projector,
        "ledger": doctor_checks.ledger,
    }
    for name, check in about.items():

        def with_log(check: Callable[[Installation], Finding | Iterable[Finding]] = check) -> list[Finding]:
            with opened_log(bound) as installation:
                found = check(installation)
                return [found] if isinstance(found, Finding) else list(found)

        found = list(_named(name, with_log))
        yield from found
        if name == "store" and any(finding.said.startswith(NOT_OPEN) for _, finding in found):
            return  # the others would say the same


NOT_OPEN = "it cannot be looked at: "
"""What a check says that met an error."""


def _named(name: str, check: Check) -> Iterator[tuple[str, Finding]]:
    """The findings of a check under its name; of one that fails or takes too long, that."""
    answer: queue.SimpleQueue[list[Finding] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            found = check()
            answer.put([found] if isinstance(found, Finding) else list(found))
        except Exception as error:
            answer.put(error)

    Thread(target=run, name=f"doctor-{name}", daemon=True).start()
    try:
        found = answer.get(timeout=CHECK_SECONDS)
    except queue.Empty:
        yield name, wrong(f"{NOT_OPEN}no answer within {CHECK_SECONDS:g} s", "see what holds it up")
        return
    if isinstance(found, Exception):
        yield (
            name,
            wrong(f"{NOT_OPEN}{failure_sentence(found) or _named_error(found)}", "mend that, and run this again"),
        )
        return
    for finding in found:
        yield name, finding


def _named_error(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
