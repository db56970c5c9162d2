"""A progress bar of a few lines, on standard error."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class Progress:
    """
    Parameters
    ----------
    total : int
        The work, in any unit that grows evenly.
    show : bool or None
        None shows the bar on a terminal only.
    """

    def __init__(self, total: int, label: str, show: bool | None = None, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.show = self.stream.isatty() if show is None else show
        self.total = max(total, 1)
        self.label = label
        self.begun = time.monotonic()
        self.drawn = float("-inf")
        self.already: int | None = None

    def update(self, done: int, text: str = "") -> None:
        """Draw the bar, at most ten times a second. What stands at the first call counts as there from before."""
        if self.already is None:
            self.already = done
        now = time.monotonic()
        if not self.show or (now - self.drawn < 0.1 and done < self.total):
            return
        self.drawn = now
        fraction = min(done / self.total, 1.0)
        made, elapsed = done - self.already, now - self.begun
        left = f"{duration(elapsed * (self.total - done) / made)} left" if made > 0 else ""
        bar = "█" * int(24 * fraction) + "░" * (24 - int(24 * fraction))
        self.stream.write(f"\r{self.label} {bar} {100 * fraction:3.0f} %  {text}  {left}\x1b[K")
        self.stream.flush()

    def close(self) -> None:
        """Leave the line."""
        if self.show and self.drawn > float("-inf"):
            self.stream.write("\n")
            self.stream.flush()


def duration(seconds: float) -> str:
    """A duration a person reads: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(count: int) -> str:
    """A number of bytes a person reads: 312 B, 4.5 MB, 1.2 GB."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
