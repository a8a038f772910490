"""What becomes of posted facts, handed from the writer's thread to the event loop: all of one commit at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from tracker.application import Tracker
from tracker.requests import Posted, Recorded
from tracker.write_jobs import Outcome

Answer = tuple[asyncio.Future[Recorded], Outcome]


class WriteAnswers:
    """The requests of this process that wait for the writer of `tracker`."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._settled: list[Answer] = []
        tracker.writer.answered = self._hand_over

    async def of(self, posted: Posted) -> Recorded:
        """What is recorded of a request.

        Raises: what refuses it (`Tracker.submit`).
        """
        done: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()
        self._tracker.submit(posted, partial(self._settle, done))
        return await done

    def _settle(self, done: asyncio.Future[Recorded], outcome: Outcome) -> None:
        """In the writer's thread."""
        self._settled.append((done, outcome))

    def _hand_over(self) -> None:
        """In the writer's thread, after each group."""
        settled, self._settled = self._settled, []
        loops: dict[asyncio.AbstractEventLoop, list[Answer]] = {}
        for done, outcome in settled:
            loops.setdefault(done.get_loop(), []).append((done, outcome))
        for loop, answers in loops.items():
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(_answer, answers)


def _answer(answers: Sequence[Answer]) -> None:
    for done, outcome in answers:
        if done.done():  # its caller has gone
            continue
        if isinstance(outcome, BaseException):
            done.set_exception(outcome)
        else:
            done.set_result(outcome)
