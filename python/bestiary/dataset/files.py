"""Files that are either whole or absent: atomic writing, hashing, leftovers, and the lock of a dataset's folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from ..exceptions import DatasetError

TEMPORARY = ".tmp"
LOCK = ".lock"
ALIVE = ".run-"
"""Begins the name of the file that says, as long as it is there, that a call is under way."""

PATIENCE = 60.0
"""Seconds that one of many parts, all started at once, waits for its turn to begin."""


def write_atomically(path: Path, content: bytes) -> None:
    """
    Write `content` under `path` so that a reader, or a later run, sees all of it or nothing.

    The bytes go to a temporary name in the same folder, reach the disk, and take their name by a rename. Two writers of
    the same file do not disturb each other.

    Raises
    ------
    DatasetError
        If the folder cannot be written or the disk is full. Nothing half-written is left.
    """
    temporary = _temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise DatasetError(explain(error, path)) from error


def _temporary(path: Path) -> Path:
    """A name beside `path` that nobody else uses, on this machine or another."""
    return path.with_name(f"{path.name}.{uuid.uuid4().hex}{TEMPORARY}")


def explain(error: OSError, path: Path) -> str:
    """Say what the operating system refused, and what would help."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left for {path}; free some and repeat the call, finished files are kept"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"cannot write {path}: {error.strerror}; choose a folder you may write to"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"cannot write {path}: a part of this path is a file, not a folder"
    return f"cannot write {path}: {error.strerror or error}"


def sha256(path: Path) -> str:
    """Hash a file without holding it in memory."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def remove_leftovers(folder: Path) -> None:
    """Remove what killed runs left: temporary files of manifest, journals and data, signs of being under way."""
    data = (f"*/*-*.{ending}*{TEMPORARY}" for ending in ("parquet", "npz", "arrow"))
    for pattern in (f"*.json*{TEMPORARY}", *data, f"{ALIVE}*"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def alive(folder: Path) -> Iterator[str]:
    """The name of a new file that is in the folder for as long as the call is under way."""
    path = folder / f"{ALIVE}{uuid.uuid4().hex}"
    try:
        path.touch(exist_ok=False)
    except OSError as error:
        raise DatasetError(explain(error, path)) from error
    try:
        yield path.name
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def lock(folder: Path, part: str = "") -> Iterator[None]:
    """
    Hold the folder for one writer, or for the one writer of a part of it beside those of other parts.

    The lock belongs to the process, not to the file: it ends with a process that is killed. A part holds the whole
    folder while it begins, and from there on its own lock, which a writer of the whole folder has to find free.

    Raises
    ------
    DatasetError
        If another process writes to the folder, or the folder cannot be made.
    """
    with contextlib.ExitStack() as held:
        with _held(folder, LOCK, PATIENCE if part else 0.0) as whole:
            if part:
                held.enter_context(_held(folder, f"{LOCK}-{part}"))
            else:
                held.push(whole.pop_all())
                for path in folder.glob(f"{LOCK}-*"):
                    with _held(folder, path.name):
                        pass
        yield


@contextlib.contextmanager
def _held(folder: Path, name: str, patience: float = 0.0) -> Iterator[contextlib.ExitStack]:
    """Hold one lock of the folder, until the end of the block or of the stack it is moved to."""
    path = folder / name
    until = time.monotonic() + patience
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            is_mine = _try_lock(descriptor)
            if is_mine and _is_still(path, descriptor):
                break
            os.close(descriptor)
            if not is_mine:
                if time.monotonic() >= until:
                    raise DatasetError(f"another process is writing to {folder}; wait for it, or choose another folder")
                time.sleep(0.05)
    except OSError as error:
        raise DatasetError(explain(error, folder)) from error
    with contextlib.ExitStack() as stack:
        stack.callback(_release, path, descriptor)
        yield stack


def _release(path: Path, descriptor: int) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
    os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the locked file is the one that bears the name: its previous owner may just have removed it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


if os.name == "nt":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP):
                raise
            # A file system without locks, as some of clusters are: whoever writes there keeps others away himself.
        return True
