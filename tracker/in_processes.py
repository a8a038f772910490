"""Work on many items in several processes, with the results in the order of the items."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def each_in_processes(work: Callable[[ItemT], ResultT], items: Iterable[ItemT], processes: int) -> Iterator[ResultT]:
    """The results of the work on the items, in their order; two items a process are in memory at a time.

    With fewer than two processes it is done in this one. `work` is a function of a module, as a new process finds it.
    """
    if processes < 2:
        yield from map(work, items)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        going: deque[Future[ResultT]] = deque()
        try:
            for item in items:
                going.append(pool.submit(work, item))
                if len(going) > 2 * processes:
                    yield going.popleft().result()
            while going:
                yield going.popleft().result()
        finally:
            for future in going:
                future.cancel()


def _end_with_parent() -> None:
    """End this worker with its parent: one whose parent was killed would wait for work for ever."""

    def watch() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, name="watch-parent", daemon=True).start()
