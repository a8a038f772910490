"""All faults that are tried, with their names in the table and the stores that have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from faults import history, processes, readers, stores
from faults.trial import Trial

BOTH = ("sqlite", "postgres")


class Fault(NamedTuple):
    """One kind of fault; `share` of the wanted tries are made, since some of them take half a minute each."""

    key: str
    name: str
    run: Callable[[Trial], None]
    stores: tuple[str, ...] = BOTH
    share: float = 0.1
    needs_mount: bool = False
    needs_cluster: bool = False
    """Whether it needs the packages of requirements-cluster.lock."""


def _leader_killed(trial: Trial) -> None:
    from faults import leaders  # its packages are not everywhere

    leaders.leader_killed(trial)


FAULTS = (
    Fault("server-killed", "server: kill -9 under 8 writers", processes.server_killed, share=1),
    Fault("two-servers", "two servers on one store, one is killed", processes.two_servers),
    Fault("projector-killed", "the only projector: kill -9", processes.projector_killed, share=0.05),
    Fault("projector-frozen", "projector frozen, another stands by", processes.projector_frozen),
    Fault("projector-frozen-alone", "the only projector frozen", processes.projector_frozen_alone, share=0.05),
    Fault("projector-absent", "no projector", processes.projector_absent, share=0.02),
    Fault("postgres-stopped", "database stopped at once", stores.postgres_stopped, ("postgres",)),
    Fault("postgres-frozen", "database frozen", stores.postgres_frozen, ("postgres",)),
    Fault("terminated", "all connections terminated", stores.connections_terminated, ("postgres",), share=0.2),
    Fault("read-only", "database read-only", stores.store_read_only, ("postgres",)),
    Fault("locked", "log locked by another process", stores.store_locked),
    Fault("disk-full", "disk full", stores.disk_full, needs_mount=True),
    Fault("put-back", "older copy of the log put back", history.log_put_back),
    Fault("clock", "clock set 3 h ahead and back", history.clock_moved),
    Fault("unreadable", "event of a newer version", history.event_unreadable),
    Fault("stalled-readers", "readers of streams that take nothing", readers.readers_stalled),
    Fault("leader-killed", "leader of three servers killed", _leader_killed, ("postgres",), needs_cluster=True),
)
"""Every fault, in the order of the table."""
