"""Independent pieces of work side by side in threads: the compiled part releases the interpreter while it runs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from . import _core
from .dataset.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    threads: int | None = None,
    label: str = "",
    show: bool | None = None,
) -> Iterator[tuple[Item, Result]]:
    """
    Each item with its result, in the order in which they are ready, with a progress bar on standard error.

    An exception in `work` is raised here. Ctrl-C is heard at once: what is under way is abandoned.
    """
    waiting: queue.SimpleQueue[Item] = queue.SimpleQueue()
    ready: queue.SimpleQueue[tuple[Item, Result | None, BaseException | None]] = queue.SimpleQueue()
    for item in items:
        waiting.put(item)

    def take() -> None:
        while True:
            try:
                item = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                ready.put((item, work(item), None))
            except BaseException as error:
                ready.put((item, None, error))

    count = min(threads or int(_core.machine()["threads"]), len(items))
    for _ in range(count):
        threading.Thread(target=take, daemon=True).start()
    bar = Progress(len(items), label, show)
    bar.update(0)
    try:
        for done in range(1, len(items) + 1):
            # A wait without limit would not hear Ctrl-C on every platform.
            while True:
                try:
                    item, result, error = ready.get(timeout=0.2)
                    break
                except queue.Empty:
                    continue
            if error is not None:
                raise error
            bar.update(done, str(item))
            yield item, result  # type: ignore[misc]
    finally:
        while not waiting.empty():
            try:
                waiting.get_nowait()
            except queue.Empty:
                break
        bar.close()
