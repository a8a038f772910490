"""The composition root: everything is made here, once, from the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from litestar import Litestar
from litestar.concurrency import get_asyncio_executor, set_asyncio_executor
from litestar.datastructures import State
from litestar.di import Provide

from api import auth
from api.about import HealthController, ProblemController, SchemaController
from api.auditing import AuditController
from api.clocks import now
from api.events import EventController
from api.follow import Follower
from api.gate import Gate, finish, must_be_guarded
from api.limits import WriteLimit
from api.metrics import MetricsController
from api.pages import PageController
from api.pages_problems import with_pages
from api.parts import Parts
from api.pledges import PledgeController
from api.polling import Answer, Answers, Heads, Holds
from api.problems import HANDLERS, log_as_json
from api.publishing import PublishController
from api.reports import ReportController
from api.schema import openapi
from api.settings import Settings
from api.stream import StreamController, on_signal
from api.streaming import Sending
from api.tail import Tail
from api.tally import Tally
from api.writes import WriteController
from projections.queries import NAME
from projections.runner import VERSION, Runner
from projections.tables import create_tables, open_engine
from projections.timeline import Timeline
from tracker.application import Tracker

THREADS = 64
"""Writers share commits, so many may wait at once."""

BODY_LIMIT = 64 * 1024


class V1(PledgeController, EventController, ReportController, WriteController):
    """One controller, because GET and POST of one address must be one route."""


def create_app(settings: Settings | None = None) -> Litestar:
    """The API on the store that the settings name. Opens the store at once; starts and stops its threads itself.

    Errors: ``Unavailable`` when the store is away.
    """
    settings = settings or Settings()
    log_as_json()
    if get_asyncio_executor() is None:
        set_asyncio_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="api"))
    parts, runner = _parts(settings)
    app = Litestar(
        route_handlers=[
            V1,
            HealthController,
            ProblemController,
            SchemaController,
            StreamController,
            AuditController,
            MetricsController,
            PublishController,
            PageController,
        ],
        dependencies={"parts": Provide(lambda: parts, sync_to_thread=False)},
        middleware=[Gate(parts.keys, parts.limit, parts.answers, public_read=settings.public_read)],
        exception_handlers=with_pages(HANDLERS),
        before_send=[finish(parts.tally, public_read=settings.public_read)],
        lifespan=[_running(parts, runner)],
        state=State({"answers": parts.answers, "parts": parts}),
        request_max_body_size=BODY_LIMIT,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    must_be_guarded(app)
    app.state["openapi"] = Answer(openapi(app), holds=Holds())
    return app


def _parts(settings: Settings) -> tuple[Parts, Runner | None]:
    url = settings.database_url
    tracker = Tracker(url, create_table=settings.sqlite)
    engine = open_engine(url)
    if settings.sqlite:
        create_tables(engine, NAME, VERSION)
        auth.create_tables(engine)
    keys, heads = auth.KeyRing(engine, settings.admin_key), Heads()
    timeline = Timeline(engine, tracker.journal)
    parts = Parts(
        settings=settings,
        tracker=tracker,
        timeline=timeline,
        engine=engine,
        keys=keys,
        heads=heads,
        answers=Answers(heads),
        follower=Follower(heads, keys, tracker.journal, timeline, url),
        limit=WriteLimit(settings.rate_limit),
        tail=Tail(tracker.journal, heads),
        tally=Tally(),
        sending=Sending(),
    )
    return parts, Runner(url, tracker.journal, now, engine=engine) if settings.projector else None


def _running(parts: Parts, runner: Runner | None) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        parts.open_streams()
        parts.follower.grown = parts.tail.grew
        parts.follower.start()
        if runner is not None:
            runner.start()
            parts.follower.also_wake = runner.wake
        try:
            with on_signal(parts.end_streams):
                yield
        finally:
            parts.end_streams()
            parts.follower.stop()
            if runner is not None:
                runner.stop()
            parts.tracker.close()
            parts.engine.dispose()

    return lifespan
