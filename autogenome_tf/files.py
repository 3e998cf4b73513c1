"""Files are whole or not there: each is written under a temporary name and renamed."""

import contextlib
import os
import shutil
from pathlib import Path


@contextlib.contextmanager
def replacing(path):
    """A temporary path that takes the place of `path` when the block ends well.

    Args:
        path: The file to write; missing folders are made.

    Yields:
        A path in the same folder, of the same suffix.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".partial.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path):
    """The same for a folder that is not there yet; the temporary one is new and empty."""
    path = Path(path)
    temporary = path.with_name(f".partial.{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
