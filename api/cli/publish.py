"""`tracker publish`: the log as a stream of NATS JetStream."""

from __future__ import annotations

import asyncio
import re
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import click

from api.cli.group import fail
from api.cli.stores import Stores, opened_stores
from api.cli.terminal import say
from api.formats.provenance import Provenance
from api.http.json_logging import log_as_json
from api.outgoing.stopping import stopped_by_signals

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}")


@click.command()
@click.option(
    "--nats",
    "servers",
    envvar="NATS_URL",
    show_envvar=True,
    required=True,
    metavar="URL",
    help="Servers of NATS, with commas between them.",
)
@click.option("--creds", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file of credentials.")
@click.option("--stream", default="TRACKER", show_default=True, help="The stream; it is made if it is not there.")
@click.option("--subject", default="tracker.events", show_default=True, help="What the subjects begin with.")
@click.option("--replicas", type=click.IntRange(1, 5), default=1, show_default=True, help="Copies of a new stream.")
@click.option("--once", is_flag=True, help="End when all that is recorded is published.")
def publish(servers: str, creds: Path | None, stream: str, subject: str, replicas: int, once: bool) -> None:
    """Publish the events to NATS JetStream as CloudEvents, in order, until stopped.

    It goes on where the stream ends, however often it is started; NATS may go and come back meanwhile. Several may run:
    no event is in the stream twice. Each message has the event's id as Nats-Msg-Id, and the subject
    SUBJECT.<pledge>.<type>. It needs the extra `nats`: pip install 'commitments-tracker[nats]'. An address with a
    password belongs into NATS_URL, since others on the machine can read a command line.

    \b
    Examples:
      tracker publish --nats nats://localhost:4222
      tracker publish --nats tls://one:4222,tls://two:4222 --creds feed.creds --replicas 3
    """
    named = [server.strip() for server in servers.split(",") if server.strip()]
    if not named or any(urlsplit(server).scheme not in ("nats", "tls") for server in named):
        raise click.UsageError("--nats has addresses such as nats://localhost:4222 or tls://nats.example.org:4222")
    if not _NAME.fullmatch(stream) or not _SUBJECT.fullmatch(subject):
        raise click.UsageError("the names of streams and subjects have letters, digits, - and _; subjects dots between")
    if find_spec("nats") is None:
        raise click.UsageError("this needs the extra `nats`: pip install 'commitments-tracker[nats]'")
    log_as_json()
    with opened_stores(must_exist=True) as stores:
        asyncio.run(_publish(stores, named, creds, stream, subject, replicas=replicas, once=once))


async def _publish(
    stores: Stores, servers: list[str], creds: Path | None, stream: str, subject: str, *, replicas: int, once: bool
) -> None:
    from nats.errors import Error as NatsError

    from api.outgoing.jetstream import JetStreamFeed, StreamRefused

    stopping = stopped_by_signals()

    def provenance(log: str) -> Provenance:
        return Provenance.of(stores.settings, log, {})

    feed = JetStreamFeed(stores.log, provenance, stores.settings.state_directory, stream=stream, subject=subject)
    try:
        await feed.run(servers, stopping, credentials=creds, once=once, replicas=replicas)
    except StreamRefused as refused:
        fail(str(refused))
    except (NatsError, OSError, TimeoutError) as away:
        fail(f"NATS: {str(away) or type(away).__name__}")
    say(f"{feed.published} events were published to the stream {stream}.")
