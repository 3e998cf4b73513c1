"""Locks of files: one process works on a run, one at a time chooses a folder."""

import contextlib
import fcntl
import logging
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from autogenome_tf.core.errors import StageError, cannot_write

log = logging.getLogger(__name__)

LOCK = ".lock"


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Lock a run folder for this process while the block runs.

    Raises:
        StageError: Where another process is working on it. The lock of one that died is gone.
    """
    with open(folder / LOCK, "a+", encoding="utf-8") as lock:
        try:
            _take(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StageError(
                f"{folder}: another process is working on this run ({lock.read() or '?'}); wait "
                "for it, or give this run another name or output_dir."
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {platform.node()}")
        lock.flush()
        yield


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Lock a folder while the block chooses another one in it.

    Raises:
        InputError: Where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = open(folder / LOCK, "a", encoding="utf-8")
    except OSError as error:
        raise cannot_write(folder, error) from None
    with lock:
        _take(lock, fcntl.LOCK_EX)
        yield


def _take(lock: IO[str], how: int) -> None:
    """Lock a file; where the file system has no locks (some of clusters), go on without."""
    try:
        fcntl.flock(lock, how)
    except BlockingIOError:
        raise
    except OSError as error:
        log.debug("%s: no locks here: %s", lock.name, error)
