"""
Cells side by side, each in a process that may be ended: a forecaster that never comes back costs its budget only.
"""

from __future__ import annotations

import multiprocessing as mp
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from multiprocessing.connection import Connection, wait
from typing import Any

from ..interrupt import undisturbed
from .cell import Cell, empty, prepare, run_cell

__all__ = ["in_executor", "in_processes", "in_this_process"]

# One thread for each process: those of libraries would fight for the same cores, and sums would depend on their number.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS")
_XLA = "--xla_cpu_multi_thread_eigen=false"

# What a process says when the data of its cell are there: the budget counts from then on.
_READY = "ready"
# Data may take so many budgets.
_DATA = 10


class _Worker:
    """A process, the cell it works on, and when it began."""

    def __init__(self) -> None:
        context = mp.get_context("spawn")
        self.pipe, other = context.Pipe()
        before = {name: os.environ.get(name) for name in (*_THREADS, "XLA_FLAGS")}
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        os.environ["XLA_FLAGS"] = f"{before['XLA_FLAGS'] or ''} {_XLA}".strip()
        try:
            self.process = context.Process(target=_serve, args=(other,), daemon=True)
            self.process.start()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
        other.close()
        self.cell: Cell | None = None
        self.begun = 0.0
        self.has_data = False

    def give(self, cell: Cell) -> None:
        self.cell = cell
        self.begun, self.has_data = time.monotonic(), False
        self.pipe.send(cell)

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _serve(pipe: Connection) -> None:
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    pipe.send(None)
    while True:
        try:
            cell = pipe.recv()
        except (EOFError, KeyboardInterrupt):
            return
        try:
            try:
                prepare(cell)
                pipe.send(_READY)
                result = run_cell(cell)
            except Exception as error:
                result = empty(cell) | {"outcome": "crashed", "message": f"{type(error).__name__}: {error}"}
            pipe.send(result)
        except (BrokenPipeError, KeyboardInterrupt):
            return


def _end_with_parent(parent: int) -> None:
    """Where the parent is killed, nobody waits for the result of a long cell."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def in_processes(cells: Sequence[Cell], processes: int, budget: float | None) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Each cell with its result, in the order in which they are ready."""
    waiting = deque(cells)
    workers: dict[Connection, _Worker] = {}
    idle: list[_Worker] = []
    try:
        for _ in range(min(processes, len(waiting))):
            worker = _Worker()
            workers[worker.pipe] = worker
        while waiting or any(worker.cell for worker in workers.values()):
            while idle and waiting:
                idle.pop().give(waiting.popleft())
            for pipe in wait(list(workers), timeout=0.2):
                worker = workers[pipe]  # type: ignore[index]
                cell = worker.cell
                try:
                    result = worker.pipe.recv()
                except (EOFError, OSError):
                    code = _exit_code(worker)
                    _replace(workers, worker)
                    if cell is None:
                        raise RuntimeError(
                            f"a process for the benchmark ended with code {code} before any work"
                        ) from None
                    message = f"its process ended with code {code}"
                    yield cell, empty(cell) | {"outcome": "crashed", "message": message}
                    continue
                if result == _READY:
                    worker.begun, worker.has_data = time.monotonic(), True
                    continue
                worker.cell = None
                idle.append(worker)
                if cell is not None:
                    yield cell, result
            for worker in [one for one in workers.values() if one.cell is not None]:
                if budget is None:
                    continue
                limit = budget if worker.has_data else _DATA * budget
                if time.monotonic() - worker.begun > limit:
                    cell = worker.cell
                    what = ("budget", "not done") if worker.has_data else ("no data", "its data were not made")
                    _replace(workers, worker)
                    if cell is not None:
                        lost = [cell] if what[0] == "budget" else _alike(cell, waiting)
                        for one in lost:
                            yield one, empty(one) | {"outcome": what[0], "message": f"{what[1]} in {limit:g} s"}
    finally:
        for worker in workers.values():
            worker.end()


def _alike(cell: Cell, waiting: deque[Cell]) -> list[Cell]:
    """The cell and those that wait for the same data, which are taken from the queue."""
    alike = [one for one in waiting if (one.system, one.setting) == (cell.system, cell.setting)]
    for one in alike:
        waiting.remove(one)
    return [cell, *alike]


def _exit_code(worker: _Worker) -> int | None:
    worker.process.join(5)
    return worker.process.exitcode


def _replace(workers: dict[Connection, _Worker], worker: _Worker) -> None:
    del workers[worker.pipe]
    worker.end()
    new = _Worker()
    workers[new.pipe] = new


def in_executor(
    cells: Sequence[Cell], executor: Executor, budget: float | None
) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """The same in an executor of one's own, whose work cannot be ended: what took too long counts as not done."""
    futures: dict[Future[tuple[float, dict[str, Any]]], Cell] = {}
    try:
        for cell in cells:
            with undisturbed():
                futures[executor.submit(_clocked, cell)] = cell
        for future in as_completed(futures):
            cell = futures[future]
            error = future.exception()
            if error is not None:
                yield cell, empty(cell) | {"outcome": "crashed", "message": f"{type(error).__name__}: {error}"}
                continue
            seconds, result = future.result()
            if budget is not None and seconds > budget:
                result = empty(cell) | {"outcome": "budget", "message": f"not done in {budget:g} s"}
            yield cell, result
    finally:
        for future in futures:
            future.cancel()


def in_this_process(cells: Sequence[Cell], budget: float | None) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """One after the other, here: for debugging."""
    for cell in cells:
        seconds, result = _clocked(cell)
        if budget is not None and seconds > budget:
            result = empty(cell) | {"outcome": "budget", "message": f"not done in {budget:g} s"}
        yield cell, result


def _clocked(cell: Cell) -> tuple[float, dict[str, Any]]:
    prepare(cell)
    begun = time.monotonic()
    result = run_cell(cell)
    return time.monotonic() - begun, result
