"""Files that are either whole or absent: atomic writing, hashing, leftovers, and the lock of a dataset's folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from ..exceptions import DatasetError

TEMPORARY = ".tmp"
LOCK = ".lock"


def write_atomically(path: Path, content: bytes) -> None:
    """
    Write `content` under `path` so that a reader, or a later run, sees all of it or nothing.

    The bytes go to a temporary name in the same folder, reach the disk, and take their name by a rename.

    Raises
    ------
    DatasetError
        If the folder cannot be written or the disk is full. Nothing half-written is left.
    """
    temporary = path.with_name(path.name + TEMPORARY)
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
    """Remove what a killed run left under temporary names: `<folder>/*.json*.tmp` and `<folder>/*/*.parquet.tmp`."""
    for pattern in (f"*.json*{TEMPORARY}", f"*/*.parquet{TEMPORARY}"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """
    Hold the folder for one writer.

    The lock belongs to the process, not to the file: it ends with a process that is killed.

    Raises
    ------
    DatasetError
        If another process writes to the folder, or the folder cannot be made.
    """
    path = folder / LOCK
    descriptor = -1
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            if not _try_lock(descriptor):
                os.close(descriptor)
                raise DatasetError(f"another process is writing to {folder}; wait for it, or choose another folder")
            if _is_still(path, descriptor):
                break
            os.close(descriptor)
    except OSError as error:
        raise DatasetError(explain(error, folder)) from error
    try:
        yield
    finally:
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
        return True
