"""Ctrl-C, kept out of what must be done wholly or not at all."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def undisturbed() -> Iterator[None]:
    """
    Ctrl-C waits for the end of the block.

    One that falls into the submission of a task may leave an executor with a task that no worker knows of, and for
    which its shutdown then waits for ever.

    Examples
    --------
    >>> try:
    ...     with undisturbed():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("done")
    ... except KeyboardInterrupt:
    ...     print("then interrupted")
    done
    then interrupted
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    heard: list[tuple[int, FrameType | None]] = []
    process = os.getpid()

    def wait(number: int, frame: FrameType | None) -> None:
        if os.getpid() != process:  # a worker forked in the block
            before(number, frame)
        heard.append((number, frame))

    signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        before(*heard[0])
