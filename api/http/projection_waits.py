"""The requests of this process that wait until the projection has an event, on its event loop and in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from threading import Lock
from typing import NamedTuple


class _Waiter(NamedTuple):
    """A request that waits; `done` becomes whether the projection got to the position. The number tells two apart."""

    position: int
    number: int
    done: Future[bool] | asyncio.Future[bool]


class ProjectionWaits:
    """Those who wait, the lowest position first. From any thread; those of one event loop are told together.

    `projected` tells how far the projection is.
    """

    def __init__(self, projected: Callable[[], int]) -> None:
        self._projected = projected
        self._heap: list[_Waiter] = []
        self._waiting = 0
        self._numbers = count()
        self._lock = Lock()
        self._ended = False

    def __len__(self) -> int:
        """The number of those who wait."""
        return self._waiting

    def begin(self) -> None:
        """Let requests wait from now on."""
        self._ended = False

    def end(self) -> None:
        """Let everybody go on, now and from now on."""
        self._ended = True
        self.release()

    def wait(self, position: int, timeout: float) -> bool:
        """Wait in a thread; False if the position is not reached within `timeout` seconds."""
        done: Future[bool] = Future()
        self._join(position, done)
        try:
            return done.result(timeout)
        except TimeoutError:
            return False
        finally:
            self._leave()

    async def wait_async(self, position: int, timeout: float) -> bool:
        """The same as `wait`, on the event loop."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[bool] = loop.create_future()
        self._join(position, done)
        patience = loop.call_later(timeout, _settle, [done], False)
        try:
            return await done
        finally:
            patience.cancel()
            self._leave()

    def release(self) -> None:
        """Let those go on whose position the projection has."""
        reached, projected = not self._ended, self._projected()
        loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[bool]]] = {}
        in_threads: list[Future[bool]] = []
        with self._lock:
            while self._heap and (self._ended or self._heap[0].position <= projected):
                done = heappop(self._heap).done
                if isinstance(done, Future):
                    in_threads.append(done)
                else:
                    loops.setdefault(done.get_loop(), []).append(done)
        for waiting in in_threads:
            waiting.set_result(reached)
        for loop, on_loop in loops.items():
            if loop is _running():
                _settle(on_loop, reached)
            else:
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(_settle, on_loop, reached)

    def _join(self, position: int, done: Future[bool] | asyncio.Future[bool]) -> None:
        with self._lock:
            heappush(self._heap, _Waiter(position, next(self._numbers), done))
            self._waiting += 1
        self.release()  # the position may have come meanwhile

    def _leave(self) -> None:
        with self._lock:
            self._waiting -= 1
            if not self._waiting:  # what is left gave up before its position came
                self._heap.clear()


def _settle(waiting: Sequence[asyncio.Future[bool]], reached: bool) -> None:
    for done in waiting:
        if not done.done():
            done.set_result(reached)


def _running() -> asyncio.AbstractEventLoop | None:
    with suppress(RuntimeError):
        return asyncio.get_running_loop()
    return None
