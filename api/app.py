"""The composition root: everything is made here, once, from the settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from litestar import Litestar
from litestar.concurrency import get_asyncio_executor, set_asyncio_executor
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import Scope

from api.http import access_keys, auth
from api.http.access_log import AccessLog
from api.http.body_room import BodyRoom
from api.http.cache import ResponseCache
from api.http.client_addresses import ClientAddress
from api.http.event_tail import EventTail
from api.http.json_logging import log_as_json
from api.http.known_heads import KnownHeads, Validity
from api.http.limits import FailedKeyLimit, WriteLimit
from api.http.log_follower import LogFollower
from api.http.metrics import ProcessMetrics, shared_directory
from api.http.middleware import RequestMiddleware, finish, must_be_guarded
from api.http.min_position import MinPosition
from api.http.mounted import MountedApp
from api.http.problems import HANDLERS
from api.http.projector_keeper import kept
from api.http.responses import BytesResponse
from api.http.shutdown import OpenBodies, on_signal
from api.http.system_clock import now, since_boot
from api.http.tracing import begin_traces
from api.http.write_answers import WriteAnswers
from api.outgoing.measures import measures
from api.pages.about import AboutController
from api.pages.controller import PageController
from api.pages.deadlines import DeadlinePageController
from api.pages.desk import DeskController
from api.pages.embed import EmbedController
from api.pages.importing import ImportPageController
from api.pages.parties import PartyPageController
from api.pages.problem_types import ProblemController
from api.pages.problems import with_pages
from api.pages.schema import SchemaPageController
from api.pages.sitemap import SitemapController
from api.resources.captures import CaptureController
from api.resources.deadlines import DeadlineController
from api.resources.event_stream import StreamController
from api.resources.events import EventController
from api.resources.health import HealthController
from api.resources.ledger import LedgerController
from api.resources.log import LogController
from api.resources.metrics import MetricsController
from api.resources.openapi import openapi
from api.resources.openapi_document import SchemaController
from api.resources.parties import PartyController
from api.resources.pledges import PledgeController
from api.resources.proposals import ProposalController
from api.resources.publishing import PublishController
from api.resources.replay import AuditController
from api.resources.reports import ReportController
from api.resources.writes import WriteController
from api.services import Services, with_replica
from api.settings import Settings
from projections.ledger.reader import Ledger
from projections.ledger.remembered import RememberedCheckpoints
from projections.ledger.signer import LedgerSigner
from projections.process import ProjectorProcess
from projections.queries import TIMELINE
from projections.room import StoreRoom
from projections.runner import PROJECTION_VERSION, ProjectionRunner
from projections.tables import create_tables, open_engine
from projections.timeline import Timeline
from tracker.application import Tracker
from tracker.log.clock_watch import ClockWatch
from tracker.log.memory import LogMemory
from tracker.proposals import Proposals

if TYPE_CHECKING:
    from api.http.traces import Traces

MAX_BODY_BYTES = 64 * 1024
"""Bytes read of the body of a request, at most, where its route names no other bound."""


class V1(PledgeController, EventController, ReportController, WriteController):
    """The routes under `/v1` in one controller, because GET and POST of one address must be one route."""


def create_app(settings: Settings | None = None, projector: ProjectorProcess | None = None) -> Litestar:
    """The API on the store that the settings name. It opens the store at once; its threads live while it serves.

    If the settings want a projector, it is this process while the API serves, else a thread.

    Raises: Unavailable if the store does not answer.
    """
    settings = settings or Settings()
    log_as_json()
    if get_asyncio_executor() is None:
        set_asyncio_executor(ThreadPoolExecutor(settings.threads, thread_name_prefix="api"))
    services, runner = _services(settings, projector)
    traces = begin_traces(on=settings.traces)
    app = MountedApp(
        route_handlers=[
            V1,
            HealthController,
            ProblemController,
            SchemaController,
            SchemaPageController,
            StreamController,
            LogController,
            PartyController,
            ProposalController,
            LedgerController,
            CaptureController,
            AuditController,
            MetricsController,
            PublishController,
            DeadlineController,
            EmbedController,
            ImportPageController,
            DeskController,
            PageController,
            AboutController,
            PartyPageController,
            DeadlinePageController,
            SitemapController,
        ],
        dependencies={"services": Provide(_services_of(services), sync_to_thread=False)},
        middleware=[
            ClientAddress(settings.trusted_proxies),
            RequestMiddleware(
                services.keys,
                services.limit,
                FailedKeyLimit(settings.failed_key_limit, shared_directory()),
                services.response_cache,
                metrics=services.metrics,
                traces=traces,
                min_position=MinPosition(
                    services.heads,
                    services.tracker.log,
                    services.follower.wait_known,
                    follows_replica=settings.read_only,
                ),
                replica=services.replica,
                public_read=settings.public_read,
                read_only=settings.read_only,
            ),
        ],
        exception_handlers=with_pages(HANDLERS),
        before_send=[
            finish(
                services.metrics,
                AccessLog(on=settings.access_log),
                traces,
                services.heads,
                public_read=settings.public_read,
            )
        ],
        lifespan=[_running(services, runner, traces)],
        state=State({"response_cache": services.response_cache, "services": services}),
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    app.base_path = settings.base_path
    must_be_guarded(app)
    app.state["openapi"] = lru_cache(maxsize=8)(partial(_openapi, app, settings))
    return app


def _services_of(services: Services) -> Callable[..., Services]:
    """What gives a request its services: those of the replica, if the middleware sent it there."""
    if (of_replica := services.from_replica) is None:
        return lambda: services

    def of_request(scope: Scope) -> Services:
        return of_replica if scope["state"].get("of_replica") else services

    return of_request


def _openapi(app: Litestar, settings: Settings, base: str) -> BytesResponse:
    """The OpenAPI document for readers who reach the API below a base path."""
    server = settings.public_address("/") if settings.public_url else f"{base}/"
    return BytesResponse(openapi(app, server), validity=Validity())


def _services(settings: Settings, projector: ProjectorProcess | None) -> tuple[Services, ProjectionRunner | None]:
    url = settings.database_url
    clock = None if settings.trust_clock else ClockWatch(now, since_boot)
    tracker = Tracker(
        url,
        create_table=settings.sqlite,
        read_seconds=settings.read_timeout,
        connections=settings.connections_of_log,
        clock=clock,
    )
    engine = open_engine(
        url, read_seconds=settings.read_timeout, connections=settings.connections - settings.connections_of_log
    )
    if settings.sqlite:
        create_tables(engine, TIMELINE, PROJECTION_VERSION)
        access_keys.create_tables(engine)
    keys, heads = auth.KeyRing(engine, settings.admin_key, notes_uses=not settings.read_only), KnownHeads()
    timeline, ledger = Timeline(engine, tracker.log), Ledger(engine, tracker.log, settings.log_origin)
    memory = LogMemory(tracker.log, settings.state_directory, settings.store_name)
    follower = LogFollower(heads, keys, tracker.log, timeline, ledger, url, memory)
    services = Services(
        settings=settings,
        tracker=tracker,
        proposals=Proposals(tracker),
        timeline=timeline,
        ledger=ledger,
        engine=engine,
        keys=keys,
        heads=heads,
        response_cache=ResponseCache(heads),
        follower=follower,
        write_answers=WriteAnswers(tracker),
        limit=WriteLimit(settings.rate_limit, shared_directory()),
        event_tail=EventTail(tracker.log, timeline, heads),
        metrics=ProcessMetrics(),
        open_bodies=OpenBodies(),
        body_room=BodyRoom(),
        import_room=BodyRoom(),
        import_turn=asyncio.Lock(),
        projector=projector if settings.runs_projector else None,
        store_room=StoreRoom(engine),
        outgoing=lambda: measures(engine, settings.state_directory, heads, now),
    )
    if settings.replica_url is not None:
        services = with_replica(services, settings.replica_url)
    if not settings.runs_projector or projector is not None:
        return services, None
    remembered = RememberedCheckpoints(settings.state_directory)
    signer = LedgerSigner(ledger, settings.signing_keys(replaces_lost_keys=True), remembered, now)
    return services, ProjectionRunner(url, tracker.log, now, engine=engine, signer=signer)


def _running(
    services: Services, runner: ProjectionRunner | None, traces: Traces | None
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        services.open_streams()
        services.follower.grown = services.event_tail.grew
        services.follower.projected = services.event_tail.projected
        services.follower.looked = services.measure
        services.follower.changed = services.event_tail.restart
        services.tracker.writer.appended = services.follower.appended
        services.follower.start()
        if services.replica is not None:
            services.replica.start()
        try:
            with _projecting(services, runner):
                try:
                    with on_signal(services.end_streams):
                        yield
                finally:
                    services.end_streams()
                    if services.replica is not None:
                        services.replica.stop()
                    services.follower.stop()
        finally:
            for of_store in filter(None, (services.from_replica, services)):
                of_store.tracker.close()
                of_store.engine.dispose()
            if traces is not None:
                traces.shut_down()

    return lifespan


@contextmanager
def _projecting(services: Services, runner: ProjectionRunner | None) -> Iterator[None]:
    """Let the projector run that this process has, if it has one, and tell the follower its commits."""
    follower, process = services.follower, services.projector
    if process is not None:
        process.committed, follower.also_wake = follower.hear, process.wake
        follower.is_told, follower.may_wait = lambda: process.is_active, lambda: not process.is_silent
        with kept(process):
            yield
    elif runner is not None:
        runner.committed, follower.also_wake = follower.hear, runner.wake
        follower.is_told = lambda: runner.is_active
        runner.start()
        try:
            yield
        finally:
            runner.stop()
    else:
        yield
