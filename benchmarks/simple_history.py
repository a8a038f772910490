"""The peer with a history of each row: Django with django-simple-history, as its documentation says is fast.

`SIMPLE_HISTORY_DATE_INDEX` is "composite", the index of date and primary key; the rows are those of the synthetic
pledges, one version an event, dated by when it was recorded. A history of this kind has one clock.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.generate import FIRST_DAY, LAST_DAY, pledge_events, slug

BATCH_ROWS = 5_000


def as_of_ms(path: str, pledges: int, times: int) -> list[float]:
    """Milliseconds of a page of 100 as of random moments, of so many pledges; Django is set up for this process."""
    status = _model(path)
    history = status.history.model
    waiting: list[Any] = []
    for number in range(pledges):
        for version, planned in enumerate(sorted(pledge_events(number), key=lambda event: event.recorded_at)):
            waiting.append(
                history(
                    pledge=slug(number), title=f"Pledge {number}", status="in_progress", version=version,
                    document=planned.fact, history_date=planned.recorded_at, history_type="~" if version else "+",
                )
            )  # fmt: skip
            if len(waiting) == BATCH_ROWS:
                history.objects.bulk_create(waiting)
                waiting = []
    history.objects.bulk_create(waiting)
    chance, taken = random.Random(7), []
    for _ in range(times):
        day = FIRST_DAY + timedelta(days=chance.randrange(400, (LAST_DAY - FIRST_DAY).days))
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
        started = time.perf_counter()
        found = list(status.history.as_of(moment).order_by("pledge")[:100])
        taken.append(1000 * (time.perf_counter() - started))
        if not found:
            raise RuntimeError(f"nothing as of {moment}")
    return taken


def _model(path: str) -> Any:
    """The model of a status with its history, on a new SQLite file."""
    import django  # Django and its models need the settings first.
    from django.conf import settings

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "simple_history"],
        USE_TZ=True,
        SIMPLE_HISTORY_DATE_INDEX="composite",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    from django.core.management import call_command
    from django.db import connection, models
    from simple_history.models import HistoricalRecords

    class Status(models.Model):  # type: ignore[misc]
        pledge = models.CharField(max_length=100, primary_key=True)
        title = models.TextField()
        status = models.CharField(max_length=40)
        version = models.IntegerField()
        document = models.JSONField()
        history = HistoricalRecords()

        class Meta:
            app_label = "auth"  # a model belongs to an app that is installed

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as schema:
        schema.create_model(Status)
        schema.create_model(Status.history.model)
    return Status
