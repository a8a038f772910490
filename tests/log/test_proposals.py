"""The proposals beside the log: accepted whole or not at all, whenever the process dies; only ever added to."""

import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError

from tests.support.api import made, progress
from tests.support.paths import ROOT
from tracker.application import Tracker
from tracker.errors import ProposalClosed, ProposalMoved, ProposalNotFound, Unavailable
from tracker.event import event_id
from tracker.log.open import open_recorder
from tracker.proposal import STATES, Acting, Proposal
from tracker.proposals import Proposals, Sent

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
MONA = Acting("mona", "key\nmona")

KILLED = """
import os, signal, sys
from tests.log.test_proposals import MONA, NOW, new_id
from tracker.application import Tracker
from tracker.log import rows
from tracker.proposals import Proposals, Sent
from tracker.write_jobs import Job

def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)

proposals = Proposals(Tracker(sys.argv[1], create_table=False))
if sys.argv[3] == "between":  # the fact is written, the event of the proposal is not
    rows.ProposalRow._asdict = die
else:  # both are committed, and nobody is told
    Job.settle = die
proposals.accept(sys.argv[2], MONA, new_id(), 1, NOW, Sent())
"""


def new_id() -> str:
    return event_id(NOW, secrets.token_bytes(10))


def proposal(fact: object = None, pledge: str = "aid-2024") -> Proposal:
    return Proposal(
        id=new_id(), pledge=pledge, fact=json.dumps(fact or made()), note=None, by="carla", scope="key\ncarla",
        would={}, timestamp=NOW,
    )  # fmt: skip


@pytest.fixture
def proposals(database_url: str) -> Iterator[Proposals]:
    with closing(Tracker(database_url)) as tracker:
        yield Proposals(tracker)


@pytest.mark.parametrize("moment", ["between", "after"])
def test_a_process_that_dies_while_it_accepts_leaves_both_or_neither(
    proposals: Proposals, database_url: str, moment: str
) -> None:
    kept = proposals.propose(proposal(), Sent()).proposal
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, database_url, kept.id, moment],
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    log, found = proposals._log, proposals.get(kept.id)
    assert (log.head(), found.state) == ((0, "open") if moment == "between" else (1, "accepted"))
    if moment == "between":
        proposals.accept(kept.id, MONA, new_id(), 1, NOW, Sent())
    else:
        with pytest.raises(ProposalClosed):
            proposals.accept(kept.id, MONA, new_id(), 1, NOW, Sent())
    (row,) = log.read()
    found = proposals.get(kept.id)
    assert (found.state, found.event, found.decided_by) == ("accepted", row.event_id, "mona")
    assert json.loads(row.state)["proposal"] == kept.id


def test_who_decided_on_an_older_version_decides_anew(proposals: Proposals) -> None:
    kept = proposals.propose(proposal(), Sent()).proposal
    earlier = proposals.get(kept.id)
    proposals.act(kept.id, lambda found: found.decline(MONA, "No.", NOW), Sent())
    id_ = new_id()
    earlier.accept(MONA, id_, 1, NOW)
    with pytest.raises(ProposalMoved):
        proposals._tracker.record(proposals._request(earlier, MONA, id_, NOW, Sent()))
    late = proposals.get(kept.id, 1)
    late.withdraw(None, NOW)
    with pytest.raises(IntegrityError):
        proposals.save(late)
    assert proposals._log.head() == 0
    assert proposals.get(kept.id).state == "declined"


def test_a_proposal_is_what_its_events_say_at_each_of_them(proposals: Proposals) -> None:
    kept = proposals.propose(proposal(), Sent()).proposal
    proposals.act(kept.id, lambda found: found.give_back(MONA, "Why?", NOW), Sent())
    proposals.act(kept.id, lambda found: found.revise('{"type":"x"}', "So.", {"warnings": []}, NOW), Sent())
    proposals.act(kept.id, lambda found: found.withdraw(None, NOW), Sent())
    states = [(found.state, found.revision) for found in (proposals.get(kept.id, version) for version in range(1, 5))]
    assert states == [("open", 1), ("returned", 1), ("open", 2), ("withdrawn", 2)]
    with pytest.raises(ProposalNotFound):
        proposals.get(new_id())
    notified = proposals.notification_log.select(1, 10)
    assert [note.id for note in notified] == [1, 2, 3, 4]
    assert [note.topic for note in notified][-1] == "ProposalWithdrawn"
    assert proposals.recorder.max_notification_id() == 4


def test_the_clock_is_an_argument(proposals: Proposals) -> None:
    kept = proposals.propose(proposal(), Sent()).proposal
    again = proposals.get(kept.id)
    assert again == proposals.get(kept.id)
    assert (again.proposed_at, again.created_on, again.modified_on) == (NOW, NOW, NOW)


def test_an_event_of_a_newer_version_is_not_guessed_at(proposals: Proposals) -> None:
    kept = proposals.propose(proposal(), Sent()).proposal
    row = proposals._log.proposal_rows(kept.id)[0]
    proposals._log.add_proposal_event(row._replace(version=2, type="os:system", proposer=None))
    with pytest.raises(Unavailable, match="newer version"):
        proposals.get(kept.id)


def test_nothing_of_a_proposal_is_changed_or_removed(database_url: str) -> None:
    with closing(Tracker(database_url)) as tracker:
        Proposals(tracker).propose(proposal(), Sent("k", b"h" * 32))
    for statement in ("UPDATE {} SET state = state", "DELETE FROM {}"):
        if database_url.startswith("sqlite"):
            with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as file:
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    file.execute(statement.format("proposals"))
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    file.execute("INSERT OR REPLACE INTO proposals SELECT * FROM proposals")
        else:
            with psycopg.connect(database_url) as server, pytest.raises(psycopg.Error, match="append-only"):
                server.execute(statement.format("tracker_events_proposals"))


def test_tables_of_a_store_from_before_there_were_proposals_are_made(database_url: str, tmp_path: Path) -> None:
    open_recorder(database_url).close()
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as file:
            file.execute("DROP TABLE proposals")
    else:
        with psycopg.connect(database_url) as server:
            server.execute("DROP TABLE tracker_events_proposals")
    with closing(Tracker(database_url)) as tracker:
        proposals = Proposals(tracker)
        kept = proposals.propose(proposal(), Sent()).proposal
        proposals.accept(kept.id, MONA, new_id(), 1, NOW, Sent())
        again = proposals.propose(proposal(progress(), "aid-2024"), Sent()).proposal
        assert [place.proposal for place in proposals.after(0, 10, STATES, None)] == [kept.id, again.id]
        assert [place.proposal for place in proposals.after(0, 10, ("open",), "key\ncarla")] == [again.id]
        assert proposals.after(0, 10, STATES, "key\nmona") == []


def test_a_fact_that_was_not_proposed_is_stored_as_ever(proposals: Proposals) -> None:
    kept = proposals.propose(proposal(), Sent()).proposal
    row = proposals.accept(kept.id, MONA, new_id(), 1, NOW, Sent()).events[0]
    plain = re.sub(rb'"proposal":"[^"]*",', b"", row.state)
    assert list(json.loads(plain)) == ["id", "pledge", "version", "recorded_at", "recorded_by", "fact"]
    assert list(json.loads(row.state)) == ["id", "pledge", "version", "recorded_at", "recorded_by", "proposal", "fact"]
